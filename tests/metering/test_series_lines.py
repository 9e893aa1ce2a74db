"""Readings as points: exact numbers, and line protocol that says what it should."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.reading import Provenance, Quality, Reading, Register, Way, exact
from metering.store.series.address import Access, check_url
from metering.store.series.lines import (
    FULL,
    NUMBERS,
    Point,
    from_microseconds,
    line_of,
    microseconds,
    points_of,
    scaled,
    unscaled,
)

READING = Reading(
    MeterId("KAM", "76348799", "1b", "16"),
    Register("volume"),
    Decimal("7.7"),
    "m3",
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC),
    Way.RADIO,
    Quality.RAW,
    Provenance(5, "roof", "kamstrup-mc21", "1"),
)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None).map(exact))
@settings(max_examples=500, deadline=None)
def test_a_number_that_fits_comes_back_as_it_was(value):
    for most in (2**63 - 1, 2**53):
        if (whole_scale := scaled(value, most)) is not None:
            whole, scale = whole_scale
            assert abs(whole) <= most
            assert exact(unscaled(whole, scale)) == value


@given(st.integers(-(2**53), 2**53), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_every_index_of_53_bits_fits_whatever_its_decimals(whole, places):
    value = exact(Decimal(whole).scaleb(-places))
    assert scaled(value, 2**53) is not None
    assert float(scaled(value, 2**53)[0]) == scaled(value, 2**53)[0]


def test_usual_values_share_one_scale_and_large_or_fine_ones_have_their_own():
    assert scaled(Decimal("7.7"), 2**63) == (7_700_000, 6)
    assert scaled(Decimal(99_999_999), 2**53) == (99_999_999_000_000, 6)
    assert scaled(Decimal("0.00000001"), 2**53) == (1, 8)
    assert scaled(Decimal(2**53), 2**53) == (2**53, 0)
    assert scaled(Decimal("9" * 40), 2**63 - 1) is None
    assert scaled(Decimal("1e-30").normalize(), 2**63 - 1) == (1, 30)


def test_a_line_says_everything_of_a_reading():
    assert line_of(Point(READING, 0), FULL) == (
        "reading,meter=KAM-76348799-1b-16,register=volume,unit=m3"
        " scaled=7700000i,scale=6i,value=7.7,received=1772366403000000i,telegram=5i,"
        'way="radio",quality="2.0.0",gateway="roof",model="kamstrup-mc21",decoder="1" 1772366400000000'
    )


def test_a_line_for_numbers_alone_has_no_texts():
    line = line_of(Point(replace(READING, unit=""), 2), NUMBERS)
    assert line == (
        "reading,meter=KAM-76348799-1b-16,nth=2,register=volume"
        " scaled=7700000i,scale=6i,value=7.7 1772366400000000"
    )


def test_a_number_too_long_for_64_bits_is_written_as_text():
    line = line_of(Point(replace(READING, value=Decimal("9" * 40)), 0), FULL)
    assert f'scaled=0i,scale=-1i,value=1e+40,received=1772366403000000i,telegram=5i,text="{"9" * 40}"' in line


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_out_of_its_field(text):
    one = replace(READING, provenance=Provenance(None, text, text, text))
    line = line_of(Point(one, 0), FULL)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line, flags=re.DOTALL)
    assert outside.count(" ") == 2
    assert outside.endswith("way=,quality=,gateway=,model=,decoder= 1772366400000000")


def test_values_of_one_time_are_numbered_by_value_within_their_unit():
    two, ten, flow = (replace(READING, value=Decimal(value)) for value in ("2", "10", "5"))
    flow = replace(flow, unit="m3/h")
    later = replace(READING, measured_at=READING.measured_at + timedelta(microseconds=1))
    numbered = {(point.reading.value, point.nth) for point in points_of([ten, flow, later, two])}
    assert numbered == {(Decimal(2), 0), (Decimal(10), 1), (Decimal(5), 0), (Decimal("7.7"), 0)}


@given(st.integers(-(2**52), 2**52))
@settings(max_examples=200, deadline=None)
def test_times_are_exact_to_the_microsecond(number):
    assert microseconds(from_microseconds(number)) == number


@pytest.mark.parametrize(
    "url", ["localhost:8086", "ftp://a", "http://", "http://u:p@h:8086", "http://h?u=1", "http://h#x"]
)
def test_an_address_that_is_none_or_holds_a_login_is_refused_without_repeating_it(url):
    with pytest.raises(InvalidValue) as told:
        check_url(url)
    assert "u:p" not in str(told.value)


def test_a_secret_is_not_shown():
    assert "geheim" not in repr(Access("http://h:1", secret="geheim"))
