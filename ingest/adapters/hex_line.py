"""Bare frames in hexadecimal: one a line, or several end to end; no time, no signal strength."""

from __future__ import annotations

from collections.abc import Sequence

from decoders.wmbus.link import split
from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import frame_of, read_lines
from ingest.items import Delivery, Item, Unreadable
from metering.uplink import FrameUplink, Reception

__all__ = ["CARD", "read"]


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of bare frames."""
    return read_lines(delivery, name, _line)


def _line(line: str, reception: Reception) -> Sequence[FrameUplink | Unreadable]:
    try:
        return [FrameUplink(reception, frame) for frame in split(frame_of(line))]
    except ValueError:
        return [Unreadable("bad_hex", f"{line[:64]!a} is not a frame in hexadecimal")]


CARD = Card(
    name="hex",
    says="Bare frames in hexadecimal, one a line or several end to end; no time, no signal strength.",
    topics=("wmbus/+/hex",),
    example=("wmbus/roof/hex", "144443047856341201077a0100000004131e1e0000"),
    make=without_options(read),
)
