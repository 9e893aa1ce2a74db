"""Payloads of Apator meters, made here from the described layouts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, SecurityError, decode
from decoders.build import build
from decoders.models import models
from decoders.reading import Understood, read
from decoders.wmbus.ciphers import cbc_iv, encrypt_cbc
from metering.meter import MeterId

KEY = bytes(range(16))
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  the meter's local time
AT08 = MeterId("APT", "12345678", "03", "03")
AT16 = MeterId("APA", "11223344", "05", "07")
AT17 = MeterId("APT", "12345678", "04", "11")
EITN = MeterId("APT", "88776655", "04", "08")
NA1 = MeterId("APA", "66778899", "14", "07")


def manufacturer(meter: MeterId, ci: int, payload: bytes) -> bytes:
    """A frame with a manufacturer's CI field: L, C, M, A, CI, payload."""
    head = build(meter, b"", header="none")[1:10]
    return bytes((len(head) + 1 + len(payload),)) + head + bytes((ci,)) + payload


def values(understood: Understood) -> dict[str, object]:
    return {record.register.key: record.value for record in understood.telegram.records}


# --- thirds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("meter", "unit"), [(AT08, Decimal("0.001")), (AT17, Decimal(1))])
@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 0xFFFFFFFF), rest=st.binary(max_size=12))
def test_a_count_of_thirds_is_the_total(meter: MeterId, unit: Decimal, count: int, rest: bytes):
    found = read(manufacturer(meter, 0xA0, count.to_bytes(4, "little") + rest))
    total = values(found)["volume"]
    assert isinstance(total, Decimal)
    assert abs(total - count * unit / 3) <= Decimal("0.0000005")


def test_a_payload_of_three_bytes_is_too_short():
    with pytest.raises(DecodeError) as caught:
        read(manufacturer(AT08, 0xA0, b"\x01\x02\x03"))
    assert caught.value.code == "truncated"
    assert caught.value.known is not None


# --- AT-WMBUS-16-2 -------------------------------------------------------------------------------


def registers(*parts: str) -> bytes:
    """Marker, header, registers, padding up to whole AES blocks, checksum."""
    body = bytes.fromhex("80 C84A02930802FF" + "".join(parts))
    return body + b"\xff" * (-(len(body) + 4) % 16) + b"\x12\x34"


PAYLOAD = registers("43 9001", "10 40E20100", "71 00 C0D40100 B0AD0100")


def test_the_total_stands_behind_its_tag_and_the_rest_by_observation():
    found = read(build(AT16, PAYLOAD, mode=5, key=KEY), lambda _: [KEY])
    assert values(found) == {
        "operating_time+manufacturer_43": Decimal(400 * 86400),
        "volume": Decimal("123.456"),
        "volume+manufacturer_71/s1": Decimal("120.000"),
        "volume+manufacturer_71/s2": Decimal("110.000"),
    }
    assert "not proved" in found.telegram.records[2].remark
    assert not found.telegram.records[1].remark


def test_a_payload_that_is_read_to_its_end_proves_the_key():
    """An ordinary walk gives no sense: without the model nothing would prove the key."""
    frame = build(AT16, PAYLOAD, mode=5, key=KEY)
    with pytest.raises(DecodeError):
        decode(frame, lambda _: [KEY])
    security = read(frame, lambda _: [KEY]).telegram.security
    assert security.encrypted
    assert security.verified


def test_an_unknown_tag_proves_no_key():
    with pytest.raises(DecodeError):
        read(build(AT16, registers("10 40E20100", "EE 0000 3F"), mode=5, key=KEY), lambda _: [KEY])


def test_an_unknown_tag_ends_the_registers_of_a_telegram_that_came_decrypted():
    found = read(build(AT16, registers("10 40E20100", "EE 10 01000000 3F"), mode=0))
    assert values(found) == {"volume": Decimal("123.456")}
    assert not found.telegram.security.verified


@pytest.mark.parametrize("keys", [[], [bytes(16)]])
def test_a_missing_or_wrong_key_is_not_covered_up(keys: list[bytes]):
    with pytest.raises(SecurityError):
        read(build(AT16, PAYLOAD, mode=5, key=KEY), lambda _: keys)


def test_ordinary_records_of_such_a_meter_are_read_as_such():
    """Even where one of their bytes looks like the tag of a total."""
    records = bytes.fromhex("0C13 78563412 0413 10000000 01FD17 00 01FD17 00")
    assert values(read(build(AT16, records)))["volume"] == Decimal("12345.678")
    assert values(read(build(AT16, records[:6]))) == {"volume": Decimal("12345.678")}


# --- E-ITN ---------------------------------------------------------------------------------------

CORE = bytes.fromhex("41 0000 0903 6E2A 3700 7E2D 8015 4014")


