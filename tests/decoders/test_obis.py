"""OBIS codes of records, by medium."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.obis import Obis, obis
from decoders.wmbus.records import walk

ROWS = [
    ("16", "0413 01000000", "8-0:1.0.0*255"),
    ("07", "0413 01000000", "8-0:1.0.0*255"),
    ("06", "0413 01000000", "9-0:1.0.0*255"),
    ("16", "4413 01000000", "8-0:1.2.0*255"),
    ("16", "023B 0100", "8-0:2.0.0*255"),
    ("16", "123B 0100", "8-0:2.5.0*255"),
    ("16", "223B 0100", "8-0:2.4.0*255"),
    ("16", "02FB10 0100", "8-0:1.0.0*255"),
    ("15", "025B 0100", "9-0:3.0.0*255"),
    ("04", "0406 01000000", "6-0:1.0.0*255"),
    ("04", "4406 01000000", "6-0:1.2.0*255"),
    ("04", "841006 01000000", "6-0:1.0.1*255"),
    ("04", "04FB00 01000000", "6-0:1.0.0*255"),
    ("0c", "0414 01000000", "6-0:2.0.0*255"),
    ("04", "022B 0100", "6-0:8.0.0*255"),
    ("04", "023B 0100", "6-0:9.0.0*255"),
    ("04", "025A 0100", "6-0:10.0.0*255"),
    ("04", "025E 0100", "6-0:11.0.0*255"),
    ("04", "0262 0100", "6-0:12.0.0*255"),
    ("0a", "0406 01000000", "5-0:1.0.0*255"),
    ("08", "036E 010000", "4-0:1.0.0*255"),
    ("08", "436E 010000", "4-0:1.2.0*255"),
    ("03", "04933A 01000000", "7-0:3.0.0*255"),
    ("03", "0413 01000000", "7-0:3.1.0*255"),
    ("03", "04933E 01000000", "7-0:3.2.0*255"),
    ("03", "023B 0100", "7-0:43.15.0*255"),
    ("02", "0403 01000000", "1-0:1.8.0*255"),
    ("02", "842003 01000000", "1-0:1.8.2*255"),
    ("02", "04833C 01000000", "1-0:2.8.0*255"),
    ("02", "042B 01000000", "1-0:1.7.0*255"),
    ("02", "04AB3C 01000000", "1-0:2.7.0*255"),
    ("02", "04FB02 01000000", "1-0:3.8.0*255"),
    ("02", "04FB823C 01000000", "1-0:4.8.0*255"),
    ("02", "0AFDC8FC01 3902", "1-0:32.7.0*255"),
    ("02", "0AFDC8FC03 3902", "1-0:72.7.0*255"),
    ("02", "0AFDD9FC02 3902", "1-0:51.7.0*255"),
    ("02", "02FB2C 0100", "1-0:14.7.0*255"),
    ("16", "0274 0100", "129-6:0.3.116*255"),
]
"""Device type, record, code: OMS Vol. 2, annex A, and the code lists of DIN EN 13757-1."""

UNCERTAIN = [
    ("16", "426C 1F15", "8-0:0.1.2*255"),
    ("16", "02FD17 0000", "8-0:97.97.0*255"),
    ("04", "0422 01000000", "6-0:96.8.0*255"),
    ("02", "046D 32371F15", "1-0:0.9.1*255"),
    ("02", "026C 1F15", "1-0:0.9.2*255"),
    ("16", "0C78 12345678", "8-0:96.1.0*255"),
]

WITHOUT = [
    ("16", "04933C 01000000"),  # backward volume: no agreed code
    ("16", "840113 01000000"),  # storage 2: due date or month end, the meter knows
    ("16", "844013 01000000"),  # another subunit
    ("1a", "0413 01000000"),
    ("02", "4403 01000000"),
    ("16", "02FF20 0000"),
]


def record(text: str):
    return walk(bytes.fromhex(text), 0).records[0]


@pytest.mark.parametrize(("device_type", "text", "code"), ROWS)
def test_rows_of_the_mapping(device_type, text, code):
    assert obis(record(text), device_type) == Obis(code)


@pytest.mark.parametrize(("device_type", "text", "code"), UNCERTAIN)
def test_rows_that_sources_do_not_agree_upon_are_marked(device_type, text, code):
    assert obis(record(text), device_type) == Obis(code, certain=False)


@pytest.mark.parametrize(("device_type", "text"), WITHOUT)
def test_records_without_a_code(device_type, text):
    assert obis(record(text), device_type) is None


def test_a_second_record_of_a_register_has_no_code():
    first, second = walk(bytes.fromhex("0413 01000000 0413 02000000"), 0).records
    assert (obis(first, "16"), obis(second, "16")) == (Obis("8-0:1.0.0*255"), None)


@given(st.binary(max_size=60), st.sampled_from(["02", "03", "04", "06", "07", "08", "0a", "16", "1f"]))
@settings(max_examples=300, deadline=None)
def test_a_code_is_well_formed(plain, device_type):
    codes = [found.code for one in walk(plain, 0).records if (found := obis(one, device_type))]
    assert all(re.fullmatch(r"\d{1,3}-\d:\d{1,3}\.\d{1,3}\.\d+\*255", code) for code in codes)
