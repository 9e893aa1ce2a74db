"""Every payload reader, whatever the bytes: a telegram or a DecodeError, nothing else, and exact values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, Security, Telegram
from decoders.flat import flat
from decoders.hooks import payload_reader
from decoders.meaning import fields
from decoders.model import Golden, Model
from decoders.models import models
from decoders.payload import Sent
from decoders.reading import read
from decoders.trace import trace
from metering.meter import MeterId

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
READERS = sorted({model.hook for model in models().values() if model.hook})
GOLDEN = [
    pytest.param(model, golden, id=f"{model.name}-{number}")
    for model in models().values()
    if model.hook
    for number, golden in enumerate(model.tests, 1)
]
MAKERS = ("APA", "SAP", "HYD", "TCH", "BMT")
KEYS = st.lists(st.binary(max_size=16), max_size=2)


_Found = TypeVar("_Found")


def outcome(reading: Callable[[], _Found]) -> _Found | DecodeError:
    try:
        return reading()
    except DecodeError as wrong:
        return wrong


@st.composite
def telegrams(draw: st.DrawFn) -> Telegram:
    """What decoding may leave for a reader: any payload behind any header."""
    payload = draw(st.binary(max_size=80))
    frame = b"\x00\x44" + draw(st.binary(min_size=13, max_size=13)) + payload
    meter = MeterId(draw(st.sampled_from(MAKERS)), "12345678", "01", "07")
    return Telegram(
        frame,
        meter,
        meter,
        0x44,
        ci=draw(st.sampled_from([(), (0x7A,), *((ci,) for ci in range(0xA0, 0xB8)), (0x8C, 0xA2)])),
        access=draw(st.none() | st.integers(0, 255)),
        security=Security(mode=draw(st.sampled_from([0, 5, 16]))),
        manufacturer_data=payload,
        plain=payload,
    )


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=120, deadline=None)
@given(telegram=telegrams(), keys=KEYS)
def test_any_payload_gives_records_or_a_decode_error(name: str, telegram: Telegram, keys: list[bytes]):
    found = outcome(lambda: payload_reader(name)(Sent(telegram, lambda _: keys)))
    if isinstance(found, DecodeError):
        assert found.offset <= len(telegram.frame)
        return
    for record in found.records:
        assert record.value is None or isinstance(record.value, Decimal | date | str)
        assert 0 <= record.offset <= len(telegram.frame)


def as_sent(frame: bytes) -> bytes:
    """Give the length its right value."""
    return bytes((len(frame) - 1,)) + frame[1:]


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_mutilated_golden_telegram_is_told_or_refused(model: Model, golden: Golden, data: st.DataObject):
    frame = bytearray(golden.telegram)
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(10, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = as_sent(bytes(frame[: data.draw(st.integers(10, len(frame)))]))
    keys = [golden.key] if golden.key else []
    traced = trace(cut, lambda _: keys, model=model)
    assert b"".join(span.raw for span in traced.spans) == cut
    found = outcome(lambda: read(cut, lambda _: keys, model).telegram)
    if isinstance(found, Telegram):
        assert isinstance(fields(found, model), dict)
        assert flat(found, model, received_at=NOON)["meter"] == model.name


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_a_golden_telegram_cut_at_any_length_is_told_or_refused(model: Model, golden: Golden):
    keys = [golden.key] if golden.key else []
    for length in range(10, len(golden.telegram)):
        cut = as_sent(golden.telegram[:length])
        found = outcome(lambda: read(cut, lambda _: keys, model))  # noqa: B023  called at once
        assert not isinstance(found, DecodeError) or found.known is not None
