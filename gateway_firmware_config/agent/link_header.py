"""Who sends a frame: as much of the link layer as receivers, filters and thinning need."""

from __future__ import annotations

from collections.abc import Iterator

from metering.meter import MeterId

__all__ = ["begins_a_frame", "is_frame", "senders"]

_FROM_METER = frozenset({0x44, 0x46, 0x47, 0x48, 0x08, 0x18, 0x28, 0x38})
"""C fields a meter sends (EN 13757-4), without bit 7, which repeaters set."""

_WITHOUT_CI = 9
"""L of an ACC-NR that ends with its address."""

_VERSION_AND_TYPE_FIRST = frozenset({"DME", "HYD", "EWT", "SAP", "SPL"})
"""Manufacturers of the Diehl family, which send some frames with version and type before the number."""

_WIRED_LONG_HEADER = frozenset({0x72, 0x76})


def begins_a_frame(data: bytes | bytearray) -> bool:
    """Whether bytes look like L, C and M of a frame from a meter; needs four of them to say so."""
    return (
        len(data) >= 4
        and data[0] >= _WITHOUT_CI
        and data[1] & 0x7F in _FROM_METER
        and _manufacturer(data[2:4]) is not None
    )


def is_frame(data: bytes) -> bool:
    """Whether bytes are one whole frame: a plausible beginning, and L says how long they are."""
    return begins_a_frame(data) and len(data) == data[0] + 1


def senders(frame: bytes) -> Iterator[MeterId]:
    """Give the identities a frame may have come from: one, two for the Diehl family, none if unreadable."""
    if frame[:1] == b"\x68":
        if len(frame) > 15 and frame[6] in _WIRED_LONG_HEADER:
            yield from _identity(frame[11:13], frame[7:11], frame[13:15])
        return
    if len(frame) < 10:
        return
    yield from _identity(frame[2:4], frame[4:8], frame[8:10])
    if _manufacturer(frame[2:4]) in _VERSION_AND_TYPE_FIRST:
        yield from _identity(frame[2:4], frame[6:10], frame[4:6])


def _identity(maker: bytes, serial: bytes, kind: bytes) -> Iterator[MeterId]:
    letters = _manufacturer(maker)
    if letters is not None:
        yield MeterId(letters, serial[::-1].hex().upper(), kind[:1].hex(), kind[1:].hex())


def _manufacturer(field: bytes | bytearray) -> str | None:
    """Read the three letters of the M field (EN 13757-7): five bits each, 1 = A; bit 15 is none of them."""
    value = int.from_bytes(field, "little") & 0x7FFF
    numbers = (value >> 10, value >> 5 & 31, value & 31)
    return "".join(chr(64 + one) for one in numbers) if all(1 <= one <= 26 for one in numbers) else None
