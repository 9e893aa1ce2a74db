"""Messages in several frames along a stream: every line answered at once, the last with all of it."""

from __future__ import annotations

import json

import pytest

from decoders.build import build
from decoders.shipped_layouts import shipped_layouts
from decoders.wmbus import afl
from metering.meter import MeterId
from service.asked import read_line
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream

METER = MeterId.parse("XYZ-12345699-68-07")
NEIGHBOUR = MeterId.parse("XYZ-12345700-68-07")


def fragments(meter: MeterId) -> list[str]:
    """Cut one transport message in clear in two (EN 13757-7)."""
    transport = bytes.fromhex("7A 01 00 0000 0413181E0000")
    length = len(transport).to_bytes(2, "little")
    return [
        build(
            meter,
            afl.write(fragment=number, more=number == 1, length=said)[1:] + part,
            header="none",
            ci=0x90,
        ).hex()
        for number, part, said in ((1, transport[:6], length), (2, transport[6:], b""))
    ]


def codes(lines: list[str]) -> list[str | None]:
    stream = DecodeStream()
    answers = [json.loads(stream.answer(line.encode())[0]) for line in lines]
    return [told["error"] and told["error"]["code"] for told in answers]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_last_part_that_comes_tells_the_message(order):
    stream, using = DecodeStream(), decoding(shipped_layouts())
    for number, place in enumerate(order):
        line = fragments(METER)[place]
        (asked,) = read_line(line)
        written, good = stream.answer(line.encode())
        assert written == json_line(answer(asked, using))
        told = json.loads(written)
        assert good is (number == 1)
        assert (told["error"] or {}).get("code") == (None if good else "fragment")
        assert told["fields"] == ({"total_m3": 7.704} if good else {})


def test_parts_of_two_meters_are_not_mixed():
    (one, two), (other, _) = fragments(METER), fragments(NEIGHBOUR)
    assert codes([one, other, two]) == ["fragment", "fragment", None]


def test_a_part_that_comes_alone_stays_a_part():
    one, two = fragments(METER)
    assert codes([one, one, one]) == ["fragment"] * 3
    assert codes([two]) == ["fragment"]
