"""Payloads of BFW, GWF, Qundis and Zenner meters, made here from the described layouts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build
from decoders.meaning import fields
from decoders.reading import Understood, read
from decoders.telegram import Value
from decoders.wmbus.dates import encode_g
from metering.meter import MeterId

BFW = MeterId("BFW", "12345678", "02", "08")
GWF = MeterId("GWF", "12345678", "3c", "07")
WATER, HEAT = MeterId("QDS", "12345678", "16", "06"), MeterId("QDS", "12345678", "23", "04")
ALLOCATOR = MeterId("LSE", "12345678", "34", "08")
ZENNER = MeterId("ZRI", "12345678", "0b", "16")
KEY = bytes(range(16))


def records(understood: Understood) -> dict[str, Value]:
    return {record.register.key: record.value for record in understood.telegram.records}


def le(number: int, size: int = 2) -> bytes:
    return (number % (1 << 8 * size)).to_bytes(size, "little")


# --- BFW 240 radio -------------------------------------------------------------------------------

DIGITS = st.integers(0, 0xFFF)


def bfw(current: int, previous: int, months: list[int], today: bytes = b"\x26\x02\x21") -> bytes:
    """Months with the oldest first: three bytes for two values."""
    groups = b"".join(
        bytes((older & 0xFF, (older >> 8) << 4 | newer >> 8, newer & 0xFF))
        for older, newer in zip(months[::2], months[1::2], strict=True)
    )
    head = b"\x2f\x2f\x01\x1f" + previous.to_bytes(2, "big") + current.to_bytes(2, "big") + b"\x14\x70"
    return head + groups + today


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.lists(DIGITS, min_size=18, max_size=18))
def test_eighteen_months_of_twelve_bits(current: int, previous: int, months: list[int]):
    found = read(build(BFW, bfw(current, previous, months)))
    told = fields(found.telegram, found.model)
    assert [told["current_hca"], told["prev_hca"]] == [current, previous]
    assert [told[f"prev_{back:02}_hca"] for back in range(18, 0, -1)] == months
    assert told["device_date"] == "2021-02-26"


def test_another_size_is_an_ordinary_telegram():
    assert records(read(build(BFW, bytes.fromhex("036E 010000")))) == {"hca_units": 1}


# --- GWF -----------------------------------------------------------------------------------------


def gwf(content: str):
    found = read(build(GWF, bytes.fromhex("0413 E8030000 0F" + content)))
    return fields(found.telegram, found.model), found.telegram.faults


@given(st.integers(0, 255), st.binary(max_size=3))
def test_power_and_battery_share_a_byte(state: int, behind: bytes):
    told, faults = gwf(f"01 00 {state:02X}{behind.hex()}")
    assert told["power_mode"] == ("SAVING" if state & 1 else "NORMAL")
    assert told["battery_y"] == Decimal(state >> 3) / 2
    assert faults == ()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("01 00 E3", "OK"),
        ("01 6A E3", "BACKFLOW BATTERY_LOW BROKEN_PIPE CONTINUOUS_FLOW"),
        ("01 85 E3", "MFCT_FLAGS_85"),
        ("02 00 E3", "UNKNOWN_MFCT_STATUS_2"),
    ],
)
def test_faults_have_names(content: str, status: str):
    assert gwf(content)[0]["status"] == status


def test_bytes_of_an_unknown_form_tell_no_battery():
    told, _ = gwf("02 00 E3")
    assert told["battery_y"] is None
    assert "power_mode" not in told


def test_a_known_form_that_is_cut_off_is_a_fault():
    told, faults = gwf("01 00")
    assert told["total_m3"] == 1
    assert [fault.code for fault in faults] == ["truncated"]


# --- Qundis --------------------------------------------------------------------------------------

BCD = st.integers(0, 99_999_999)
STEPS = st.lists(st.integers(-0x7FFF, 0x7FFF), min_size=12, max_size=12)


def block(vif: int, now: int, due: int, month: int, steps: list[int]) -> bytes:
    bcd = [bytes.fromhex(f"{number:08}")[::-1] for number in (now, due, month)]
    dates = encode_g(date(2024, 12, 31)), encode_g(date(2025, 7, 31))
    content = bytes.fromhex("0082 7D 0000 81 00 07 C0") + bytes((vif,)) + b"\xff\xff"
    content += bcd[0] + dates[0] + bcd[1] + dates[1] + bcd[2] + b"".join(map(le, steps)) + b"\x2f"
    return b"\x0d\xff\x5f" + bytes((len(content),)) + content


@settings(max_examples=60, deadline=None)
@given(BCD, BCD, BCD, STEPS)
def test_a_block_of_litres(now: int, due: int, month: int, steps: list[int]):
    told = records(read(build(WATER, block(0x13, now, due, month, steps))))
    del told["manufacturer_specific+manufacturer_5f"]
    litre = Decimal("0.001")
    assert told == {
        "volume": now * litre,
        "date/s1": date(2024, 12, 31),
        "volume/s1": due * litre,
        "date/s17": date(2025, 7, 31),
        "volume/s17": month * litre,
        **{f"volume+per_month/s{back}": step * litre for back, step in enumerate(steps, 2)},
    }


@pytest.mark.parametrize(
    ("vif", "unit", "one"),
    [(0x05, "Wh", 100), (0x06, "Wh", 1000), (0x0D, "J", 100_000), (0x0E, "J", 1_000_000)],
)
def test_the_block_says_what_it_counts(vif: int, unit: str, one: int):
    found = read(build(HEAT, block(vif, 7, 6, 5, [1] * 12)))
    now, _, due, *_ = found.telegram.records[1:]
    assert (now.value, now.unit, due.value) == (7 * one, unit, 6 * one)


def test_a_step_without_data_has_no_value():
    told = records(read(build(WATER, block(0x13, 1, 1, 1, [-0x8000, *range(11)]))))
    assert told["volume+per_month/s2"] is None


def test_heat_cost_allocators_tell_no_steps():
    told = records(read(build(ALLOCATOR, block(0x6E, 7, 6, 5, [1] * 12))))
    assert told["hca_units/s17"] == 5
    assert not any(key.startswith("hca_units+") for key in told)


@pytest.mark.parametrize("vif", [0x00, 0x12, 0x93])
def test_a_scrambled_block_stays_as_it_is(vif: int):
    told = records(read(build(WATER, block(vif, 1, 1, 1, [0] * 12))))
    assert set(told) == {"manufacturer_specific+manufacturer_5f"}


def test_a_block_beside_plain_records_of_the_same_register_is_counted():
    plain = bytes.fromhex("0C13 78563412")
    told = records(read(build(WATER, plain + block(0x13, 7, 6, 5, [1] * 12))))
    assert told["volume"] == Decimal("12345.678")
    assert told["volume#1"] == Decimal("0.007")


# --- Zenner --------------------------------------------------------------------------------------

S32 = st.integers(-0x80000000, 0x7FFFFFFF)


@settings(max_examples=60, deadline=None)
@given(S32, S32, st.integers(0, 0xFFFFFFFF), st.sampled_from([b"", b"\0"]), st.booleans())
def test_counts_are_exact(total: int, target: int, status: int, behind: bytes, sealed: bool):
    payload = b"\x0f" + le(status, 4) + le(target, 4) + le(total, 4) + behind
    frame = (
        build(ZENNER, payload, mode=5, key=KEY) if sealed and len(payload) == 14 else build(ZENNER, payload)
    )
    found = read(frame, lambda _: [KEY])
    told = records(found)
    assert told["volume"] == Decimal(total) / 256_000
    assert told["volume/s1"] == Decimal(target) / 256_000
    name = fields(found.telegram, found.model)["status"]
    assert name == (f"STATUS_{status:X}" if status else "OK")


def test_a_zenner_meter_that_sends_records_is_read_as_such():
    assert records(read(build(ZENNER, bytes.fromhex("0C13 78563412")))) == {"volume": Decimal("12345.678")}
