"""Compact profiles become the registers they hold (EN 13757-3, annex F; OMS annex G)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.telegram import Value
from decoders.wmbus.profile import expand, is_profile
from decoders.wmbus.records import walk

F_2_7 = "84046D00204111 8B0415003012 8D04951F056901030211"
F_2_8 = "84046D00234111 8B0415163012 8D049513056901110203"
OMS_G_6 = "0C1313100000 026C1F15 0D93130A7AFE5802320314024401"


def told(plain: str) -> list[tuple[str, int, Value]]:
    """Quantity, storage and value of what the profiles were expanded into."""
    records = walk(bytes.fromhex(plain), 0).records
    return [(r.quantity, r.storage, r.value) for r in expand(records) if r not in records]


def test_increments_go_forward_in_time():
    hours = [datetime.fromisoformat(f"2010-01-01 {hour:02}:00") for hour in (1, 2, 3)]
    values = [Decimal("12300.3"), Decimal("12300.5"), Decimal("12301.6")]
    assert told(F_2_7) == [
        entry
        for storage, (value, hour) in enumerate(zip(values, hours, strict=True), 9)
        for entry in (("volume", storage, value), ("datetime", storage, hour))
    ]


def test_an_inverse_profile_goes_back_in_time():
    hours = [datetime.fromisoformat(f"2010-01-01 {hour:02}:00") for hour in (2, 1, 0)]
    values = [Decimal("12300.5"), Decimal("12300.3"), Decimal("12300.0")]
    assert told(F_2_8) == [
        entry
        for storage, (value, hour) in enumerate(zip(values, hours, strict=True), 9)
        for entry in (("volume", storage, value), ("datetime", storage, hour))
    ]


def test_month_ends_stay_month_ends():
    dates = [value for quantity, _, value in told(OMS_G_6) if quantity == "date"]
    assert dates == [date(2008, 4, 30), date(2008, 3, 31), date(2008, 2, 29), date(2008, 1, 31)]


def test_differences_are_taken_from_the_base_value():
    values = [value for quantity, _, value in told(OMS_G_6) if quantity == "volume"]
    assert values == [Decimal("0.755"), Decimal("0.423"), Decimal("0.209"), Decimal("0.065")]


def test_unused_absolute_elements_keep_their_number():
    profile = "8D04EE13 08 32FE 0100 FFFF 0300"
    assert told(f"82046C1F15 {profile}") == [
        ("hca_units", 9, Decimal(1)),
        ("date", 9, date(2008, 4, 30)),
        ("hca_units", 11, Decimal(3)),
        ("date", 11, date(2008, 2, 29)),
    ]


def test_a_void_difference_ends_the_profile():
    assert told("8B0415003012 8D04951F 05690101FF02") == [("volume", 9, Decimal("12300.1"))]


def test_differences_without_a_base_value_say_nothing():
    assert told("8D04951F056901030211") == []


def test_values_without_a_date_or_spacing_have_no_dates():
    assert told("8D04EE13 04 32FE 0100") == [("hca_units", 9, Decimal(1))]
    assert told("82046C1F15 8D04EE13 04 3200 0100") == [("hca_units", 9, Decimal(1))]


def test_elements_stand_where_their_bytes_are():
    records = walk(bytes.fromhex(F_2_7), 100).records
    offsets = [
        record.offset for record in expand(records) if record.quantity == "volume" and record.storage > 8
    ]
    first = 100 + 7 + 6 + 4 + 3
    assert offsets == [first, first + 1, first + 2]


def test_an_element_is_a_further_occurrence_of_a_register_that_is_there():
    records = walk(bytes.fromhex("C4046E05000000 8D04EE13 04 32FE 0100"), 0).records
    assert [(r.storage, r.occurrence) for r in expand(records) if r.quantity == "hca_units"] == [
        (9, 0),
        (9, 1),
    ]


def test_a_profile_without_values_stays_a_record():
    records = walk(bytes.fromhex("8D04EE13 06 32FE FFFFFFFF"), 0).records
    assert expand(records) == records


def test_records_without_profiles_come_back_the_same():
    records = walk(bytes.fromhex("0413E8030000 426C1F15"), 0).records
    assert expand(records) == records


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(max_size=40), vife=st.sampled_from([0x13, 0x1F]), base=st.binary(min_size=4, max_size=4)
)
def test_any_content_expands_without_an_error(content: bytes, vife: int, base: bytes):
    """At most one value and one date for each element, all behind the profile's storage."""
    plain = (
        b"\x84\x04\x13"
        + base
        + b"\x84\x04\x6d"
        + base
        + b"\x8d\x04\x93"
        + bytes((vife, len(content)))
        + content
    )
    records = walk(plain, 0).records
    new = [record for record in expand(records) if record not in records]
    assert len(new) <= 2 * max(len(content) - 2, 0)
    assert all(record.storage > 8 for record in new)
    assert sum(map(is_profile, records)) <= 1
