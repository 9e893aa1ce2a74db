"""Compact and format frames: records without their headers, and the headers without their records.

::

    format frame    length(1)  signature(2)  DIB VIB  DIB VIB ...
    compact frame   signature(2)  checksum of the full frame(2)  data  data ...

The signature is the checksum over all headers of the full frame; a receiver that has heard a full frame or a
format frame of the same kind of meter puts the headers back. Sixteen bits collide, so what comes out must
have the checksum of the full frame. Source: EN 13757-3:2018, annex G. Layouts with manufacturer data (DIF 0F)
are not learnt: whether 0F enters the signature is not described in public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from decoders.errors import DecodeError, LayerError
from decoders.telegram import Record
from decoders.wmbus.crc import crc_little
from decoders.wmbus.header import describe
from decoders.wmbus.layouts import headers_of, split_headers
from decoders.wmbus.records import FILLER, MOST_LEFT_OVER, Walk, walk
from decoders.wmbus.values import variable_length

__all__ = [
    "FORMAT_HEAD",
    "HEAD",
    "compact_frame",
    "format_frame",
    "read_compact",
    "read_format",
    "signature_in",
]

HEAD = 4
"""Bytes before the data of a compact frame: signature and checksum of the full frame."""

FORMAT_HEAD = 3
"""Bytes before the headers of a format frame: length and signature."""


def read_compact(plain: bytes, offset: int, candidates: Sequence[bytes], *, intact: bool = False) -> Walk:
    """Put the headers back and read the records.

    Args:
        plain: application bytes from the signature on.
        offset: where ``plain[0]`` stands in the frame. A record's place is that of its data.
        candidates: layouts known by this signature, in the order to try.
        intact: an outer layer's checksum proves that the bytes are those the meter sent.

    Returns:
        The records, ``verified`` by the checksum of the full frame; or one fault: ``truncated``,
        ``unknown_layout``, ``wrong_layout``. Of an intact frame that a layout fits to the last byte the
        records are given beside the fault: there are meters whose checksum never fits.
    """
    if len(plain) < HEAD:
        return _fault("truncated", "the compact frame ends before its data", offset + len(plain))
    for headers in candidates:
        found = _expanded(headers, plain, offset)
        if found and found.verified:
            return found
    shown: Mapping[str, str | int] = {"signature": plain[:2].hex(), "layouts": len(candidates)}
    if not candidates:
        said = "a compact frame: its record layout is not in the telegram, and no full frame was heard yet"
        return _fault("unknown_layout", said, offset, shown)
    said = "the checksum of the full frame does not fit the layout known by this signature"
    wrong = _fault("wrong_layout", said, offset, shown)
    first = _expanded(candidates[0], plain, offset) if intact and len(candidates) == 1 else None
    return replace(first, faults=wrong.faults) if first else wrong


def signature_in(plain: bytes) -> int:
    """Give the signature of a compact frame; 0 where it is too short to have one."""
    return int.from_bytes(plain[:2], "little")


def read_format(plain: bytes, offset: int) -> tuple[bytes, Walk]:
    """Read a format frame.

    Args:
        plain: application bytes from the length on.
        offset: where ``plain[0]`` stands in the frame.

    Returns:
        All headers, and a walk without records; the walk has the fault if there is one: ``truncated``,
        ``wrong_layout``.
    """
    end = 1 + plain[0] if plain else FORMAT_HEAD
    if len(plain) < end or end < FORMAT_HEAD:
        return b"", _fault("truncated", "the format frame ends too early", offset + len(plain))
    signature, headers = plain[1:FORMAT_HEAD], plain[FORMAT_HEAD:end]
    if crc_little(headers) != signature:
        shown = {"signature": signature.hex(), "computed": crc_little(headers).hex()}
        return b"", _fault("wrong_layout", "the headers do not have this signature", offset, shown)
    if not split_headers(headers):
        said = "these are not headers of records"
        return b"", _fault("wrong_layout", said, offset + FORMAT_HEAD)
    rest = plain[end:].strip(bytes((FILLER,)))
    if len(rest) > MOST_LEFT_OVER:
        return b"", _fault("wrong_layout", f"{len(rest)} bytes follow the headers", offset + end)
    return headers, Walk(leftover=rest, verified=True)


def compact_frame(plain: bytes) -> bytes:
    """Give what follows CI 79 for the records of a full frame.

    Args:
        plain: what follows CI 78: records, all of them whole; no manufacturer data.
    """
    records = walk(plain, 0).records
    full = b"".join(record.dib + record.vib + record.data for record in records)
    data = b"".join(record.data for record in records)
    return crc_little(headers_of(records)) + crc_little(full) + data


def format_frame(headers: bytes) -> bytes:
    """Give what follows CI 69 for these headers, at most 253 bytes."""
    return bytes((2 + len(headers),)) + crc_little(headers) + headers


def _expanded(headers: bytes, plain: bytes, offset: int) -> Walk | None:
    """Read the data by these headers; ``None`` if they do not fill the frame."""
    cut = _cut(split_headers(headers), plain, HEAD)
    if cut is None:
        return None
    pieces, end = cut
    full = b"".join(header + data for header, data in zip(split_headers(headers), pieces, strict=True))
    rest = plain[end:].lstrip(bytes((FILLER,)))
    if len(rest) > MOST_LEFT_OVER:
        return None
    records = _in_place(walk(full, 0).records, offset + HEAD)
    return Walk(records, leftover=rest, verified=crc_little(full) == plain[2:HEAD])


def _in_place(records: Sequence[Record], at: int) -> tuple[Record, ...]:
    """Say where the data of each record stand in the frame."""
    placed = []
    for record in records:
        placed.append(replace(record, offset=at))
        at += len(record.data)
    return tuple(placed)


def _cut(headers: Sequence[bytes], plain: bytes, at: int) -> tuple[list[bytes], int] | None:
    """Cut the data of each header, and say where they end; ``None`` if they end too early."""
    pieces = []
    for header in headers:
        size = describe(header).size
        if size is None:
            more = variable_length(plain[at]) if at < len(plain) else None
            if more is None:
                return None
            size = 1 + more
        pieces.append(plain[at : at + size])
        at += size
    return (pieces, at) if at <= len(plain) else None


def _fault(code: str, said: str, offset: int, evidence: Mapping[str, str | int] | None = None) -> Walk:
    fault: DecodeError = LayerError(code, said, offset=offset, evidence=evidence)
    return Walk(faults=(fault,))
