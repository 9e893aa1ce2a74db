"""Messages of text lines, each line one or more items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ingest.items import UNKNOWN_GATEWAY, Delivery, Item, Said, Unreadable
from metering.uplink import FrameUplink, Reception

__all__ = ["frame_of", "gateway_name", "read_lines"]

_NOISE = re.compile(r"0[xX]|[\s|_]")

LineReader = Callable[[str, Reception], Sequence[FrameUplink | Unreadable]]


def gateway_name(segment: str) -> str | None:
    """Make a gateway name of a topic level; ``None`` if nothing of a name is left.

    What a name may not hold becomes ``_``: devices that publish bare frames carry names people gave them
    (``Keller Süd``).
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", segment.strip())[:64]
    return name if name.strip("_-") else None


def frame_of(text: str) -> bytes:
    """Read hexadecimal with the ornaments people and tools put into it: blanks, ``0x``, ``|``, ``_``.

    Raises:
        ValueError: not hexadecimal, or nothing.
    """
    frame = bytes.fromhex(_NOISE.sub("", text))
    if not frame:
        raise ValueError("no hexadecimal digits")
    return frame


def read_lines(delivery: Delivery, segment: str, read_line: LineReader) -> Sequence[Item]:
    """Read a message line by line.

    What cannot be read is one unreadable item per line, or one in all if no line can be read.
    """
    gateway = gateway_name(segment)
    if gateway is None:
        nameless = Unreadable("bad_topic", f"topic level {segment[:80]!a} cannot name a gateway")
        return [_whole(delivery, UNKNOWN_GATEWAY, nameless)]
    try:
        lines = [line for line in delivery.payload.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as wrong:
        return [_whole(delivery, gateway, Unreadable("bad_hex", f"not text at byte {wrong.start}"))]
    reception = Reception(
        gateway, delivery.received_at, delivery.received_at, redelivered=delivery.redelivered
    )
    items = [
        Item(gateway, said, source, delivery)
        for line, source in ((line, line.encode()) for line in lines)
        for said in _one_complaint(read_line(line, reception))
    ]
    unreadable = [item.said for item in items if isinstance(item.said, Unreadable)]
    if len(unreadable) < len(items):
        return items
    first = unreadable[0] if unreadable else Unreadable("bad_hex", "an empty message")
    return [_whole(delivery, gateway, first)]


def _one_complaint(found: Sequence[FrameUplink | Unreadable]) -> Iterator[FrameUplink | Unreadable]:
    """Keep only the first unreadable part of a line: the line is kept with it, and once is enough."""
    complained = False
    for said in found:
        if not (complained and isinstance(said, Unreadable)):
            yield said
        complained |= isinstance(said, Unreadable)


def _whole(delivery: Delivery, gateway: str, said: Said) -> Item:
    return Item(gateway, said, delivery.payload, delivery)
