"""Key lists: what is understood, and that no fault repeats a key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.errors import ImportRefused
from metering.meter import MeterId
from service.imports.keys import doubts, read_keys

KAM = "KAM-76348799-1b-16"
KEY = "000102030405060708090a0b0c0d0e0f"


def read(text: str):
    return read_keys(text.encode(), "keys.csv")


def faults(text: str) -> list[str]:
    with pytest.raises(ImportRefused) as told:
        read(text)
    return [str(fault) for fault in told.value.faults]


@pytest.mark.parametrize("key", [KEY, KEY.upper(), " 0001 0203 0405 0607 0809 0A0B 0C0D 0E0F "])
def test_a_key_is_32_hexadecimal_digits_and_blanks_do_not_count(key):
    (row,) = read(f"meter_id;key\n{KAM};{key}\n")
    assert (row.number, row.meter, row.key) == (2, MeterId.parse(KAM), bytes(range(16)))


def test_a_row_does_not_show_its_key():
    (row,) = read(f"meter_id,key\n{KAM},{KEY}\n")
    assert KEY not in repr(row)
    assert repr(row.key) not in repr(row)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"meter_id,key\n{KAM},{KEY[1:]}\n", "row 2, column key: 31 hexadecimal digits where a key has 32"),
        (
            f"meter_id,key\n{KAM},{KEY[:-1]}x\n",
            "row 2, column key: holds other signs than hexadecimal digits",
        ),
        (f"meter_id,key\n{KAM},\n", "row 2, column key: 0 hexadecimal digits where a key has 32"),
        (f"meter_id,key\n{KEY},{KAM}\n", "row 2, column meter_id: not a meter id like KAM-76348799-1b-16"),
        (f"{KAM},{KEY}\n", "row 1: unknown column number 1; known columns: meter_id, key"),
        ("meter_id\n", "row 1: the header lacks meter_id and key"),
        (f"meter_id,key\n{KAM},{KEY}\n{KAM},{KEY}\n", "row 3, column meter_id: the same meter is in row 2"),
    ],
)
def test_a_fault_is_told_with_its_row_and_never_with_the_key(text, sentence):
    told = faults(text)
    assert told[0].startswith(sentence)
    assert not any(KEY[:8] in sentence for sentence in told)


@settings(max_examples=200, deadline=None)
@given(
    header=st.sampled_from(["meter_id,key", "key,meter_id", "key", ""]),
    cells=st.permutations([KAM, KEY + "7", "x"]),
)
def test_wherever_a_key_stands_by_mistake_it_is_not_repeated(header, cells):
    assert KEY not in "".join(faults(f"{header}\n{','.join(cells)}\n"))


def test_a_key_of_sixteen_digits_is_taken_for_des_and_doubted():
    [row] = rows = read(f"meter_id,key\n{KAM},0123456789ABCDEF\n")
    assert row.key == bytes.fromhex("0123456789ABCDEF")
    assert doubts(rows) == ["row 2: a key of 16 digits fits only meters with DES; were digits lost?"]


def test_shared_and_placeholder_keys_are_doubted():
    lines = [f"KAM-0000000{number}-1b-16,{KEY}" for number in range(7)]
    rows = read("\n".join(["meter_id,key", *lines, f"{KAM},{'0' * 32}"]))
    assert doubts(rows) == [
        "row 9: the key is all zeros; is it a placeholder?",
        "rows 2, 3, 4, 5, 6, ...: 7 meters share one key",
    ]
    assert doubts(rows[:1]) == []
