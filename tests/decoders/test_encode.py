"""Values become records that read back as the same values, or are refused."""

# Meters say their own local time, without a zone.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.wmbus.encode import dib, record
from decoders.wmbus.records import walk
from decoders.wmbus.values import LENGTHS
from decoders.wmbus.vib import meaning
from metering.errors import InvalidValue
from metering.reading import Function

VOLUME, ENERGY, VERSION, DATE, DATETIME = b"\x13", b"\x06", b"\xfd\x0c", b"\x6c", b"\x6d"
PLACES = {
    "function": st.sampled_from(Function),
    "storage": st.integers(0, (1 << 41) - 1) | st.integers(0, 40),
    "tariff": st.integers(0, (1 << 20) - 1) | st.integers(0, 4),
    "subunit": st.integers(0, (1 << 10) - 1) | st.integers(0, 2),
}


def back(data: bytes):
    found = walk(data, 0)
    assert found.faults == ()
    (one,) = found.records
    return one


@pytest.mark.parametrize(
    ("vib", "value", "field", "wire"),
    [
        (b"\x14", Decimal("28504.27"), 0xC, "0C1427048502"),
        (DATETIME, datetime(2008, 5, 31, 23, 50), 4, "046D32371F15"),
        (b"\xfd\x17", Decimal(0), 2, "02FD170000"),
        (DATE, date(2007, 4, 30), 2, "026CFE04"),
        (b"\x6e", Decimal(1234), 0xB, "0B6E341200"),
        (b"\xfd\x10", "12345678", 0xC, "0CFD1078563412"),
    ],
)
def test_records_of_the_oms_specification(vib, value, field, wire):
    assert record(vib, value, field=field).hex().upper() == wire


@given(st.fixed_dictionaries(PLACES))
@settings(max_examples=200, deadline=None)
def test_every_place_goes_there_and_back(places):
    one = back(record(VOLUME, Decimal("1.234"), field=4, **places))
    assert {name: getattr(one, name) for name in places} == places


def test_a_place_takes_as_few_bytes_as_hold_it():
    assert dib(4) == b"\x04"
    assert dib(4, storage=1) == b"\x44"
    assert dib(4, storage=2) == b"\x84\x01"
    assert dib(4, tariff=1, subunit=1) == b"\x84\x50"


@given(
    st.sampled_from(
        [b"\x13", b"\x10", b"\x17", b"\x3b", b"\x06", b"\x22", b"\x49", b"\xfd\x48", b"\x93\x7b"]
    ),
    st.sampled_from([1, 2, 3, 4, 6, 7, 9, 0xA, 0xB, 0xC, 0xD, 0xE]),
    st.integers(-(10**20), 10**20) | st.integers(-200, 200),
)
@settings(max_examples=400, deadline=None)
def test_a_number_reads_back_exactly_or_is_refused(vib, field, raw):
    """Where the raw number fits the field, the very value comes back; refused only where it does not fit."""
    wanted = meaning(vib).scale(raw)
    try:
        data = record(vib, wanted, field=field)
    except InvalidValue:
        assert not _fits(raw, field)
        return
    assert back(data).value == wanted


def _fits(raw: int, field: int) -> bool:
    if field == 0xD:
        return True
    size = LENGTHS[field]
    if field >= 9:
        return -(10 ** (2 * size - 1)) < raw < 10 ** (2 * size)
    return abs(raw) < 1 << 8 * size - 1


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None)
def test_a_real32_reads_back_exactly(number):
    value = Decimal(number)
    assert back(record(b"\x5b", value, field=5)).value == value


def test_a_number_is_judged_in_the_unit_of_the_vif():
    """A tenth of a cubic metre is no binary fraction, but the hundred litres the VIF counts are."""
    assert back(record(VOLUME, Decimal("0.1"), field=5)).value == Decimal("0.1")


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=191))
@settings(max_examples=100, deadline=None)
def test_a_text_reads_back(text):
    assert back(record(VERSION, text, field=0xD)).value == text


@given(st.sampled_from([9, 0xA, 0xB, 0xC, 0xE]), st.data())
@settings(max_examples=100, deadline=None)
def test_an_identification_keeps_every_digit(field, data):
    size = 2 * LENGTHS[field]
    digits = data.draw(st.text("0123456789", min_size=size, max_size=size))
    assert back(record(b"\x78", digits, field=field)).value == digits


