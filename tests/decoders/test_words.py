"""Status bytes and error words become names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.model import Flag, FlagMethod, FlagWord, Join
from decoders.words import joined, tpl_words, words

BITS = FlagWord(0xFFFF, "ERROR_FLAGS", names=(Flag(1, "DRY"), Flag(4, "LEAK"), Flag(2, "BURST")))


def test_set_bits_are_named_in_alphabetical_order():
    assert words(BITS, 0b111) == ["BURST", "DRY", "LEAK"]


def test_bits_without_a_name_are_told_in_hexadecimal():
    assert words(BITS, 0x1F01) == ["DRY", "ERROR_FLAGS_1F00"]


def test_bits_outside_the_mask_are_not_looked_at():
    assert words(FlagWord(0x0F, "ERROR_FLAGS"), 0xF0) == []


def test_of_a_leftover_the_low_32_bits_are_told():
    assert words(FlagWord((1 << 64) - 1, "ERROR_FLAGS"), 0x12_3456_789A) == ["ERROR_FLAGS_3456789A"]


def test_of_two_names_for_one_bit_the_first_counts():
    twice = FlagWord(0xFFFF, "ERROR_FLAGS", names=(Flag(0x800, "LEAK"), Flag(0x800, "DETECTOR")))
    assert words(twice, 0x800) == ["LEAK"]


def test_a_name_can_stand_for_a_clear_bit():
    word = FlagWord(0xFF, "HEAD", names=(Flag(1, "FAULT"), Flag(2, "NOT_DONE", when_clear=True)))
    assert words(word, 0) == ["NOT_DONE"]
    assert words(word, 2) == []
    assert words(word, 3) == ["FAULT"]


@pytest.mark.parametrize(
    ("number", "found"), [(0x00, []), (0x10, ["1-8 hours"]), (0x7F, ["22-31 days"]), (0x20, ["DRY_20"])]
)
def test_an_index_is_looked_up_as_a_whole(number: int, found: list[str]):
    names = (Flag(0, ""), Flag(0x10, "1-8 hours"), Flag(0x70, "22-31 days"))
    assert words(FlagWord(0x70, "DRY", "", FlagMethod.INDEX, names), number) == found


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (0x24, ["DRY", "RETURN_SENSOR"]),
        (0x07, ["ERROR_FLAGS_3", "RETURN_SENSOR"]),
        (0x9999, []),
    ],
)
def test_decimal_digits_are_taken_away_one_by_one(number: int, found: list[str]):
    word = FlagWord(
        0x9999, "ERROR_FLAGS", "OK", FlagMethod.DECIMAL_DIGITS, (Flag(0x20, "DRY"), Flag(4, "RETURN_SENSOR"))
    )
    assert words(word, number) == found


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (0x00, []),
        (0x01, ["BUSY"]),
        (0x02, ["ERROR"]),
        (0x03, ["ALARM"]),
        (0x1C, ["POWER_LOW", "PERMANENT_ERROR", "TEMPORARY_ERROR"]),
        (0x64, ["POWER_LOW", "UNKNOWN_60"]),
    ],
)
def test_the_status_byte_has_standard_names(status: int, found: list[str]):
    assert tpl_words(status, None) == found


def test_a_model_names_the_manufacturers_bits():
    table = FlagWord(0xE0, "TPL_STS", names=(Flag(0x40, "TAMPER"),))
    assert tpl_words(0x44, table) == ["POWER_LOW", "TAMPER"]
    assert tpl_words(0x20, table) == ["TPL_STS_20"]


def test_a_table_over_standard_bits_tells_the_whole_byte():
    table = FlagWord(0xF8, "TPL_STS", names=(Flag(0x08, "LOW_BATTERY"),))
    assert tpl_words(0x0F, table) == ["LOW_BATTERY"]


def test_parts_of_a_status_are_joined_once_each_and_sorted():
    assert joined(Join.TPL, ["LEAK", "DRY"], ["POWER_LOW", "DRY"], ["OK", "BURST LEAK"]) == (
        "BURST DRY LEAK POWER_LOW"
    )


def test_the_order_of_the_status_byte_can_be_kept():
    assert joined(Join.TPL_IN_ORDER, ["LEAK"], ["POWER_LOW", "BUSY"], []) == "LEAK POWER_LOW BUSY"


def test_the_status_byte_can_be_left_out():
    assert joined(Join.RECORD, [], ["POWER_LOW"], []) == "OK"


@given(st.integers(0, (1 << 40) - 1))
def test_no_set_bit_of_the_mask_goes_untold(number: int):
    found = words(BITS, number)
    known = {"DRY": 1, "BURST": 2, "LEAK": 4}
    told = sum(known.get(name) or int(name.removeprefix("ERROR_FLAGS_"), 16) for name in found)
    assert told == number & 0xFFFF
