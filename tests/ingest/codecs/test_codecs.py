"""What LoRaWAN devices put into their payloads."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.wmbus.encode import record
from ingest.codecs import CODECS
from ingest.codecs.content import Counter, Frame, Part
from metering.reading import Register
from metering.uplink import BadUplink, MeterValue

VOLUME = Register("volume")


def litres(volume: int) -> list[MeterValue]:
    return [MeterValue(VOLUME, Decimal(volume).scaleb(-3), "m3")]


def refused(codec: str, port: int, payload: bytes) -> str:
    with pytest.raises(BadUplink) as told:
        CODECS[codec](port, payload)
    return told.value.reason


@given(st.sampled_from(sorted(CODECS)), st.integers(0, 255), st.binary(max_size=80))
@settings(max_examples=500, deadline=None)
def test_any_payload_is_content_or_a_reason(codec, port, payload):
    found, reason = (), ""
    try:
        found = CODECS[codec](port, payload)
    except BadUplink as bad:
        reason = bad.reason
    assert reason in {"", "bad_port", "bad_payload", "no_value", "encrypted"}
    assert all(isinstance(one, MeterValue | Counter | Frame | Part) for one in found)


# --- Axioma --------------------------------------------------------------------------------------


def hourly(volume: int, deltas: list[int], *, version: int = 1, multiplier: int = 0) -> bytes:
    packed = sum(delta << 14 * place for place, delta in enumerate(deltas)) | multiplier << 23 * 14
    head = bytes([version]) + (1788390574).to_bytes(4, "little") + b"\x00" + volume.to_bytes(4, "little")
    return head + packed.to_bytes(41, "little")


def test_axioma_s_index_is_the_oldest_volume_and_all_deltas():
    """As in the maker's example: 5938 litres and 116 more in 23 hours."""
    deltas = [5, 0, 16383, *[1] * 20]
    assert CODECS["axioma_w1"](100, hourly(5938, [116, *[0] * 22])) == litres(6054)
    assert CODECS["axioma_w1"](100, hourly(1, deltas, multiplier=1)) == litres(1 + sum(deltas))


@pytest.mark.parametrize(
    ("port", "payload", "reason"),
    [
        (101, hourly(1, [0]), "bad_port"),
        (100, hourly(1, [0])[:-1], "bad_payload"),
        (100, hourly(1, [0], version=2), "bad_payload"),
        (100, hourly(1, [0], multiplier=10), "bad_payload"),
        (100, hourly(0xFFFFFFFF, [0]), "no_value"),
    ],
)
def test_what_is_not_known_by_example_is_refused(port, payload, reason):
    assert refused("axioma_w1", port, payload) == reason


# --- pulse counters ------------------------------------------------------------------------------


def test_milesight_counts_pulses_between_other_fields():
    read = CODECS["milesight_em300_di"]
    assert read(85, bytes.fromhex("01755C05C800010000")) == [Counter(256)]
    assert read(85, bytes.fromhex("0367F600046850050001")) == []
    history = (
        bytes.fromhex("20CE") + (1767319200).to_bytes(4, "little") + bytes(5) + bytes.fromhex("FA000000")
    )
    assert read(85, history) == [Counter(250, at=datetime(2026, 1, 2, 2, tzinfo=UTC))]
    assert refused("milesight_em300_di", 85, bytes.fromhex("05C8000100")) == "bad_payload"
    assert refused("milesight_em300_di", 85, bytes.fromhex("99990000")) == "bad_payload"


def test_adeunis_counts_on_channel_a():
    frame = bytes.fromhex("5A6700000127000100020003000414ABA3E9")
    assert CODECS["adeunis_pulse"](1, frame) == [Counter(295, "A")]
    assert CODECS["adeunis_pulse"](1, frame[:6]) == [Counter(295, "A")]
    assert refused("adeunis_pulse", 1, b"\x30" + frame[1:]) == "bad_payload"
    assert refused("adeunis_pulse", 1, frame[:7]) == "bad_payload"


def test_izar_to_lorawan_gives_litres_or_a_battery():
    assert CODECS["izar_to_lorawan"](20, bytes.fromhex("631200") + (7710).to_bytes(4, "little")) == litres(
        7710
    )
    assert CODECS["izar_to_lorawan"](3, b"\xff") == []
    assert refused("izar_to_lorawan", 20, bytes(6)) == "bad_payload"
    assert refused("izar_to_lorawan", 1, bytes(7)) == "bad_port"


# --- Kamstrup ------------------------------------------------------------------------------------

DUE = date(2026, 1, 1)
RECORDS = (
    record(b"\x13", Decimal("7.71"), field=4)
    + record(b"\x13", Decimal("7.5"), field=4, storage=1)
    + record(b"\x6c", DUE, field=2, storage=1)
)


@pytest.mark.parametrize("header", ["78", "7A01000000", "72785634124304010701000000"])
def test_kamstrup_s_records_are_values_each_at_its_date(header):
    now, due = CODECS["kamstrup_flowiq"](1, bytes.fromhex(header) + RECORDS)
    assert now == litres(7710)[0]
    assert due == MeterValue(
        Register("volume", storage=1), Decimal("7.5"), "m3", datetime.fromisoformat("2026-01-01")
    )


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "bad_payload"),
        (b"\x79" + RECORDS, "bad_payload"),
        (b"\x78", "bad_payload"),
        (b"\x78" + RECORDS[:-1] + b"\x04\x13\x01", "bad_payload"),
        (bytes.fromhex("7A01001005") + RECORDS, "encrypted"),
    ],
)
def test_records_that_are_cut_off_or_encrypted_are_refused(payload, reason):
    assert refused("kamstrup_flowiq", 1, payload) == reason


# --- Lobaro --------------------------------------------------------------------------------------


def test_lobaro_sends_a_short_telegram_whole_with_its_time():
    """The vector of the maker's documentation."""
    [frame] = CODECS["lobaro"](101, bytes.fromhex("03005e53f31a0102030405060708090a0b0c0d0e0f"))
    assert frame.data == bytes(range(1, 16))
    assert frame.at == datetime(2020, 2, 24, 16, 0, 26, tzinfo=UTC)


def test_lobaro_s_ports_say_which_part_of_how_many():
    read = CODECS["lobaro"]
    assert read(11, b"x") == [Frame(b"x")]
    assert read(12, b"x") == [Part(first=True, last=False, form="lobaro0", payload=b"x")]
    assert read(22, b"x") == [Part(first=False, last=True, form="lobaro0", payload=b"x")]
    assert read(23, b"x") == [Part(first=False, last=False, form="lobaro0", payload=b"x")]
    assert read(101, b"\x00x") == [Part(first=False, last=False, form="lobaro1", payload=b"x")]
    assert read(1, bytes(7)) == []
    assert {refused("lobaro", port, b"x") for port in (0, 2, 10, 20, 21, 32, 103)} == {"bad_port"}
    assert {refused("lobaro", 101, bytes([flags, 1])) for flags in (3, 4, 255)} == {"bad_payload"}
