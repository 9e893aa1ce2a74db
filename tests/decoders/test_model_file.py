"""A meter model's file is read whole or refused with file, table and key."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import model_file
from decoders.model import Flag, FlagMethod, Form, Identity, Join, Layout, Numbers, Where
from decoders.model_file import ModelFileError, read
from decoders.model_table import Table
from metering.reading import Function

HEAD = 'name = "brook"\ngroup = "water"\nmedia = ["water"]\n'
TOTAL = '[[field]]\nname = "total_m3"\nquantity = "volume"\n'
STATUS = '[[field]]\nname = "status"\nquantity = "error_flags"\njoin = "tpl"\n'
FLAGS = '[field.flags]\nmask = "FF"\nrest = "ERROR_FLAGS"\n'


def model(text: str):
    return read(HEAD + text, "brook.toml")


def only_field(text: str):
    (field,) = model(f"[[field]]\n{text}").fields
    return field


def fault(text: str) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        model(text)
    return caught.value


def test_a_field_by_meaning_needs_only_its_name_and_quantity():
    assert only_field('name = "total_m3"\nquantity = "volume"').where == Where("volume")


def test_a_field_says_what_differs_from_the_plain_record():
    where = only_field(
        'name = "max_{storage-1}_m3h"\nquantity = "volume_flow"\nfunction = "maximum"\nstorage = "2..16"\n'
        'tariff = 1\nsubunit = 3\nqualifiers = ["backward", "manufacturer_0d"]\nnth = 2'
    ).where
    assert where == Where(
        "volume_flow",
        Function.MAXIMUM,
        Numbers(2, 16),
        Numbers(1, 1),
        Numbers(3, 3),
        frozenset({"backward", "manufacturer_0d"}),
        2,
    )
    assert where.is_range


def test_a_field_can_name_the_exact_bytes_of_its_record():
    assert only_field('name = "x_counter"\nrecord = "02FF20"\nraw = true').where == Where(
        header=b"\x02\xff\x20"
    )


def test_numbers_are_read_exactly():
    field = only_field('name = "x_h"\nrecord = "0475"\nfactor = "1/60"\nnull = "-327.68"\nunsigned = true')
    assert (field.factor, field.null, field.unsigned) == (Fraction(1, 60), Decimal("-327.68"), True)


@pytest.mark.parametrize(
    ("name", "form", "unit"),
    [
        ("total_m3", Form.NUMBER, "m3"),
        ("target_date", Form.MOMENT, "date"),
        ("meter_datetime", Form.MOMENT, "datetime"),
    ],
)
def test_the_unit_stands_in_the_name(name: str, form: Form, unit: str):
    field = only_field(f'name = "{name}"\nquantity = "volume"')
    assert (field.form, field.unit) == (form, unit)


def test_flags_name_bits_and_clear_bits():
    word = (
        model(STATUS + FLAGS + 'names = ["01 DRY", "80"]\nnames_when_clear = ["02 NOT_DONE"]').fields[0].flags
    )
    assert word is not None
    assert word.names == (Flag(1, "DRY"), Flag(0x80, ""), Flag(2, "NOT_DONE", when_clear=True))
    assert (word.mask, word.rest, word.none, word.method) == (0xFF, "ERROR_FLAGS", "OK", FlagMethod.BITS)


def test_a_status_joins_the_status_byte():
    field = model(STATUS + FLAGS + '[field.tpl_flags]\nmask = "E0"\nrest = "TPL_STS"').fields[0]
    assert (field.form, field.join) == (Form.FLAGS, Join.TPL)
    assert field.tpl_flags is not None


def test_identities_are_version_and_device_type():
    text = '[[detect]]\nmanufacturer = "KAM"\nversion_type = ["1b-16", "*-07"]\nautomatic = false'
    assert model(text).detect == (
        Identity("KAM", "1b", "16", automatic=False),
        Identity("KAM", "*", "07", automatic=False),
    )


def test_a_layout_is_checked_by_its_checksum():
    text = '[[layout]]\nsignature = "A8ED"\nheaders = "02FF2004134413615B6167"'
    assert model(text).layouts == (Layout(0xA8ED, bytes.fromhex("02FF2004134413615B6167")),)
    wrong = fault(text.replace("A8ED", "A8EE"))
    assert (wrong.key, wrong.sentence) == ("signature", "the checksum of these headers is A8ED")


def test_a_golden_telegram_may_stand_on_several_lines():
    text = '[[test]]\ncomment = "one"\ntelegram = """\n0413\n  E803 0000\n"""\n'
    (golden,) = model(text + '[test.expected]\ntotal_m3 = 0.001\ntarget_m3 = "null"\nstatus = "OK"').tests
    assert golden.telegram == bytes.fromhex("0413E8030000")
    assert golden.expected == {"total_m3": Decimal("0.001"), "target_m3": None, "status": "OK"}


def test_the_revision_changes_with_the_file():
    assert model("").revision != model("# a comment\n").revision


WRONG: dict[str, tuple[str, str, str]] = {
    # what is wrong: (text, table, key)
    "not toml": ("[[field", "", ""),
    "unknown key of the file": ("vendor = 1", "", "vendor"),
    "unknown key of a field": (TOTAL + "storag = 1", "[[field]] 1 total_m3", "storag"),
    "no name": ('[[field]]\nquantity = "volume"', "[[field]] 1", "name"),
    "no unit": ('[[field]]\nname = "total"\nquantity = "volume"', "[[field]] 1 total", "name"),
    "no record": ('[[field]]\nname = "total_m3"', "[[field]] 1 total_m3", "quantity"),
    "unknown quantity": ('[[field]]\nname = "a_m3"\nquantity = "volum"', "[[field]] 1 a_m3", "quantity"),
    "unknown qualifier": (TOTAL + 'qualifiers = ["backwards"]', "[[field]] 1 total_m3", "qualifiers"),
    "unknown function": (TOTAL + 'function = "max"', "[[field]] 1 total_m3", "function"),
    "half a record": ('[[field]]\nname = "a_m3"\nrecord = "0493"', "[[field]] 1 a_m3", "record"),
    "record and meaning": (TOTAL + 'record = "0413"', "[[field]] 1 total_m3", "quantity"),
    "reversed range": (TOTAL + 'storage = "9..2"', "[[field]] 1 total_m3", "storage"),
    "negative storage": (TOTAL + "storage = -1", "[[field]] 1 total_m3", "storage"),
    "truth for a number": (TOTAL + "storage = true", "[[field]] 1 total_m3", "storage"),
    "zeroth match": (TOTAL + "nth = 0", "[[field]] 1 total_m3", "nth"),
    "division by zero": (TOTAL + 'factor = "1/0"', "[[field]] 1 total_m3", "factor"),
    "no number": (TOTAL + 'null = "nan"', "[[field]] 1 total_m3", "null"),
    "unknown placeholder": (
        TOTAL.replace("total", "total_{store}"),
        "[[field]] 1 total_{store}_m3",
        "name",
    ),
    "unknown hook": (TOTAL + 'hook = "magic"', "[[field]] 1 total_m3", "hook"),
    "hook outside its folder": (TOTAL + 'hook = "../magic"', "[[field]] 1 total_m3", "hook"),
    "operand that is no field": (TOTAL + 'hook = "sum_of"\nof = ["a_m3"]', "[[field]] 1 total_m3", "of"),
    "status that is no field": (TOTAL + 'into = "status"', "[[field]] 1 total_m3", "into"),
    "status without flags": (STATUS, "[[field]] 1 status", "flags"),
    "flags without a mask": (STATUS + '[field.flags]\nrest = "A"', "[[field]] 1 status, [flags]", "mask"),
    "flag without a code": (STATUS + FLAGS + 'names = ["DRY"]', "[[field]] 1 status, [flags]", "names"),
    "digits without an end": (
        STATUS + FLAGS.replace("FF", "00", 1) + 'method = "decimal_digits"',
        "[[field]] 1 status, [flags]",
        "mask",
    ),
    "four letters": (
        '[[detect]]\nmanufacturer = "KAMM"\nversion_type = ["1b-16"]',
        "[[detect]] 1 KAMM",
        "manufacturer",
    ),
    "capital digits": (
        '[[detect]]\nmanufacturer = "KAM"\nversion_type = ["1B-16"]',
        "[[detect]] 1 KAM",
        "version_type",
    ),
    "no meter": ('[[detect]]\nmanufacturer = "KAM"\nversion_type = []', "[[detect]] 1 KAM", "version_type"),
    "odd hexadecimal": ('[[test]]\ntelegram = "123"\n[test.expected]', "[[test]] 1", "telegram"),
    "a list expected": (
        '[[test]]\ntelegram = "12"\n[test.expected]\ntotal_m3 = []',
        "[[test]] 1",
        "expected",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_names_file_table_and_key(case: str):
    text, table, key = WRONG[case]
    found = fault(text)
    assert (found.source, found.table, found.key) == ("brook.toml", table, key)
    assert str(found).startswith("brook.toml")
    assert found.sentence in str(found)


def test_the_file_is_named_like_its_model():
    with pytest.raises(ModelFileError, match=r"is named brook\.toml"):
        read(HEAD, "river.toml")


VALUES = st.recursive(
    st.booleans() | st.integers() | st.decimals() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELD_KEYS = [
    "name", "quantity", "record", "function", "storage", "qualifiers", "nth", "form", "raw", "factor", "null",
    "flags", "tpl_flags", "join", "into", "hook", "of", "number", "always", "hidden",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(key=st.sampled_from(FIELD_KEYS), value=VALUES)
def test_any_value_of_any_key_is_read_or_refused(key: str, value: Any):
    """A model or a ModelFileError, nothing else, whatever stands behind a key."""
    content = {"name": "total_m3", "quantity": "volume", key: value}
    with suppress(ModelFileError):
        assert model_file._field(Table(content, "brook.toml")).name == content["name"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str):
    with suppress(ModelFileError):
        assert model(text).name == "brook"
