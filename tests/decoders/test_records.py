"""The walk: order, places, occurrences, tails, faults; never an exception."""

# Meters say their own local time, without a zone.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.errors import CODES, RecordError
from decoders.wmbus.records import Walk, walk
from metering.reading import Function, Register

OMS = bytes.fromhex("2F2F0C1427048502046D32371F1502FD1700002F2F2F2F2F2F2F2F2F2F2F2F2F")
"""Plain text of the gas meter in OMS Vol. 2, annex N.2."""


def hexed(text: str) -> Walk:
    return walk(bytes.fromhex(text), 0)


def test_the_gas_meter_of_the_oms_specification():
    found = walk(OMS, 15)
    assert [(r.offset, r.difvif, r.value, r.unit) for r in found.records] == [
        (17, "0C14", Decimal("28504.27"), "m3"),
        (23, "046D", datetime(2008, 5, 31, 23, 50), ""),
        (29, "02FD17", Decimal(0), ""),
    ]
    assert (found.faults, found.manufacturer_data, found.more_follows) == ((), b"", False)


def test_the_heat_cost_allocator_of_the_oms_specification():
    """Storage 1 holds the due date and the count of that day (OMS Vol. 2, annex N, partial encryption)."""
    records = hexed("2F2F 0B6E341200 426CFE04 4B6E563402 0CFD1078563412").records
    assert [(r.quantity, r.storage, r.value) for r in records] == [
        ("hca_units", 0, Decimal(1234)),
        ("date", 1, date(2007, 4, 30)),
        ("hca_units", 1, Decimal(23456)),
        ("customer_location", 0, "12345678"),
    ]


@pytest.mark.parametrize(
    ("dib", "function", "storage", "tariff", "subunit"),
    [
        ("04", Function.INSTANTANEOUS, 0, 0, 0),
        ("14", Function.MAXIMUM, 0, 0, 0),
        ("24", Function.MINIMUM, 0, 0, 0),
        ("74", Function.ERROR, 1, 0, 0),
        ("8410", Function.INSTANTANEOUS, 0, 1, 0),
        ("8440", Function.INSTANTANEOUS, 0, 0, 1),
        ("C401", Function.INSTANTANEOUS, 3, 0, 0),
        ("84F07F", Function.INSTANTANEOUS, 15 << 5, 15, 3),
        ("C4" + "FF" * 9 + "7F", Function.INSTANTANEOUS, (1 << 41) - 1, (1 << 20) - 1, (1 << 10) - 1),
        ("8400", Function.INSTANTANEOUS, 0, 0, 0),
    ],
)
def test_the_dib_says_function_storage_tariff_and_subunit(dib, function, storage, tariff, subunit):
    (record,) = hexed(dib + "1301000000").records
    assert record.register == Register("volume", function, storage, tariff, subunit)
    assert record.dib == bytes.fromhex(dib)


def test_equal_registers_are_numbered_even_in_other_resolutions():
    records = hexed("0413 01000000 0413 02000000 0214 0300 4413 04000000 0413 05000000").records
    assert [r.occurrence for r in records] == [0, 1, 2, 0, 3]
    assert len({r.register for r in records}) == 5


@pytest.mark.parametrize(
    ("tail", "data", "more"),
    [("0F", "", False), ("0FAABB", "AABB", False), ("1F", "", True), ("1F01", "01", True)],
)
def test_manufacturer_data_end_the_walk(tail, data, more):
    found = hexed("015B16" + tail)
    assert (found.manufacturer_data, found.more_follows) == (bytes.fromhex(data), more)
    assert len(found.records) == 1
    assert found.faults == ()


def test_fillers_may_stand_anywhere_between_records():
    assert [r.offset for r in hexed("2F015B162F2F015B172F").records] == [1, 6]


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("0413", "truncated_record"),
        ("049313", "truncated_record"),
        ("848002", "truncated_record"),
        ("0413010203", "truncated_record"),
        ("0D13", "truncated_record"),
        ("0D130341", "truncated_record"),
        ("047C0541", "truncated_record"),
        ("04FC80", "truncated_record"),
        ("3F1300", "bad_record"),
        ("8F0102", "bad_record"),
        ("0D13FF", "bad_record"),
        ("0D13CA", "bad_record"),
        ("84" + "80" * 10 + "001301000000", "bad_record"),
        ("04" + "93" + "BC" * 10 + "3C" + "01000000", "bad_record"),
    ],
)
def test_a_bad_tail_is_a_fault_and_the_records_before_it_stay(tail, code):
    found = walk(bytes.fromhex("015B16" + tail), 40)
    (fault,) = found.faults
    assert isinstance(fault, RecordError)
    assert fault.code == code
    assert fault.offset == 43
    assert fault.evidence["bytes"] == tail[:32]
    assert [r.value for r in found.records] == [Decimal(22)]


@pytest.mark.parametrize("tail", ["04", "84", "8480", "0493", "04FC", "047C", "3F13", "7F", "8F01", "FFFF"])
def test_one_or_two_bytes_without_a_whole_header_are_left_over(tail):
    found = hexed("015B16" + tail)
    assert (found.leftover, found.faults, len(found.records)) == (bytes.fromhex(tail), (), 1)


@pytest.mark.parametrize("alone", ["04", "FFFF", "2F2F04"])
def test_bytes_without_any_record_before_them_are_a_fault(alone):
    found = hexed(alone)
    assert (found.leftover, len(found.faults)) == (b"", 1)


@given(st.binary(max_size=260), st.integers(0, 40))
@settings(max_examples=500, deadline=None)
def test_any_bytes_walk(plain, offset):
    """Whatever the bytes: no exception, records in order, each made of the bytes where it says it stands."""
    found = walk(plain, offset)
    at = 0
    for record in found.records:
        start = record.offset - offset
        assert set(plain[at:start]) <= {0x2F}
        at = start + len(record.dib + record.vib + record.data)
        assert plain[start:at] == record.dib + record.vib + record.data
    assert all(fault.code in CODES for fault in found.faults)
    assert len({record.register for record in found.records}) == len(found.records)


@given(st.integers(0, len(OMS)))
def test_every_truncation_keeps_the_records_before_it(size):
    whole, part = walk(OMS, 0), walk(OMS[:size], 0)
    assert part.records == whole.records[: len(part.records)]
    complete = sum(r.offset + len(r.dib + r.vib + r.data) <= size for r in whole.records)
    assert len(part.records) == complete


def test_a_compact_profile_is_kept_as_bytes():
    """The hourly profile of EN 13757-3, annex F.2.7."""
    records = hexed("84046D00204111 8B0415003012 8D04951F056901030211").records
    assert [r.storage for r in records] == [8, 8, 8]
    assert records[2].value == bytes.fromhex("6901030211")
    assert records[2].qualifiers == ("compact_profile",)
    assert "profile" in records[2].remark


def test_the_humidity_sensor_puts_its_unit_before_the_correction():
    (record,) = hexed("02FC03485225741522").records
    assert (record.value, record.unit) == (Decimal("87.25"), "%RH")


def test_a_date_of_an_event_is_a_date_whatever_the_vif():
    (record,) = hexed("04BE6A32371F15").records
    assert (record.quantity, record.unit, record.value) == ("volume_flow", "", datetime(2008, 5, 31, 23, 50))
    assert record.qualifiers == ("date_of_first_begin",)
