"""What the bytes of a manufacturer's payload mean, out of what a payload reader made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from decoders.payload import BY_OBSERVATION, Payload
from decoders.telegram import Record
from decoders.wmbus.explain_records import shown
from decoders.wmbus.spans import Span, Understanding

__all__ = ["explain_payload"]

LAYER = "application"


class _Stretch(NamedTuple):
    """Bytes some records were read from, and the records."""

    start: int
    end: int
    records: tuple[Record, ...]


def explain_payload(laid: Sequence[Span], payload: Payload) -> list[Span]:
    """Lay the payload's records over spans that say no more than "manufacturer data".

    Args:
        laid: the frame explained without knowledge of the meter, in order.
        payload: what the meter's payload reader read.
    """
    spans = _without_the_walk(laid) if payload.whole else list(laid)
    stretches = _stretches(payload.records)
    return [part for span in spans for part in _overlaid(span, stretches)]


def _without_the_walk(laid: Sequence[Span]) -> list[Span]:
    """Take back what an ordinary walk made of a payload that is no record list, but for fillers before it."""
    own = [span for span in laid if span.layer == LAYER]
    if own and own[0].meaning == "filler":
        own = own[1:]
    if not own:
        return list(laid)
    clear = b"".join(span.raw if span.plain is None else span.plain for span in own)
    raw = b"".join(span.raw for span in own)
    plain = None if raw == clear else clear
    whole = Span(own[0].offset, raw, LAYER, "manufacturer's payload", "", Understanding.NOT, plain)
    first, last = laid.index(own[0]), laid.index(own[-1])
    return [*laid[:first], whole, *laid[last + 1 :]]


def _stretches(records: Sequence[Record]) -> list[_Stretch]:
    """Group records by the bytes they were read from; bytes that several share are one stretch."""
    grouped: list[_Stretch] = []
    for record in sorted(records, key=lambda record: record.offset):
        start, end = record.offset, record.offset + len(record.data)
        if grouped and start < grouped[-1].end:
            before = grouped.pop()
            grouped.append(_Stretch(before.start, max(before.end, end), (*before.records, record)))
        else:
            grouped.append(_Stretch(start, end, (record,)))
    return grouped


def _overlaid(span: Span, stretches: Sequence[_Stretch]) -> Iterator[Span]:
    """Cut one span into what the stretches explain and what is left."""
    if span.layer != LAYER or span.understanding is Understanding.FULL:
        yield span
        return
    at, end = span.offset, span.offset + len(span.raw)
    for stretch in stretches:
        start, stop = max(stretch.start, at), min(stretch.end, end)
        if start >= stop:
            continue
        if start > at:
            yield _part(span, at, start)
        yield _explained(_part(span, start, stop), stretch)
        at = stop
    if at < end:
        yield span if at == span.offset else _part(span, at, end)


def _part(span: Span, start: int, end: int) -> Span:
    first, last = start - span.offset, end - span.offset
    return span.part(first, last, start, span.raw[first:last])


def _explained(part: Span, stretch: _Stretch) -> Span:
    doubtful = any(BY_OBSERVATION in record.remark for record in stretch.records)
    return Span(
        part.offset,
        part.raw,
        LAYER,
        "; ".join(map(_what, stretch.records)),
        "; ".join(map(_said, stretch.records)),
        Understanding.PARTLY if doubtful else Understanding.FULL,
        _in_clear(part, stretch),
    )


def _in_clear(part: Span, stretch: _Stretch) -> bytes | None:
    """Give the bytes unscrambled, where the reader did that."""
    first = stretch.records[0]
    if len(stretch.records) == 1 and first.told and len(first.data) == len(part.raw):
        return first.data if first.data != part.raw else part.plain
    return part.plain


def _what(record: Record) -> str:
    words = [record.quantity, *record.qualifiers]
    where = f"storage {record.storage}" if record.storage else ""
    return ", ".join(filter(None, (" ".join(words).replace("_", " "), where)))


def _said(record: Record) -> str:
    value = shown(record.value, record.unit) or "no value"
    return f"{value} ({record.remark})" if record.remark else value
