"""Payloads of BMeters devices, made here from the described layouts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError
from decoders.build import build
from decoders.hooks.hydrodigit import FIRST_MONTH
from decoders.hooks.rfmtx1 import hidden
from decoders.meaning import fields
from decoders.reading import Understood, read
from decoders.telegram import Value
from metering.meter import MeterId

HYDRODIGIT = MeterId("BMT", "12345678", "15", "07")
HYDROCLIMA = MeterId("BMP", "12345678", "85", "08")
RFMTX1 = MeterId("BMT", "12345678", "05", "07")
TOTAL = bytes.fromhex("0C13 78563412")
U24, U32 = st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFFFF)
S16 = st.integers(-0x8000, 0x7FFF)


def records(understood: Understood) -> dict[str, Value]:
    return {record.register.key: record.value for record in understood.telegram.records}


def le(number: int, size: int = 2) -> bytes:
    return (number % (1 << 8 * size)).to_bytes(size, "little")


# --- Hydrodigit ----------------------------------------------------------------------------------


def hydrodigit(content: bytes, total: bytes = TOTAL) -> Understood:
    return read(build(HYDRODIGIT, total + b"\x0f" + content))


PARTS: dict[int, bytes] = {
    0x01: b"\x0b",
    0x02: bytes.fromhex("40 23 AB 17"),
    0x80: bytes.fromhex("24 11 05"),
    0x04: le(7896, 4),
    0x10: b"".join(le(1000 * month, 3) for month in range(1, 13)),
}
"""Mask bit -> a part, in the order parts are sent."""
TOLD: dict[int, dict[str, Value]] = {
    0x01: {"voltage": Decimal("3.2")},
    0x02: {
        "date+manufacturer_02": date(2023, 11, 17),
        "manufacturer_specific+manufacturer_02": Decimal(0x40),
    },
    0x80: {"date+manufacturer_03": date(2024, 11, 5)},
    0x04: {"volume+backward": Decimal("7.896")},
    0x10: {f"volume/s{FIRST_MONTH + month}": Decimal(10 * month) for month in range(1, 13)},
}


@given(st.sets(st.sampled_from(sorted(PARTS))), st.binary(max_size=6), st.sampled_from([0, 0x08, 0x20, 0x40]))
def test_the_mask_says_which_parts_follow(chosen: set[int], behind: bytes, ignored: int):
    mask = sum(chosen) | ignored
    found = hydrodigit(bytes((mask,)) + b"".join(PARTS[bit] for bit in PARTS if bit in chosen) + behind)
    told = records(found)
    assert told.pop("volume") == Decimal("12345.678")
    told.pop("manufacturer_specific+manufacturer_01")
    assert told == {key: value for bit in chosen for key, value in TOLD[bit].items()}
    assert found.telegram.faults == ()


def test_a_part_that_is_cut_off_is_a_fault_beside_what_was_read():
    found = hydrodigit(b"\x05\x0b\x01\x02\x03")
    assert records(found)["voltage"] == Decimal("3.2")
    assert [fault.code for fault in found.telegram.faults] == ["truncated"]


@pytest.mark.parametrize(("vif", "unit"), [("13", "0.01"), ("14", "0.1"), ("15", "1"), ("16", "10")])
def test_months_count_ten_times_what_the_total_counts(vif: str, unit: str):
    found = hydrodigit(b"\x10" + PARTS[0x10], bytes.fromhex(f"0C{vif} 78563412"))
    assert records(found)[f"volume/s{FIRST_MONTH + 1}"] == 1000 * Decimal(unit)


def test_an_empty_month_has_no_value():
    empty = b"\x10" + b"\xff" * 3 + le(9_999_999, 3) + le(10_000_000, 3) + bytes(27)
    told = records(hydrodigit(empty))
    months = [told[f"volume/s{FIRST_MONTH + month}"] for month in (1, 2, 3, 4)]
    assert months == [None, Decimal("99999.99"), None, 0]


@pytest.mark.parametrize(
    ("nibble", "volt"), [(0, "3.7"), (1, "1.9"), (7, "2.65"), (0xA, "3.05"), (0xD, "3.5"), (0xF, "3.7")]
)
def test_the_battery_has_steps(nibble: int, volt: str):
    assert records(hydrodigit(bytes((0x01, 0xE0 | nibble))))["voltage"] == Decimal(volt)


# --- Hydroclima ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(S16, min_size=22, max_size=22), st.integers(-0x7FFFFF, 0x7FFFFF))
def test_the_long_layout(words: list[int], total: int):
    content = b"\x11" + b"".join(map(le, words))[:43] + le(total, 3)
    found = read(build(HYDROCLIMA, bytes.fromhex("036E 010000") + b"\x0f" + content))
    told = fields(found.telegram, found.model)
    assert told["total_consumption_hca"] == total
    assert told["consumption_at_set_date_1_hca"] == (words[10] if words[10] != -0x8000 else None)
    for name, place in (("average_heater_temperature_c", 4), ("max_ambient_temperature_c", 6)):
        assert told[name] == (Decimal(words[place]).scaleb(-2) if words[place] != -0x8000 else None)


def test_the_short_layout():
    content = b"\x10" + le(5) + bytes(4) + le(1866) + le(4751) + bytes(4) + le(1578) + le(-47) + bytes(2)
    found = read(build(HYDROCLIMA, bytes.fromhex("036E 010000") + b"\x0f" + content + le(33, 3)))
    told = fields(found.telegram, found.model)
    assert told["average_heater_temperature_last_month_c"] == Decimal("-0.47")
    assert told["total_consumption_hca"] == 33
    assert told["status"] == "ERROR_FLAGS_5"


@pytest.mark.parametrize("content", ["", "12", "10 0000", "11" + "00" * 45, "10" + "00" * 46])
def test_another_layout_leaves_the_records_as_they_are(content: str):
    found = read(build(HYDROCLIMA, bytes.fromhex("036E 010000 0F" + content)))
    assert records(found) == {"hca_units": 1}
    assert found.telegram.faults == ()


# --- RFM-TX1 -------------------------------------------------------------------------------------


def rfmtx1(number: int, access: int, clock: bytes, *, mode: str = "0610", size: int = 20) -> bytes:
    total = bytes(hidden(bytes.fromhex(f"{number:08}")[::-1], access))
    body = b"\x11\x15" + total + bytes(7) + clock + bytes(5)
    head = build(RFMTX1, b"", header="none")[1:10]
    frame = head + bytes.fromhex(f"7A {access:02X} 00 {mode}") + body[:size]
    return bytes((len(frame),)) + frame


CLOCK = bytes.fromhex("59 04 10 31 03 24")


@given(number=st.integers(0, 99_999_999), access=st.integers(0, 255))
def test_the_total_is_found_behind_every_access_number(number: int, access: int):
    found = read(rfmtx1(number, access, CLOCK))
    assert records(found) == {
        "volume": Decimal(number).scaleb(-3),
        "datetime": datetime(2024, 3, 31, 10, 4, 59),  # noqa: DTZ001  the meter's local time
    }


def test_rows_that_were_never_confirmed_are_marked():
    seen, unseen = (read(rfmtx1(1, access, CLOCK)).telegram.records[0].remark for access in (0xA5, 0xA6))
    assert (seen, unseen) == ("", "by observation, not proved")


def test_digits_that_are_none_are_refused():
    frame = bytearray(rfmtx1(1, 0xA5, CLOCK))
    frame[17] ^= 0x0F
    with pytest.raises(DecodeError) as caught:
        read(bytes(frame))
    assert caught.value.code == "manufacturer_specific"


def test_a_clock_that_is_none_has_no_value():
    assert records(read(rfmtx1(1, 0xA5, b"\xff" * 6)))["datetime"] is None


def test_a_frame_too_short_for_the_clock_is_truncated():
    with pytest.raises(DecodeError) as caught:
        read(rfmtx1(1, 0xA5, CLOCK, size=18))
    assert caught.value.code == "truncated"


def test_without_the_odd_mode_the_form_must_fit_in_full():
    assert records(read(rfmtx1(1, 0xA5, CLOCK, mode="0000")))["volume"] == Decimal("0.001")
    plain = read(build(RFMTX1, bytes.fromhex("0C13 78563412")))
    assert records(plain) == {"volume": Decimal("12345.678")}
