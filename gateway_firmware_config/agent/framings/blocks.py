"""Frame formats A and B of EN 13757-4: check the block checksums and take them out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway_firmware_config.agent.framings.checksums import crc16_en13757

__all__ = ["Checked", "format_a", "format_b"]


class Checked(NamedTuple):
    """A frame whose checksums hold, without them, and what came after it."""

    frame: bytes
    trailer: bytes


def format_a(raw: bytes) -> Checked | None:
    """Check a frame of format A (blocks of 10, 16, 16, ... bytes); ``None`` if it is none.

    L counts no checksums there.
    """
    if not raw or raw[0] < 9:
        return None
    return _checked(raw, list(_blocks_a(raw[0])), length=raw[0])


def format_b(raw: bytes) -> Checked | None:
    """Check a frame of format B (blocks of up to 126 bytes); ``None`` if it is none.

    L counts checksums there; it is put right when they are taken out.
    """
    if not raw or raw[0] < 12 or raw[0] in {128, 129}:  # a third block cannot be that short
        return None
    parts = [(0, min(raw[0] - 1, 126))]
    if raw[0] > 127:
        parts.append((128, raw[0] - 1))
    return _checked(raw, parts, length=raw[0] - 2 * len(parts))


def _blocks_a(length: int) -> Iterator[tuple[int, int]]:
    """Give where the data of each block begins and ends in the bytes on the air."""
    yield 0, 10
    start, left = 12, length - 9
    while left > 0:
        yield start, start + min(left, 16)
        start, left = start + 18, left - 16


def _checked(raw: bytes, parts: list[tuple[int, int]], length: int) -> Checked | None:
    if len(raw) < parts[-1][1] + 2 or not all(_holds(raw, *part) for part in parts):
        return None
    frame = b"".join(raw[start:end] for start, end in parts)
    return Checked(bytes((length,)) + frame[1:], raw[parts[-1][1] + 2 :])


def _holds(raw: bytes, start: int, end: int) -> bool:
    return crc16_en13757(raw[start:end]) == int.from_bytes(raw[end : end + 2], "big")
