"""Payloads of Techem devices, made here from the described layouts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from decoders import DecodeError
from decoders.build import build
from decoders.hooks.mkradio3a import FIRST_MONTH
from decoders.meaning import fields
from decoders.reading import read
from metering.meter import MeterId

COMPACT5 = MeterId("TCH", "12345678", "45", "04")
FHKV = MeterId("TCH", "12345678", "94", "80")
RADIO3 = MeterId("TCH", "12345678", "74", "62")
RADIO3A = MeterId("TCH", "12345678", "50", "72")
RADIO4 = MeterId("TCH", "12345678", "95", "72")
SMOKE = MeterId("TCH", "12345678", "76", "f0")
VARIO = MeterId("TCH", "12345678", "27", "c3")
DAYS = st.dates(date(2001, 1, 1), date(2079, 12, 31))
SIGNED = st.integers(-0x8000, 0x7FFF)


def frame(meter: MeterId, payload: bytes, ci: int = 0xA2) -> bytes:
    head = build(meter, b"", header="none")[1:10]
    return bytes((len(head) + 1 + len(payload),)) + head + bytes((ci,)) + payload


def told(meter: MeterId, payload: bytes, ci: int = 0xA2):
    found = read(frame(meter, payload, ci))
    return fields(found.telegram, found.model)


def le(number: int, size: int = 2) -> bytes:
    return (number % (1 << 8 * size)).to_bytes(size, "little")


def with_year(day: date) -> bytes:
    return le(day.day | day.month << 5 | day.year - 2000 << 9)


def without_year(day: date) -> bytes:
    return le(day.day << 4 | day.month << 9)


# --- heat ----------------------------------------------------------------------------------------


@given(previous=st.integers(0, 0xFFFFFF), current=st.integers(0, 0xFFFFFF), rest=st.binary(max_size=9))
def test_heat_of_both_periods_is_the_total(previous: int, current: int, rest: bytes):
    payload = b"\x10\x9f\x2f" + le(previous, 3) + b"\x60" + le(current, 3) + rest
    assert told(COMPACT5, payload, 0xA1) == {
        "total_kwh": previous + current,
        "current_kwh": current,
        "previous_kwh": previous,
    }


def test_megajoules_become_kilowatt_hours():
    payload = b"\x12\x9f\x25" + le(36000) + b"\0\0" + le(7200)
    assert told(VARIO, payload) == {"total_kwh": 12000, "current_kwh": 2000, "previous_kwh": 10000}


def test_the_exact_energy_stays_in_joules():
    payload = b"\x12\x9f\x25" + le(1) + b"\0\0" + le(0)
    (total, *_) = read(frame(VARIO, payload)).telegram.records
    assert (total.value, total.unit) == (Decimal(1_000_000), "J")


# --- water ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(due=SIGNED, since=SIGNED, previous=DAYS, current=DAYS)
def test_water_since_the_due_date_is_added(due: int, since: int, previous: date, current: date):
    assume((current.month, current.day) != (2, 29))
    payload = b"\x06" + with_year(previous) + le(due) + without_year(current) + le(since) + b"\x03\x04"
    found = told(RADIO3, payload)
    assert found["total_m3"] == Decimal(due + since) / 10
    assert found["target_m3"] == Decimal(due) / 10
    assert found["prev_date"] == previous.isoformat()
    same_year = (current.month, current.day) > (previous.month, previous.day)
    year = previous.year + (0 if same_year else 1)
    assert found["current_date"] == current.replace(year=year).isoformat()


def test_the_inferred_year_is_said():
    payload = b"\x06" + with_year(date(2024, 12, 31)) + le(1) + without_year(date(2025, 3, 1)) + le(2)
    (today,) = [r for r in read(frame(RADIO3, payload)).telegram.records if r.register.key == "date"]
    assert today.remark == "the year is inferred"


def test_radio_4_tells_no_dates():
    assert told(RADIO4, bytes(3) + le(100) + bytes(2) + le(11)) == {
        "total_m3": Decimal("11.1"),
        "target_m3": 10,
    }


HALVES = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=12, max_size=12)


@settings(max_examples=60, deadline=None)
@given(total=st.integers(-0x800000, 0x7FFFFF), moment=DAYS, halves=HALVES)
def test_two_halves_make_a_month(total: int, moment: date, halves: list[tuple[int, int]]):
    """In the first half of a month its only half is the low one; each month before has the next high one."""
    history = b"".join(bytes((0, low, high)) for low, high in halves)
    payload = b"\x0c\x00" + with_year(moment) + le(total, 3) + history + b"\x00"
    records = read(frame(RADIO3A, payload)).telegram.records
    found = {record.register.key: record.value for record in records}
    flat = [part for pair in halves for part in pair]
    if moment.day > 15:
        months = [flat[2 * back] + flat[2 * back + 1] for back in range(12)]
    else:
        shifted = [0, *flat]
        months = [shifted[2 * back] + shifted[2 * back + 1] for back in range(12)]
    assert found["volume"] == Decimal(total) / 10
    assert found["date/s1"] == moment
    assert found["volume+per_month/s1"] == Decimal(months[0]) / 10
    for back, consumption in enumerate(months):
        month = (moment.month - 1 - back) % 12 + 1
        assert found[f"volume+per_month/s{FIRST_MONTH + month}"] == Decimal(consumption) / 10


# --- heat cost allocator, smoke detector ---------------------------------------------------------


@pytest.mark.parametrize(("layout", "gap"), [(0x01, b""), (0x11, b""), (0x0F, b"\x55")])
def test_the_first_byte_says_where_the_temperatures_stand(layout: int, gap: bytes):
    payload = bytes((layout,)) + with_year(date(2024, 12, 31)) + le(900) + without_year(date(2025, 2, 8))
    payload += le(131) + gap + le(2244) + le(-551)
    assert told(FHKV, payload) == {
        "current_hca": 131,
        "current_date": "2025-02-08",
        "previous_hca": 900,
        "previous_date": "2024-12-31",
        "temp_room_c": Decimal("22.44"),
        "temp_radiator_c": Decimal("-5.51"),
    }


def test_day_and_month_nought_are_the_first_of_december():
    payload = b"\x01" + with_year(date(2024, 6, 30)) + le(1) + le(0) + le(2) + le(3) + le(4)
    assert told(FHKV, payload)["current_date"] == "2024-12-01"


@pytest.mark.parametrize(("status", "text"), [(0, "OK"), (1, "SMOKE"), (0x71, "STATUS_71")])
def test_a_smoke_detector_says_its_state(status: int, text: str):
    payload = bytes((status,)) + with_year(date(2024, 12, 31))
    assert told(SMOKE, payload, 0xA0) == {"status": text, "prev_date": "2024-12-31"}


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meter", "ci", "payload", "code"),
    [
        (COMPACT5, 0xA0, bytes(9), "truncated"),
        (VARIO, 0xA2, bytes(8), "truncated"),
        (RADIO3, 0xA2, bytes(8), "truncated"),
        (RADIO4, 0xA2, bytes(8), "truncated"),
        (SMOKE, 0xA0, bytes(2), "truncated"),
        (FHKV, 0xA2, b"\x01" + bytes(10), "truncated"),
        (FHKV, 0xA2, b"\x02" + bytes(20), "manufacturer_specific"),
        (FHKV, 0xA2, b"", "manufacturer_specific"),
        (RADIO3A, 0xA2, bytes(43), "manufacturer_specific"),
        (RADIO3A, 0xA2, bytes(45), "manufacturer_specific"),
        (RADIO3, 0xA7, bytes(30), "manufacturer_specific"),
    ],
)
def test_what_is_not_of_the_form_is_refused(meter: MeterId, ci: int, payload: bytes, code: str):
    with pytest.raises(DecodeError) as caught:
        read(frame(meter, payload, ci))
    assert caught.value.code == code
    assert caught.value.known is not None
    assert caught.value.known.meter == meter
