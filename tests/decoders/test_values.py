"""Data fields: integers, BCD, real32, texts, and the patterns that mean "no value"."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.wmbus.records import walk
from decoders.wmbus.values import LENGTHS, VARIABLE, Scale, reader, variable_length
from decoders.wmbus.vif import WIDE, Kind


def read(record: str):
    """Value and remark of one record given in hex."""
    (found,) = walk(bytes.fromhex(record), 0).records
    return found.value, found.remark


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("01 5B 16", "22"),
        ("02 59 D8FF", "-0.40"),
        ("03 13 181E00", "7.704"),
        ("04 13 181E0000", "7.704"),
        ("06 13 181E00000000", "7.704"),
        ("07 13 181E000000000000", "7.704"),
        ("05 5B 0000AC41", "21.5"),
        ("05 13 00000000", "0.000"),
        ("09 5B 21", "21"),
        ("0A 5A 2102", "22.1"),
        ("0B 26 410200", "867600"),  # 241 hours in seconds
        ("0C 14 27048502", "28504.27"),
        ("0E 13 563412907856", "567890123.456"),
        ("0B 5A 4000F0", "-4.0"),
        ("0A 5B 23F1", "-123"),
        ("02 FD17 FFFF", "65535"),
        ("02 FD3A FEFF", "65534"),
        ("01 FD71 BA", "-70"),
        ("02 FD48 0C80", "-3275.6"),
        ("02 93FC11 FEFF", "65.534"),
        ("02 93FC12 FFFF", "65.535"),
    ],
)
def test_numbers_are_exact(record, value):
    found, remark = read(record)
    assert isinstance(found, Decimal)
    assert found == Decimal(value)
    assert remark == ""


def test_the_scale_of_the_meter_is_kept():
    assert str(read("04 13 40420F00")[0]) == "1000.000"
    assert str(read("04 06 23000000")[0]) == "35000"


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("01 5B 80", "most negative"),
        ("02 13 0080", "most negative"),
        ("04 13 00000080", "most negative"),
        ("07 13 0000000000000080", "most negative"),
        ("02 FD3A FFFF", "all bits set"),
        ("01 FD74 FF", "all bits set"),
        ("05 5B 0000C07F", "not a number"),
        ("05 5B 0000807F", "not a number"),
        ("0C 13 FFFFFFFF", "all digits F"),
        ("0C 13 0A000000", "0000000A"),
        ("0C 13 BDEBDDDD", "DDDDEBBD"),
        ("0A 5B 23EF", "EF23"),
        ("0C 78 FFFFFFFF", "all digits F"),
        ("00 13", "no data"),
        ("08 13", "selection"),
        ("0D 13 E0", "no data"),
        ("0D FD16 04 31323334", "secret"),
        ("04 FD19 31323334", "secret"),
    ],
)
def test_a_pattern_that_means_no_value_gives_none_and_says_why(record, why):
    value, remark = read(record)
    assert value is None
    assert why in remark


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("0C 78 07000000", "00000007"),
        ("0E 78 9986012401FF", "FF0124018699"),
        ("0C FD10 78563412", "12345678"),
        ("0D FD11 05 6F6C6C6148", "Hallo"),
        ("0D FD11 04 72FC4D00", "Mür"),
        ("0D 78 C4 78563412", "12345678"),
        ("0D FD0C 00", ""),
    ],
)
def test_identifications_are_text_with_their_leading_zeros(record, value):
    assert read(record) == (value, "")


def test_a_binary_identification_is_a_number():
    assert read("04 78 15CD5B07") == (Decimal(123456789), "")


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("0D 13 C3 563412", "123.456"),
        ("0D 13 D3 563412", "-123.456"),
        ("0D 13 E1 FF", "-0.001"),
        ("0D FD3A E1 FE", "254"),
        ("0D 13 E9 000000000000000001", str(2**64) + "E-3"),
        ("0D 5B F8 0000AC41", "21.5"),
    ],
)
def test_variable_length_numbers(record, value):
    assert read(record)[0] == Decimal(value)


@pytest.mark.parametrize(
    ("record", "value", "why"),
    [
        ("0D FD3B 03 010203", "010203", ""),
        ("0D FD76 02 4142", "4142", ""),
        ("0D FD11 03 414201", "414201", "not printable"),
        ("0D 6D E5 0102030405", "0102030405", "not taken apart"),
        ("05 6D 01020304", "01020304", "not a date form"),
        ("04 FD72 01020304", "01020304", ""),
        ("0D 13 F0 000102030405060708090A0B0C0D0E0F", "000102030405060708090A0B0C0D0E0F", "large binary"),
    ],
)
def test_what_is_not_taken_apart_stays_bytes(record, value, why):
    found, remark = read(record)
    assert found == bytes.fromhex(value)
    assert why in remark


@pytest.mark.parametrize(
    ("lvar", "length"),
    [
        (0x00, 0),
        (0xBF, 191),
        (0xC0, 0),
        (0xC9, 9),
        (0xCA, None),
        (0xD9, 9),
        (0xDA, None),
        (0xE0, 0),
        (0xEF, 15),
        (0xF0, 16),
        (0xF4, 32),
        (0xF5, 48),
        (0xF6, 64),
        (0xF7, None),
        (0xF8, 4),
        (0xFF, None),
    ],
)
def test_the_lvar_byte_says_how_long(lvar, length):
    assert variable_length(lvar) == length


def test_a_real32_is_not_rounded():
    """The smallest float, 2^-149, has 105 decimal digits; all of them are there."""
    value, _ = read("05 5B 01000000")
    assert len(value.as_tuple().digits) == 105
    assert WIDE.multiply(value, 2**149) == 1


@given(st.sampled_from(sorted(LENGTHS)), st.sampled_from(Kind), st.binary(min_size=8, max_size=8))
@settings(max_examples=300, deadline=None)
def test_every_pattern_of_every_fixed_field_reads(field, kind, data):
    """A reader gives a value or a remark for any bytes of its length, and never a float."""
    value, remark = reader(field, kind, Scale(Decimal("0.001")))(data[: LENGTHS[field]])
    assert value is not None or remark
    assert not isinstance(value, float)


@given(st.sampled_from(Kind), st.integers(0, 255), st.data())
@settings(max_examples=300, deadline=None)
def test_every_pattern_of_every_variable_field_reads(kind, lvar, data):
    length = variable_length(lvar)
    if length is None:
        return
    content = data.draw(st.binary(min_size=length, max_size=length))
    value, remark = reader(VARIABLE, kind, Scale())(bytes((lvar,)) + content)
    assert value is not None or remark
    assert not isinstance(value, float)
