"""Link layer: bytes as a receiver gives them -> one L-delimited frame without checksums -> its header.

Receivers differ: most strip the block checksums and correct L, some leave both, some strip and forget L,
some append signal strength or time. :func:`normalise` brings all of them to one form and says what it did.

Without a word from the receiver the form is found out from the bytes: format A, then format B, if all
their checksums verify (EN 13757-4). A frame of format B and a frame without checksums have the same length,
so one frame in 65536 without checksums is taken for format B and loses its last two bytes, and a damaged
frame of format B is taken for one without. A receiver's adapter that knows better says so with ``crc``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from decoders.errors import FrameError
from decoders.wmbus import blocks, wired
from decoders.wmbus.address import identity
from metering.meter import MeterId

__all__ = [
    "CONTROL",
    "DIEHL",
    "TRAILER_LIMIT",
    "Control",
    "Crc",
    "Frame",
    "LinkHeader",
    "cut_short",
    "header",
    "normalise",
    "split",
]

Crc = Literal["A", "B", "none"]
"""Which block checksums the bytes hold: frame format A, frame format B, or none."""

_OFF_BY = frozenset({1, 3})
"""By so much people have seen L wrong."""
TRAILER_LIMIT = 8
"""Bytes a receiver may append (signal strength, time); more than that is no trailer but another length."""


class Control(NamedTuple):
    """One C field: its name and whether a meter says something with it."""

    name: str
    from_meter: bool


CONTROL: Mapping[int, Control] = {
    0x40: Control("SND-NKE", from_meter=False),
    0x43: Control("SND-UD2", from_meter=False),
    0x45: Control("SND-UD3", from_meter=False),
    **dict.fromkeys((0x53, 0x73), Control("SND-UD", from_meter=False)),
    **dict.fromkeys((0x5A, 0x7A), Control("REQ-UD1", from_meter=False)),
    **dict.fromkeys((0x5B, 0x7B), Control("REQ-UD2", from_meter=False)),
    0x06: Control("CNF-IR", from_meter=False),
    0x44: Control("SND-NR", from_meter=True),
    0x46: Control("SND-IR", from_meter=True),
    0x47: Control("ACC-NR", from_meter=True),
    0x48: Control("ACC-DMD", from_meter=True),
    **dict.fromkeys((0x00, 0x10, 0x20, 0x30), Control("ACK", from_meter=False)),
    **dict.fromkeys((0x01, 0x11, 0x21, 0x31), Control("NACK", from_meter=False)),
    **dict.fromkeys((0x08, 0x18, 0x28, 0x38), Control("RSP-UD", from_meter=True)),
}
"""C field -> meaning (EN 13757-4); bit 7, set by some repeaters, is not part of the code."""


class Frame(NamedTuple):
    """One frame in its one form, and what was done to get there.

    Attributes:
        data: L-delimited bytes without checksums; a wired frame whole, ``68`` to ``16``.
        crc: block checksums that were verified and removed.
        length_was: L as received, where it did not fit the bytes and was corrected.
        trailer: bytes after the end of the frame, dropped.
        wired: a wired M-Bus frame.
        missing: so many bytes more L says than came, where only what stands in the frame can prove that it is
            wrong, not the frame cut (:mod:`decoders.lengths`).
    """

    data: bytes
    crc: Crc = "none"
    length_was: int | None = None
    trailer: bytes = b""
    wired: bool = False
    missing: int = 0


class LinkHeader(NamedTuple):
    """The first ten bytes.

    Attributes:
        control: C field without bit 7.
        sender: who transmits.
        address: its eight bytes as transmitted: M, then A.
    """

    control: int
    sender: MeterId
    address: bytes


def normalise(raw: bytes, *, crc: Crc | None = None) -> Frame:
    """Bring received bytes to one L-delimited frame without checksums.

    Args:
        raw: one frame as received, L or ``68`` first.
        crc: block checksums the receiver is known to leave in; ``None`` = find out.

    Raises:
        FrameError: ``not_a_frame``, ``truncated``, ``bad_length``, ``bad_crc``, ``bad_checksum``.
    """
    if wired.looks_wired(raw):
        end = wired.check(raw)
        return Frame(raw[:end], trailer=_trailer(raw, end), wired=True)
    if len(raw) < 10 or (raw[1] & 0x7F) not in CONTROL:
        raise FrameError(
            "not_a_frame", "a frame begins with its length and a known C field", evidence=_shown(raw)
        )
    if crc == "A" or (crc is None and blocks.is_format_a(raw)):
        return _from_format_a(raw)
    if crc == "B" or (crc is None and blocks.is_format_b(raw)):
        return _from_format_b(raw)
    return _without_crc(raw)


def split(raw: bytes) -> list[bytes]:
    """Split a buffer that several L-delimited frames fill exactly; anything else is given back whole.

    A piece counts as a frame when it begins with a known C field and has a manufacturer.
    """
    if wired.looks_wired(raw):
        return [raw]
    pieces = []
    start = 0
    while start < len(raw):
        end = start + raw[start] + 1
        if end > len(raw) or not _begins_a_frame(raw[start : start + 10]):
            return [raw]
        pieces.append(raw[start:end])
        start = end
    return pieces or [raw]


def header(data: bytes) -> LinkHeader:
    """Read C, M and A of a wireless frame (EN 13757-4).

    The Diehl family sends version and type before the number in frames of its own making.

    Raises:
        FrameError: ``not_a_frame`` if M holds no letters.
    """
    address = data[2:10]
    plain = identity(address)
    if plain is None:
        raise FrameError(
            "not_a_frame", "the manufacturer code holds no letters", offset=2, evidence={"m": data[2:4].hex()}
        )
    sender = _diehl(plain, data) if plain.manufacturer in DIEHL else plain
    return LinkHeader(data[1] & 0x7F, sender, address)


# --- with and without checksums ------------------------------------------------------------------


def _from_format_a(raw: bytes) -> Frame:
    length = raw[0]
    end = blocks.size_a(length)
    return _checked(raw, "A", blocks.blocks_a(length), end)


def _from_format_b(raw: bytes) -> Frame:
    length = raw[0]
    if not blocks.fits_format_b(length):
        raise FrameError("bad_length", f"no frame of format B has the length {length}", evidence=_shown(raw))
    return _checked(raw, "B", blocks.blocks_b(length), length + 1)


def _checked(raw: bytes, name: Literal["A", "B"], parts: list[tuple[int, int]], end: int) -> Frame:
    """Check every block and remove the checksums."""
    if len(raw) < end:
        raise _truncated(raw, end)
    for number, (start, stop) in enumerate(parts, 1):
        if not blocks.holds(raw, start, stop):
            raise FrameError(
                "bad_crc",
                f"the checksum of block {number} does not match (format {name})",
                offset=start,
                evidence={"format": name, "block": number, "start": start, "end": stop},
            )
    return Frame(blocks.joined(raw, parts), name, trailer=_trailer(raw, end))


def _without_crc(raw: bytes) -> Frame:
    """Take L at its word, or correct it where a receiver removed checksums of format B and left L alone.

    Some trim one checksum, some two or as much as two; a frame with two does not lose just one.
    """
    length, size = raw[0], len(raw)
    if length < 9:
        raise FrameError("bad_length", f"length {length} holds no address", evidence=_shown(raw))
    if size == length - 3 or (size == length - 1 and length <= 127):
        return Frame(bytes((size - 1,)) + raw[1:], length_was=length)
    if length + 1 - size in _OFF_BY:
        return Frame(bytes((size - 1,)) + raw[1:], length_was=length, missing=length + 1 - size)
    if size < length + 1:
        raise _truncated(raw, length + 1)
    return Frame(raw[: length + 1], trailer=_trailer(raw, length + 1))


def cut_short(frame: Frame) -> FrameError:
    """Say that the bytes that L counts and that did not come are missing."""
    return _truncated(frame.data, len(frame.data) + frame.missing)


def _trailer(raw: bytes, end: int) -> bytes:
    """Give the bytes after the end, if few enough to be a receiver's addition."""
    if len(raw) - end > TRAILER_LIMIT:
        raise FrameError(
            "bad_length",
            f"{len(raw) - end} bytes follow the end of the frame",
            evidence={"received": len(raw), "expected": end},
        )
    return raw[end:]


