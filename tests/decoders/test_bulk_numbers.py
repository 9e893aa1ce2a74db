"""Many numbers written at once are the texts each alone has, and those its exact decimal has."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.bulk_numbers import LEAST, bulk_numbers
from decoders.number_texts import Text, plain_text, shortest_text, stored_numbers, whole_numbers
from decoders.rendering import Memory, Rendering
from decoders.wmbus.header import describe

HEADERS = {
    "0213": 2, "0113": 1, "0413": 4, "0313": 3, "0613": 6, "0713": 8, "0C13": 4, "0A5A": 2, "0B3B": 3,
    "0E06": 6, "02FD17": 2, "0403": 4, "022B": 2, "0259": 2, "0218": 2,
}  # fmt: skip
"""Headers of whole numbers of every length, with bytes of data."""

BCD = {"0C13", "0A5A", "0B3B", "0E06"}

DATA = st.sampled_from(sorted(HEADERS)).flatmap(
    lambda header: st.tuples(
        st.just(header),
        st.lists(
            st.binary(min_size=HEADERS[header], max_size=HEADERS[header])
            | st.sampled_from([b"\0", b"\xff", b"\x99", b"\x12"]).map(lambda one: one * HEADERS[header])
            | st.just(b"\0" * (HEADERS[header] - 1) + b"\x80"),
            min_size=3,
            max_size=3,
        ),
    )
)


def texts_of(header: bytes) -> list[Text]:
    """Give the ways a number of this header is written."""
    said = describe(header)
    whole = whole_numbers(said)
    assert whole is not None
    value = cast("Decimal", said.read((1).to_bytes(whole.size, "little"))[0])
    raw = [stored_numbers(said, signed=signed) for signed in (False, True)]
    return [
        plain_text(whole, value),
        shortest_text(whole, value),
        *(plain_text(one, value) for one in raw if one),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(DATA, min_size=LEAST, max_size=12), st.data())
def test_in_bulk_is_as_one_by_one(drawn, data):
    memory = Memory()
    holes, writers = [], []
    for place, (header, _) in enumerate(drawn):
        for number in data.draw(st.sets(st.integers(0, 3), min_size=1)):
            writers.append((place, texts_of(bytes.fromhex(header))[number]))
            holes.append((place, memory.texts((header, number), lambda: writers[-1][1])))
    constants = [b"<%d>" % number for number in range(len(holes) + 1)]
    bulk = bulk_numbers(constants, holes)
    assert bulk is not None
    for values in zip(*(one for _, one in drawn), strict=True):
        alone = [write(values[place]) for place, write in writers]
        digits = [data.hex() for (header, _), data in zip(drawn, values, strict=True) if header in BCD]
        if not all(map(str.isdecimal, digits)):
            assert bulk(values) is None  # a minus sign, or digits that are none
            continue
        joined = b"".join(part for pair in zip(constants, [*alone, b""], strict=True) for part in pair)
        assert bulk(values) == joined


def rendering(count: int) -> Rendering:
    memory = Memory()
    said = bytes.fromhex("0413")
    holes = [(place, memory.texts("one", lambda: texts_of(said)[0])) for place in range(count)]
    return Rendering([b"[", *[b","] * (count - 1), b"]"], holes)


def test_new_values_are_written_in_bulk_and_known_ones_looked_up():
    line = rendering(20)
    for start in range(300):
        values = tuple([(start * 100 + place).to_bytes(4, "little") for place in range(20)])
        assert json.loads(line(values)) == [(start * 100 + place) / 1000 for place in range(20)]
    looked_up = len(line._texts[0])
    assert looked_up < 300 * 20 / 10
    for _ in range(200):
        assert line(values) == line(values)
    assert line._new == 0
    assert len(line._texts[0]) <= looked_up + 20


def test_with_few_numbers_there_is_no_bulk():
    assert rendering(LEAST - 1)._bulk is None
    assert rendering(LEAST)._bulk is not None