@given(st.datetimes(datetime(1981, 1, 1), datetime(2080, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_moments_read_back(moment):
    moment = moment.replace(microsecond=0)
    assert back(record(DATETIME, moment, field=6)).value == moment
    assert back(record(DATETIME, moment.replace(second=0), field=4)).value == moment.replace(second=0)
    assert back(record(DATE, moment.date(), field=2)).value == moment.date()
    assert back(record(DATETIME, moment.time(), field=3)).value == moment.time()


def test_containers_carry_bytes():
    assert back(record(b"\xfd\x3b", b"\x01\x02", field=0xD)).value == b"\x01\x02"
    assert back(record(b"\xfd\x72", b"\x01\x02\x03\x04", field=4)).value == b"\x01\x02\x03\x04"


@pytest.mark.parametrize("field", sorted({*LENGTHS, 0xD}))
def test_no_value_reads_back_as_no_value(field):
    assert back(record(VOLUME, None, field=field)).value is None


@pytest.mark.parametrize("field", [2, 3, 4, 6])
def test_no_moment_reads_back_as_no_value(field):
    assert back(record(DATETIME, None, field=field)).value is None


@pytest.mark.parametrize(
    ("vib", "value", "field"),
    [
        (VOLUME, Decimal("7.7041"), 4),  # finer than a litre
        (VOLUME, Decimal(10**9), 4),
        (VOLUME, Decimal("-2147483.648"), 4),  # the pattern that means invalid
        (VOLUME, Decimal("NaN"), 4),
        (VOLUME, Decimal(1), 0),
        (VOLUME, Decimal(1), 8),
        (b"\x5b", Decimal("0.1"), 5),
        (b"\x5b", Decimal("1e60"), 5),
        (VOLUME, "7.704", 4),
        (VOLUME, b"\x01\x02\x03\x04", 4),
        (VOLUME, date(2024, 1, 1), 2),
        (VOLUME, Decimal(1 << 130), 0xD),
        (b"\xfd\x3a", Decimal(-1), 2),
        (b"\xfd\x3a", Decimal(65535), 2),
        (b"\xfd\x17", None, 2),
        (b"\x78", "123", 0xC),
        (b"\x78", "1234567G", 0xC),
        (b"\x78", "FFFFFFFF", 0xC),
        (b"\x78", Decimal(12345678), 0xC),
        (VERSION, "x" * 192, 0xD),
        (VERSION, "line\nbreak", 0xD),
        (VERSION, "\u20ac", 0xD),
        (DATE, datetime(2024, 1, 1), 2),
        (DATETIME, date(2024, 1, 1), 4),
        (DATETIME, datetime(2024, 1, 1, 1, 1, 1), 4),
        (DATETIME, datetime(2024, 1, 1, tzinfo=UTC), 4),
        (DATETIME, time(1, 2), 7),
        (DATE, date(2081, 1, 1), 2),
        (b"\xfd\x3b", b"\x00" * 192, 0xD),
        (b"\xfd\x72", b"\x00", 4),
        (b"\xfd\x16", "1234", 0xD),
        (b"\x93\x15", Decimal(1), 4),  # the VIB says "no data available"
        (b"\x93", Decimal(1), 4),
        (b"", Decimal(1), 4),
        (b"\x13\x13", Decimal(1), 4),
        (VOLUME, Decimal(1), 0xF),
    ],
)
def test_what_cannot_be_written_exactly_is_refused(vib, value, field):
    with pytest.raises(InvalidValue):
        record(vib, value, field=field)


@pytest.mark.parametrize(
    "place", [{"storage": 1 << 41}, {"tariff": 1 << 20}, {"subunit": 1 << 10}, {"storage": -1}]
)
def test_a_place_that_does_not_fit_is_refused(place):
    with pytest.raises(InvalidValue, match=next(iter(place))):
        record(VOLUME, Decimal(1), field=4, **place)


def test_a_secret_is_not_in_the_refusal():
    with pytest.raises(InvalidValue) as refused:
        record(b"\xfd\x16", "hunter2", field=0xD)
    assert "hunter2" not in str(refused.value)