def _truncated(raw: bytes, expected: int) -> FrameError:
    return FrameError(
        "truncated",
        f"the frame says {expected} bytes, {len(raw)} came",
        offset=len(raw),
        evidence={"received": len(raw), "expected": expected},
    )


def _shown(raw: bytes) -> dict[str, str | int]:
    return {"received": len(raw), "begins": raw[:12].hex()}


def _begins_a_frame(start: bytes) -> bool:
    return (
        len(start) == 10
        and start[0] >= 9
        and (start[1] & 0x7F) in CONTROL
        and identity(start[2:10]) is not None
    )


# --- the Diehl family ----------------------------------------------------------------------------

DIEHL = frozenset({"DME", "HYD", "EWT", "SAP", "SPL"})
"""Manufacturer codes of the Diehl family."""

_PRIOS = range(0xA0, 0xA8)
_SWAPPED_CI = frozenset({0x71, 0xB1, 0xB2, 0xB3, *_PRIOS})


def _diehl(plain: MeterId, data: bytes) -> MeterId:
    """Read the address of a Diehl frame; with standard CI fields it is the standard one."""
    if data[1] & 0x7F not in {0x44, 0x46} or len(data) < 15:
        return plain
    ci = data[10]
    if plain.manufacturer == "SAP" and ci in _PRIOS:
        # PRIOS of Sappel: the byte in the version's place belongs to the printed number.
        return MeterId("SAP", data[7:3:-1].hex().upper(), "00", "07")
    if ci in _SWAPPED_CI or (ci == 0x7A and data[14] & 0x10):
        return MeterId(plain.manufacturer, data[9:5:-1].hex().upper(), f"{data[4]:02x}", f"{data[5]:02x}")
    return plain
