"""Key lists: what is understood, and that no fault repeats a key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.wmbus.diehl import PUBLISHED_KEYS
from metering.errors import ImportRefused
from metering.meter import MeterId
from service.imports.keys import doubts, read_keys

KAM = "KAM-76348799-1b-16"
KEY = "5d0f8a61c3b7429e90e4a2d1f8367bc5"


def read(text: str):
    return read_keys(text.encode(), "keys.csv")


def faults(text: str) -> list[str]:
    with pytest.raises(ImportRefused) as told:
        read(text)
    return [str(fault) for fault in told.value.faults]


@pytest.mark.parametrize("key", [KEY, KEY.upper(), " 5D0F 8A61 C3B7 429E 90E4 A2D1 F836 7BC5 "])
def test_a_key_is_32_hexadecimal_digits_and_blanks_do_not_count(key):
    (row,) = read(f"meter_id;key\n{KAM};{key}\n")
    assert (row.number, row.meter, row.key) == (2, MeterId.parse(KAM), bytes.fromhex(KEY))


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
    [row] = rows = read(f"meter_id,key\n{KAM},0123456789ABCDE0\n")
    assert row.key == bytes.fromhex("0123456789ABCDE0")
    assert doubts(rows) == ["row 2: a key of 16 digits fits only meters with DES; were digits lost?"]


def test_shared_and_placeholder_keys_are_doubted():
    lines = [f"KAM-0000000{number}-1b-16,{KEY}" for number in range(7)]
    rows = read("\n".join(["meter_id,key", *lines, f"{KAM},{'0' * 32}"]))
    assert doubts(rows) == [
        "row 9: the key is all zeros; is it a placeholder?",
        "rows 2, 3, 4, 5, 6, ...: 7 meters share one key",
    ]
    regular = read(f"meter_id,key\n{KAM},000102030405060708090A0B0C0D0E0F\n")
    assert doubts(regular) == ["row 2: the key counts up or repeats one byte; is it a placeholder?"]
    published = read(f"meter_id,key\n{KAM},{PUBLISHED_KEYS[0].hex()}\n")
    assert doubts(published) == ["row 2: the key is published; everybody can read these meters"]
    assert doubts(rows[:1]) == []


def test_a_meter_whose_key_was_changed_stands_in_a_row_for_each():
    head = "meter_id,key,valid_from,valid_to"
    rows = read(f"{head}\n{KAM},{KEY},,2026-03-01T00:00Z\n{KAM},{KEY[::-1]},2026-03-01T00:00Z,\n")
    change = datetime(2026, 3, 1, tzinfo=UTC)
    assert [(row.valid_from, row.valid_to) for row in rows] == [(None, change), (change, None)]
    with pytest.raises(ImportRefused, match="1 fault"):
        read(f"{head}\n{KAM},{KEY},2026-03-01T00:00Z,\n{KAM},{KEY},,\n")
    with pytest.raises(ImportRefused, match="1 fault"):
        read(f"{head}\n{KAM},{KEY},2026-03-01T00:00Z,2026-02-01T00:00Z\n")
