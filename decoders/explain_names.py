"""Which bytes of a frame are which field: the model's names, laid over the spans of the trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from decoders.meaning import Named, named
from decoders.model import Model
from decoders.telegram import Telegram
from decoders.wmbus.spans import Span, Understanding

__all__ = ["explain_names"]

_LAYER = "application"
_DATA, _VIF = "data", "VIF"
_HEADERS = ("DIF", _VIF)


def explain_names(laid: Sequence[Span], telegram: Telegram, model: Model | None) -> list[Span]:
    """Give the spans of data the names of the fields read from them.

    What a VIF of the manufacturer leaves open is understood where the model has a field for it.

    Args:
        laid: spans counted in the frame without checksums.
        telegram: what was read; its records say where they stand.
        model: the meter's model; ``None`` = the names made by rule.
    """
    fields = [field for field in named(telegram, model) if field.record and field.record.data]
    behind_headers = _by_place(fields, headers=True)
    bare = _by_place(fields, headers=False)
    known = {at for field in fields if not field.by_rule for at in _places(field)}
    spans = [_with_names(span, behind_headers if span.meaning == _DATA else bare) for span in laid]
    return [_understood(span) if span.offset in known else span for span in spans]


def _by_place(fields: Iterable[Named], *, headers: bool) -> Mapping[int, list[str]]:
    """Name the fields by where their data begin: behind DIB and VIB, or where these were not sent."""
    found: dict[int, list[str]] = {}
    for field in fields:
        if record := field.record:
            at = record.offset + (len(record.dib + record.vib) if headers else 0)
            found.setdefault(at, []).append(field.name)
    return found


def _places(field: Named) -> Iterator[int]:
    """Give where VIB and data of a field's record begin."""
    if record := field.record:
        yield record.offset + len(record.dib)
        yield record.offset + len(record.dib + record.vib)


def _with_names(span: Span, names: Mapping[int, list[str]]) -> Span:
    if span.layer != _LAYER or span.meaning.startswith(_HEADERS):
        return span
    if span.meaning == _DATA:
        return replace(span, fields=tuple(names.get(span.offset, ())))
    places = range(span.offset, span.offset + len(span.raw))
    return replace(span, fields=tuple(name for at in places for name in names.get(at, ())))


def _understood(span: Span) -> Span:
    of_a_record = span.layer == _LAYER and (span.meaning == _DATA or span.meaning.startswith(_VIF))
    return replace(span, understanding=Understanding.FULL) if of_a_record else span
