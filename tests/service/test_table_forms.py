"""Lines of telegrams whose model reads the payload by table: told by position as they are told one by one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build
from decoders.hooks import table_reader
from decoders.models import models
from decoders.shipped_layouts import shipped_layouts
from metering.clock import FixedClock
from metering.meter import MeterId
from service.asked import read_line
from service.counting import Decode
from service.decode_lines import answer, decoding, json_line
from service.decode_stream import DecodeStream
from service.flat_lines import flat_line

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GOLDEN = [
    pytest.param(test, id=f"{model.name}-{number}")
    for model in models().values()
    if model.hook
    for number, test in enumerate(model.tests, 1)
]
KEYS = st.sampled_from([None, bytes(8), bytes(16), b"\x01" * 3])


def line_of(frame: bytes, key: bytes | None) -> bytes:
    return json.dumps({"telegram": frame.hex(), "key": key.hex() if key else None}).encode()


def alone(line: bytes, *, flat: bool, using: Decode | None = None) -> tuple[bytes, bool]:
    (told,) = [answer(asked, using) for asked in read_line(line.decode())]
    return flat_line(told, NOW) if flat else json_line(told), told.trouble is None


@pytest.mark.parametrize("golden", GOLDEN)
@settings(max_examples=12, deadline=None)
@given(data=st.data(), flat=st.booleans())
def test_payloads_with_other_bytes_are_told_as_alone(golden, data, flat):
    """Bytes behind the headers differ, one of them the one that decides for the table now and then."""
    stream, using = DecodeStream(clock=FixedClock(NOW) if flat else None), decoding(shipped_layouts())
    lines = [line_of(golden.telegram, golden.key)]
    for _ in range(4):
        other = bytearray(golden.telegram)
        for _ in range(data.draw(st.integers(1, 3))):
            other[data.draw(st.integers(4, len(other) - 1))] = data.draw(st.integers(0, 255))
        lines.append(line_of(bytes(other), data.draw(st.just(golden.key) | KEYS)))
    for line in [*lines, *lines]:
        assert stream.answer(line) == alone(line, flat=flat, using=using)


@pytest.mark.parametrize("flat", [False, True])
def test_all_of_them_in_one_stream_take_the_quick_way_the_second_time(flat, monkeypatch):
    tests = [test for model in models().values() if table_reader(model.hook or "") for test in model.tests]
    stream = DecodeStream(clock=FixedClock(NOW) if flat else None)
    lines = [line_of(test.telegram, test.key) for test in tests]
    told = [stream.answer(line) for line in lines * 2][len(lines) :]
    assert told == [alone(line, flat=flat) for line in lines]
    slow = []
    monkeypatch.setattr(stream, "_by_records", lambda fit, *_: slow.append(fit[0].example.meter))
    assert [stream.answer(line) for line in lines] == told
    assert len(slow) <= len(lines) // 10, slow


def test_a_payload_that_has_another_table_today_is_told_by_that():
    """Bytes behind a Hydrodigit's records: a mask says which parts follow."""
    meter = MeterId.parse("BMT-12345678-17-07")
    stream = DecodeStream()
    told = []
    for parts in ("01 05", "00 05", "01 06", "00 06"):
        line = line_of(build(meter, bytes.fromhex("0C1378563412 0F" + parts)), None)
        assert stream.answer(line) == alone(line, flat=False)
        told.append(json.loads(stream.answer(line)[0])["fields"])
    assert [fields["voltage_v"] is None for fields in told] == [False, True, False, True]
