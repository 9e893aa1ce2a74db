"""The parts payload readers are made of: records out of pieces, and dates as manufacturers pack them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders import DecodeError
from decoders.packed_dates import (
    NO_DATE,
    DayMonth,
    bcd_day,
    bcd_moment,
    day,
    day_month,
    following,
    type_g,
    type_t,
)
from decoders.payload import Piece, numbered_again, standard, thirds, told
from decoders.rows import Table, field, fields_of, payload_of, value
from decoders.wmbus.dates import date_g
from metering.reading import Function, Register

DAYS = st.dates(date(2000, 1, 1), date(2080, 12, 31))
LITRE = Decimal("0.001")


def word(moment: date) -> int:
    """Day in bits 0-4, month in bits 5-8, years since 2000 from bit 9."""
    return moment.day | moment.month << 5 | moment.year - 2000 << 9


# --- records -------------------------------------------------------------------------------------


def test_bytes_in_a_form_of_the_standard_are_read_by_the_standard():
    record = standard("4C13", Piece(bytes.fromhex("78563412"), 20))
    assert (record.value, record.unit, record.offset) == (Decimal("12345.678"), "m3", 20)
    assert record.register == Register("volume", storage=1)
    assert not record.told


def test_a_told_record_has_its_value_and_the_bytes_it_came_from():
    record = told("13", Decimal("0.333333"), Piece(b"\x01", 11), storage=3, function=Function.MAXIMUM)
    assert (record.value, record.unit, record.data, record.offset) == (
        Decimal("0.333333"),
        "m3",
        b"\x01",
        11,
    )
    assert record.register == Register("volume", Function.MAXIMUM, storage=3)
    assert record.told


def test_a_record_that_ends_too_early_is_said_so():
    with pytest.raises(DecodeError) as caught:
        standard("0413", Piece(b"\x01\x02\x03", 30))
    assert (caught.value.code, caught.value.offset) == ("truncated", 33)


def test_a_table_is_cut_by_position():
    piece = Piece(bytes.fromhex("FFFF 3930 FF BF2C"), 40)
    first, second = payload_of(Table(piece, fields_of((2, "0213"), (5, "426C")))).records
    assert (first.value, first.offset) == (Decimal("12.345"), 42)
    assert (second.value, second.offset) == (date(2021, 12, 31), 45)


def test_a_row_may_depend_on_more_than_it_shows():
    total = value("13", lambda data: Decimal(sum(data)), 2, 3, of=(0, 3), storage=1, remark="a sum")
    (record,) = payload_of(Table(Piece(b"\x01\x02\x04", 20), (total,))).records
    assert (record.value, record.data, record.offset, record.storage) == (Decimal(7), b"\x04", 22, 1)
    assert (record.told, record.remark) == (True, "a sum")


def test_a_row_whose_bytes_are_not_all_there_is_truncated():
    with pytest.raises(DecodeError) as caught:
        payload_of(Table(Piece(b"\x01", 30), (field("0213", 0, 2),)))
    assert (caught.value.code, caught.value.offset) == ("truncated", 31)


def test_records_of_one_register_are_counted_across_joined_lists():
    one = told("13", Decimal(1), Piece(b"\x01", 0))
    other = told("13", Decimal(2), Piece(b"\x02", 1), storage=1)
    assert [record.occurrence for record in numbered_again([one, other, one, one])] == [0, 0, 1, 2]


@given(st.integers(0, 0xFFFFFFFF))
def test_whole_litres_of_thirds_are_exact(litres: int):
    assert thirds(3 * litres, LITRE) == litres * LITRE


@given(st.integers(0, 0xFFFFFFFE))
def test_thirds_never_fall_and_stay_within_half_a_millilitre(count: int):
    here, there = thirds(count, LITRE), thirds(count + 1, LITRE)
    assert here < there
    assert abs(here * 3 - count * LITRE) <= Decimal("0.0000015")


@given(st.binary(min_size=1, max_size=4))
def test_numbers_are_read_low_byte_first(data: bytes):
    piece = Piece(data, 0)
    wrap = 1 << 8 * len(data)
    assert piece.unsigned() == sum(byte << 8 * place for place, byte in enumerate(data))
    assert piece.signed() == piece.unsigned() - (wrap if piece.unsigned() >= wrap // 2 else 0)


# --- dates ---------------------------------------------------------------------------------------


@given(DAYS)
def test_a_packed_day_is_the_same_day_as_type_g(moment: date):
    assert date_g(type_t(word(moment))) == (moment, "")


def test_an_empty_date_stays_empty_and_a_month_beyond_december_is_none():
    assert type_t(0) == b"\x00\x00"
    assert type_t(13 << 5 | 1) == type_t(0xFFFF) == NO_DATE
    assert type_g(128, 1, 1) == NO_DATE


def test_years_of_five_bits_ignore_the_bits_above():
    assert date_g(type_t(0xC000 | word(date(2022, 11, 30)), 0x1F))[0] == date(2022, 11, 30)


@given(DAYS, DAYS)
def test_a_day_without_year_is_the_first_after_the_date_before_it(previous: date, current: date):
    """At most a year later; the same day of the year is a whole year later."""
    sent = day_month(current.day << 4 | current.month << 9)
    found = date_g(following(word(previous), sent))[0]
    later = [date(previous.year + years, 1, 1) for years in (0, 1)]
    candidates = [day(year.year - 2000, current.month, current.day) for year in later]
    expected = next((it for it in candidates if it is None or it > previous), None)
    if previous.year < 2080 and expected is not None and sent != DayMonth(2, 29):
        assert found == expected


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.times())
def test_decimal_digits_are_a_moment(day_: date, time_: time):
    moment = datetime.combine(day_, time_.replace(microsecond=0))
    digits = bytes.fromhex(f"{moment:%y%m%d%H%M%S}")
    assert bcd_moment(digits) == moment
    assert bcd_day(digits[:3]) == moment.date()


@pytest.mark.parametrize("digits", ["000000", "250230", "251301", "25AB01", "FFFFFF"])
def test_digits_that_are_no_day_are_none(digits: str):
    assert bcd_day(bytes.fromhex(digits)) is None
    assert bcd_moment(bytes.fromhex(digits + "000000")) is None


def test_digits_that_are_no_time_are_none():
    assert bcd_moment(bytes.fromhex("250601246000")) is None
