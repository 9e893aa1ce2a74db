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


def telegram(payload: str, access: int, meter: MeterId = METER) -> str:
    return build(meter, bytes.fromhex(payload), access=access).hex()


def told(stream: DecodeStream, line: str) -> dict[str, object]:
    fields: dict[str, object] = json.loads(stream.answer(line.encode())[0])["fields"]
    return fields


FIRST, SECOND, LAST = "0413181E0000 1F", "023B2C01 1F", "426C2137"


@pytest.mark.parametrize("rounds", [1, 4])
def test_the_last_of_telegrams_that_continue_each_other_has_the_records_of_all(rounds):
    """More records follow, says DIF 1F; in between neighbours are heard, and all of it by two gateways."""
    stream, using = DecodeStream(), decoding(shipped_layouts())
    for start in range(0, 3 * rounds, 3):
        parts = [telegram(part, start + place) for place, part in enumerate((FIRST, SECOND, LAST))]
        lines = [
            parts[0],
            telegram(FIRST, 9, NEIGHBOUR),
            parts[0],
            parts[1],
            telegram("0413FF000000", 7, NEIGHBOUR),
        ]
        answers = [told(stream, line) for line in lines]
        assert [sorted(one) for one in answers] == [["total_m3"]] * 3 + [["flow_m3h"]] + [["total_m3"]]
        assert answers[4] == {"total_m3": 0.255}
        last = {"total_m3": 7.704, "flow_m3h": 0.3, "target_date": "2025-07-01"}
        assert [*told(stream, parts[2]).values()] == [*last.values()]
        for line in (*lines, parts[2]):
            (asked,) = read_line(line)
            alone = json.loads(json_line(answer(asked, using)))["fields"]
        assert [*alone.values()] == [*last.values()]


def test_without_access_numbers_nothing_is_put_together():
    stream = DecodeStream()
    parts = [build(METER, bytes.fromhex(part), header="none").hex() for part in (FIRST, LAST)]
    assert [sorted(told(stream, part)) for part in parts] == [["total_m3"], ["target_date"]]


def test_a_meter_that_says_of_each_telegram_that_more_follows_keeps_its_newest_values():
    stream = DecodeStream()
    for number in range(5):
        assert told(stream, telegram(f"0413{number:02}000000 1F", number)) == {"total_m3": number / 1000}
    assert told(stream, telegram("041363000000", 5)) == {"total_m3": 0.099}
