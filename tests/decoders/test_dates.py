"""Types F, G, I and J: known bytes, wildcards, impossible dates, round trips."""

# Meters say their own local time, without a zone.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.wmbus import dates
from metering.errors import InvalidValue


@pytest.mark.parametrize(
    ("data", "moment", "remark"),
    [
        ("1F15", date(2008, 5, 31), ""),
        ("41A3", date(1982, 3, 1), ""),  # year 82 is 1982
        ("FFFF", None, "no date"),
        ("0015", None, "every day"),
        ("1F1F", None, "every month"),
        ("E1F1", None, "every year"),
        ("0000", None, "no such date"),
        ("1E12", None, "no such date"),  # 30 February
        ("A1C1", None, "no such date"),  # year 101
        ("32371F15", datetime(2008, 5, 31, 23, 50), ""),
        ("32171F15", datetime(2008, 5, 31, 23, 50), ""),  # hundred-year 0 of old devices
        ("32B71F15", datetime(2008, 5, 31, 23, 50), "summer time"),
        ("32571F15", datetime(2108, 5, 31, 23, 50), ""),
        ("A115E917", None, "invalid"),
        ("3F371F15", None, "every minute"),
        ("323F1F15", None, "every hour"),
        ("3C371F15", None, "no such time"),
        ("320000FF", None, "every day, every month"),
        ("0F1E111E1200", None, "no such time"),  # 30 February
        ("051E17051500", datetime(2008, 5, 5, 23, 30, 5), ""),
        ("451E17051500", datetime(2008, 5, 5, 23, 30, 5), "summer time"),
        ("059E17051500", None, "invalid"),
        ("051E17000000", None, "not specified"),
        ("3F1E17051500", None, "every second"),
        ("051E17", time(23, 30, 5), ""),
        ("3F1E17", None, "every second"),
        ("3C1E17", None, "no such time"),
    ],
)
def test_known_bytes(data, moment, remark):
    raw = bytes.fromhex(data)
    found, said = dates.READERS[len(raw)](raw)
    assert found == moment
    assert remark in said
    assert bool(said) == bool(remark)


@given(st.sampled_from(sorted(dates.READERS)), st.binary(min_size=6, max_size=6))
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_a_moment_or_a_remark(size, data):
    moment, remark = dates.READERS[size](data[:size])
    assert moment is not None or remark
    assert getattr(moment, "tzinfo", None) is None


@given(st.dates(date(1981, 1, 1), date(2080, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_g_goes_there_and_back(day):
    assert dates.date_g(dates.encode_g(day)) == (day, "")


@given(st.datetimes(datetime(1981, 1, 1), datetime(2299, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_f_goes_there_and_back_to_the_minute(moment):
    moment = moment.replace(second=0, microsecond=0)
    assert dates.datetime_f(dates.encode_f(moment)) == (moment, "")


@given(st.datetimes(datetime(1981, 1, 1), datetime(2080, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_i_and_j_go_there_and_back_to_the_second(moment):
    moment = moment.replace(microsecond=0)
    assert dates.datetime_i(dates.encode_i(moment)) == (moment, "")
    assert dates.time_j(dates.encode_j(moment.time())) == (moment.time(), "")


@pytest.mark.parametrize(
    ("write", "moment"),
    [
        (dates.encode_g, date(1980, 12, 31)),
        (dates.encode_g, date(2081, 1, 1)),
        (dates.encode_f, datetime(2300, 1, 1)),
        (dates.encode_f, datetime(2024, 1, 1, 0, 0, 1)),
        (dates.encode_i, datetime(2081, 1, 1)),
        (dates.encode_i, datetime(2024, 1, 1) + timedelta(microseconds=1)),
        (dates.encode_j, time(1, 2, 3, 4)),
    ],
)
def test_what_a_type_cannot_say_is_refused(write, moment):
    with pytest.raises(InvalidValue):
        write(moment)
