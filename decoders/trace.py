"""What every byte of a frame means, for people.

:func:`trace` never raises, whatever the bytes. Its spans cover the frame as received from the first byte to
the last, checksums a receiver left in and bytes it appended included. Nothing is parsed twice: the spans are
laid over what the decoder's layers found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from decoders.decode import decode_frame, read_application
from decoders.errors import DecodeError
from decoders.explain_names import explain_names
from decoders.explain_payload import explain_payload
from decoders.model import Model
from decoders.models import detect
from decoders.payload import NOT_MINE, Payload
from decoders.reading import complete, rescue
from decoders.telegram import Keys, Telegram, no_keys
from decoders.wmbus import link
from decoders.wmbus.blocks import blocks_a, blocks_b
from decoders.wmbus.explain import explain
from decoders.wmbus.layers import KeysOnce, Layers, begin, read_headers
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.spans import Span, Understanding

__all__ = ["Span", "Trace", "Understanding", "trace"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A frame explained.

    Attributes:
        frame: the bytes as received.
        spans: what they mean, in order, without gap or overlap.
        telegram: what was understood as a whole, as far as it goes.
        error: why it goes no further; ``None`` if everything was read.
        model: the meter's model, named or found.
    """

    frame: bytes
    spans: tuple[Span, ...]
    telegram: Telegram | None = None
    error: DecodeError | None = None
    model: Model | None = None

    def count(self, understanding: Understanding) -> int:
        """Return how many bytes are understood fully, partly or not."""
        return sum(len(span.raw) for span in self.spans if span.understanding is understanding)


def trace(
    frame: bytes, keys: Keys = no_keys, layouts: Layouts | None = None, model: Model | None = None
) -> Trace:
    """Explain every byte of a frame.

    Args:
        frame: as received; see :func:`decoders.decode.decode`.
        keys: gives the keys to try for a meter. No key material enters the trace.
        layouts: record layouts known so far, for compact frames.
        model: the meter's model, for names and payloads of the manufacturer's own; ``None`` = find it.
    """
    once = KeysOnce(keys)
    try:
        tidy = _settled(link.normalise(frame), once, layouts)
        layers = begin(tidy)
    except DecodeError as fault:
        return Trace(frame, _unframed(frame, fault), fault.known, fault)
    error = _read(layers, once, layouts)
    laid = explain(layers, error).laid
    found, error = _by_model(layers.telegram(), error, once, model)
    spans = explain_payload(laid, found.payload)
    if found.telegram is not None:
        spans = explain_names(spans, found.telegram, found.model)
    return Trace(frame, tuple(_as_received(frame, tidy, spans)), found.telegram, error, found.model)


def _settled(frame: link.Frame, keys: Keys, layouts: Layouts | None) -> link.Frame:
    """Give the frame at the length it is decoded at.

    Raises:
        DecodeError: bytes are missing at its end.
    """
    if not (frame.missing or frame.trailer):
        return frame
    try:
        size = len(decode_frame(frame, keys, layouts).frame)
    except DecodeError:
        if frame.missing:
            raise
        return frame
    more = size - len(frame.data)
    data = bytes((size - 1,)) + frame.data[1:] + frame.trailer[:more]
    return frame._replace(data=data, trailer=frame.trailer[more:]) if more else frame


class _Found(NamedTuple):
    """As :class:`decoders.reading.Understood`, but perhaps of no telegram."""

    telegram: Telegram | None
    model: Model | None
    payload: Payload = NOT_MINE


def _by_model(
    telegram: Telegram | None, error: DecodeError | None, keys: Keys, model: Model | None
) -> tuple[_Found, DecodeError | None]:
    """Let the meter's model read a payload of the manufacturer's own."""
    if telegram is None:
        return _Found(None, None), error
    try:
        understood = rescue(error, keys, model) if error else complete(telegram, keys, model)
    except DecodeError as fault:
        return _Found(telegram, model or detect(telegram)), fault
    return _Found(*understood), None


def _unframed(frame: bytes, fault: DecodeError) -> tuple[Span, ...]:
    """Lay one span over bytes without a link layer."""
    return (Span(0, frame, "link", "not read", fault.message, Understanding.NOT),) if frame else ()


def _read(layers: Layers, keys: Keys, layouts: Layouts | None) -> DecodeError | None:
    """Read as far as it goes; return why it went no further."""
    try:
        read_headers(layers, keys)
        if layers.header is not None:
            read_application(layers, keys, layouts)
    except DecodeError as error:
        error.known = error.known or layers.telegram()
        return error
    return None


def _as_received(raw: bytes, frame: link.Frame, spans: list[Span]) -> Iterator[Span]:
    """Put checksums and trailer back between the spans, and count offsets as received."""
    position = 0  # in the frame without checksums
    for start, end in _blocks(raw, frame):
        limit = position + end - start
        for span in spans:
            first, last = max(span.offset, position), min(span.offset + len(span.raw), limit)
            if first < last:
                at, to = start + first - position, start + last - position
                yield span.part(first - span.offset, last - span.offset, at, raw[at:to])
        if frame.crc != "none":
            yield Span(end, raw[end : end + 2], "link", "block checksum", "fits")
        position = limit
    if frame.trailer:
        at = len(raw) - len(frame.trailer)
        yield Span(at, frame.trailer, "receiver", "appended by the receiver", "", Understanding.NOT)


def _blocks(raw: bytes, frame: link.Frame) -> list[tuple[int, int]]:
    """Return where the frame's bytes stand among those received."""
    if frame.crc == "none":
        return [(0, len(frame.data))]
    return blocks_a(raw[0]) if frame.crc == "A" else blocks_b(raw[0])
