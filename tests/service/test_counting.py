"""Message counters that go back are told along a stream, beside the values."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from decoders.build import build
from decoders.shipped_layouts import shipped_layouts
from metering.clock import FixedClock
from metering.meter import MeterId
from service.advice import json_advice
from service.asked import read_line
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream

METER = MeterId.parse("ELS-12345678-33-03")
OTHER = MeterId.parse("ELS-12345679-33-03")
KEY = bytes(range(16))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def line(counter: int, litres: int = 7704, meter: MeterId = METER) -> bytes:
    payload = b"\x04\x13" + litres.to_bytes(4, "little")
    frame = build(meter, payload, mode=7, key=KEY, counter=counter, access=counter & 0xFF)
    return json.dumps({"telegram": frame.hex(), "key": KEY.hex()}).encode()


def told(stream: DecodeStream, given: bytes) -> dict[str, object]:
    answered: dict[str, object] = json.loads(stream.answer(given)[0])
    return answered


def test_a_counter_that_goes_back_is_told_with_the_values():
    stream, using = DecodeStream(), decoding(shipped_layouts())
    lines = [line(10), line(11), line(11), line(3, meter=OTHER), line(10), line(12)]
    codes = []
    for one in lines:
        (asked,) = read_line(one.decode())
        written, good = stream.answer(one)
        assert written == json_line(answer(asked, using))
        found = json.loads(written)
        assert found["fields"]["total_m3"] == 7.704
        assert good is (found["error"] is None)
        codes.append(found["error"] and found["error"]["code"])
    assert codes == [None, None, None, None, "counter_back", None]


def test_the_sentence_has_both_numbers():
    stream = DecodeStream()
    told(stream, line(4096))
    error = told(stream, line(17))["error"]
    assert isinstance(error, dict)
    assert "from 4096 to 17" in error["message"]


def test_the_flat_line_has_a_warning():
    stream = DecodeStream(clock=FixedClock(NOW))
    told(stream, line(9))
    found = told(stream, line(8))
    assert found["total_m3"] == 7.704
    assert "counter_back" in str(found["error_analyze"])
    assert "went back from 9 to 8" in str(found["warning"])


@pytest.mark.parametrize("counter", [1, 2])
def test_why_not_says_what_it_means(counter):
    using = decoding(shipped_layouts())
    for one in (line(2), line(counter)):
        (asked,) = read_line(one.decode())
        advice = json.loads(json_advice(answer(asked, using)))["advice"]
    assert [one["name"] for one in advice] == (["counter_back"] if counter == 1 else [])
