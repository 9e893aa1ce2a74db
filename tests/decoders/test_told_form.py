"""What a model tells of telegrams of one layout, filled in by position, is what it tells of each alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError
from decoders.decoder import Decoder
from decoders.flat import FLAT, flat, written
from decoders.meaning import EXACT, plainly, tell
from decoders.models import detect, models
from decoders.rendering import Memory, Rendering, Unfit
from decoders.told_form import of_layout, told_form
from decoders.told_numbers import exact_number, flat_number

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def as_json(value) -> bytes:
    return format(value, "f").encode() if isinstance(value, Decimal) else json.dumps(value).encode()


class Exact:
    view = EXACT

    def text(self, name, value, source):  # noqa: ARG002  see Telling
        return as_json(plainly(value))

    def whole(self, field, record):
        return exact_number(field, record)


class Flat:
    view = FLAT

    def text(self, name, value, source):  # noqa: ARG002  see Telling
        return as_json(written(name, value))

    def whole(self, field, record):
        return flat_number(field, record)


def told_alone(telegram, model, telling):
    """Give the told values as the full way has them."""
    values = tell(telegram, model, telling.view).values
    return {name: telling.text(name, value, None) for name, value in values.items()}


def filled_in(layout, clear, model, telling, memory):
    """Give the same by position; ``None`` where the data decide what is told."""
    source = None if model.hook else of_layout(layout)
    if source is None:
        return None
    form = told_form(source, model, telling, memory)
    holes = [*form.holes, *form.guards]
    line = Rendering([b""] + [b"\0"] * len(holes), holes)
    texts = line(layout.values(clear)).split(b"\0")
    return dict(zip(form.names, texts, strict=False))


def changed(frame: bytes, telegram, data: dict[int, bytes], status: int) -> bytes:
    """Put other data into an unencrypted frame."""
    buffer = bytearray(frame)
    for place, record in enumerate(telegram.records):
        start = record.offset + len(record.dib) + len(record.vib)
        fresh = data.get(place)
        if fresh is not None:
            kept = record.dib[0] & 0x0F == 0x0D  # the LVAR byte says the length
            size = len(record.data)
            filled = (fresh * size)[:size]
            buffer[start + kept : start + size] = filled[kept:]
    if telegram.status is not None:
        buffer[len(frame) - len(telegram.plain) - 3] = status
    return bytes(buffer)


GOLDEN = [test.telegram for model in models().values() for test in model.tests if not model.hook]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(GOLDEN),
    st.dictionaries(
        st.integers(0, 30),
        st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff", b"\0", b"\x12", b"\0\0\0\x80"]),
        max_size=6,
    ),
    st.integers(0, 255),
    st.sampled_from([Exact(), Flat()]),
)
def test_golden_telegrams_with_other_data_are_told_as_alone(frame, data, status, telling):
    decoder, memory = Decoder(), Memory(50)
    telegram = decoder.decode(frame)
    model, fit = detect(telegram), decoder.fit(frame)
    if fit is None or model is None or telegram.security.mode:
        return
    other = changed(frame, telegram, data, status)
    fit = decoder.fit(other)
    if fit is None:
        return
    layout, _, clear = fit
    alone = told_alone(decoder.decode(other), model, telling)
    try:
        told = filled_in(layout, clear, model, telling, memory)
    except Unfit:
        return  # then it is told the full way
    assert told is None or told == alone
    assert told is None or list(told) == list(alone)


def test_most_golden_telegrams_are_told_by_position():
    told, memory = 0, Memory()
    for frame in GOLDEN:
        decoder = Decoder()
        telegram = decoder.decode(frame)
        fit, model = decoder.fit(frame), detect(telegram)
        if fit and model and filled_in(fit[0], fit[2], model, Flat(), memory) is not None:
            told += 1
    print(f"{told} of {len(GOLDEN)} golden telegrams are told by position")
    assert told > 0.8 * len(GOLDEN)


@pytest.mark.shared
@pytest.mark.parametrize("telling", [Exact(), Flat()])
def test_real_telegrams_are_told_as_alone(shared_telegrams, telling):
    decoder, memory, count = Decoder(), Memory(), 0
    for line in (shared_telegrams / "wmbus.jsonl").read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        frame, key = bytes.fromhex(said["telegram"]), bytes.fromhex(said["key"] or "")
        keys = (key,) if key else ()
        try:
            telegram = decoder.decode(frame, lambda _, keys=keys: keys)
        except DecodeError:
            continue
        fit, model = decoder.fit(frame, lambda _, keys=keys: keys), detect(telegram)
        if fit is None or model is None:
            continue
        told = filled_in(fit[0], fit[2], model, telling, memory)
        if told is not None:
            alone = told_alone(telegram, model, telling)
            assert told == alone
            assert list(told) == list(alone)
            count += 1
    print(f"{count} real telegrams are told by position")
    assert count > 150


def test_the_flat_output_is_made_of_what_is_told():
    """The names of the flat output are the told ones, between its head and its time."""
    frame = GOLDEN[0]
    decoder = Decoder()
    telegram = decoder.decode(frame)
    model = detect(telegram)
    told = told_alone(telegram, model, Flat())
    line = flat(telegram, model, received_at=NOW)
    assert {name: as_json(value) for name, value in line.items() if name in told} == told