@pytest.mark.parametrize(
    ("ci", "before"),
    [
        (0xA0, ""),
        (0xA0, "A0"),
        (0xB6, "00 11 A0"),
        (0xB6, "03 112233 44 A0"),
        (0xB6, "0F" + "00" * 16 + "A0"),
    ],
)
def test_the_core_is_found_behind_what_may_stand_before_it(ci: int, before: str):
    lead = bytes.fromhex(before)
    if lead and lead != b"\xa0" and len(lead) != lead[0] + 2:
        lead = lead[:-2] + lead[-1:]
    told = values(read(manufacturer(EITN, ci, lead + CORE)))
    assert told["hca_units"] == 55
    assert told["hca_units/s1"] == 777
    assert told["date/s1"] == date(2016, 2, 1)
    assert told["external_temperature"] == Decimal("20.25")
    assert told["external_temperature/s1"] == Decimal("21.5")


def test_an_unbroken_seal_has_no_date():
    whole = CORE[:5] + b"\0\0" + CORE[7:]
    told = values(read(manufacturer(EITN, 0xA0, whole)))
    assert told["error_flags"] == 0
    assert told["date:error"] is None


@pytest.mark.parametrize("payload", [b"", CORE[:-1], b"\x01" + CORE, b"\x05\x00" + CORE])
def test_other_lengths_are_refused_as_manufacturer_specific(payload: bytes):
    with pytest.raises(DecodeError) as caught:
        read(manufacturer(EITN, 0xB6, payload))
    assert caught.value.code == "manufacturer_specific"


# --- NA-1 ----------------------------------------------------------------------------------------


def na1(  # noqa: PLR0917  what the meter sends
    count: int, difference: int, hours: int, seconds: int, exponent: int = 0, states: bytes = b"\0\0"
) -> bytes:
    word = (count >> 4) << 8 | exponent << 4 | count & 0x0F
    clear = b"\x2f" + word.to_bytes(4, "little") + seconds.to_bytes(4, "little")
    clear += bytes((hours & 0xFF, (hours >> 8) << 2 | difference & 3))
    clear += (difference >> 2).to_bytes(3, "little") + states
    head = manufacturer(NA1, 0xA0, b"\x5a\x21")
    iv = cbc_iv(head[2:10], 0x5A)
    return manufacturer(NA1, 0xA0, b"\x5a\x21" + encrypt_cbc(KEY, iv, clear))


@settings(max_examples=100, deadline=None)
@given(
    count=st.integers(0, (1 << 28) - 1),
    back=st.integers(0, (1 << 26) - 1),
    hours=st.integers(0, (1 << 14) - 1),
    seconds=st.integers(0, (1 << 32) - 1),
    exponent=st.integers(0, 3),
)
def test_total_and_older_index_come_out_of_the_block(
    count: int, back: int, hours: int, seconds: int, exponent: int
):
    back = min(back, count)
    found = read(na1(count, back, hours, seconds, exponent), lambda _: [KEY])
    told = values(found)
    unit = Decimal("0.001").scaleb(exponent)
    assert told["volume"] == count * unit
    assert told["volume/s1"] == (count - back) * unit
    assert told["datetime"] == EPOCH + timedelta(seconds=seconds)
    assert told["datetime/s1"] == EPOCH + timedelta(seconds=seconds, hours=-hours)
    assert told["actuality_duration/s1"] == 3600 * hours
    assert found.telegram.security.encrypted
    assert not found.telegram.security.verified  # one byte is too weak a proof


@pytest.mark.parametrize(
    ("keys", "code"), [([], "missing_key"), ([bytes(16)], "wrong_key"), ([b"short"], "bad_key")]
)
def test_without_the_right_key_it_is_said_which_is_wrong(keys: list[bytes], code: str):
    with pytest.raises(SecurityError) as caught:
        read(na1(500_123, 1234, 300, 800_000_000), lambda _: keys)
    assert caught.value.code == code
    assert caught.value.known is not None
    assert caught.value.known.meter == NA1
    assert KEY.hex() not in repr(caught.value.evidence)


def test_of_several_keys_the_one_that_gives_sense_is_taken():
    told = values(read(na1(500_123, 1234, 300, 800_000_000), lambda _: [bytes(16), KEY]))
    assert told["volume"] == Decimal("500.123")


def test_another_length_is_refused():
    with pytest.raises(DecodeError) as caught:
        read(manufacturer(NA1, 0xA0, bytes(19)), lambda _: [KEY])
    assert caught.value.code == "manufacturer_specific"


def test_the_model_tells_the_three_states_apart():
    states = bytes((0x81, 0x01))
    found = read(na1(10, 1, 1, 1, states=states), lambda _: [KEY])
    flags = {field.name for field in models()["apatorna1"].fields if field.flags}
    assert flags == {"frame_status", "current_status", "historic_status"}
    assert values(found)["error_flags"] == 0x81
    assert values(found)["error_flags/s1"] == 0x01
