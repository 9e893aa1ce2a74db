"""BMeters RFM-TX1: total hidden behind the access number and four tables, then date and time.

A frame of fixed positions under a security mode that is none (16). Only row 5 of the tables has been seen in
a real telegram; the others are as published.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from decoders.packed_dates import bcd_moment
from decoders.payload import BY_OBSERVATION, NOT_MINE, Payload, Piece, Sent, refused, told, truncated

__all__ = ["hidden", "read_payload"]

_CIS = (0x7A,)
_MODES = frozenset({0, 16})
_ACCESS, _TOTAL, _CLOCK, _END = 11, 17, 28, 34
_PROVED_ROW = 5
_LITRE = Decimal("0.001")

_TABLES = tuple(
    bytes.fromhex(row)
    for row in (
        "7A70B97907329CB40AF0160C4A77BD39",
        "10130B079AA17EC4CE0598C9482E786F",
        "1A228E4ACB39608019A5117DE48A5728",
        "0A139916690E99A303865EA21FE88C05",
    )
)


def read_payload(sent: Sent) -> Payload:
    """Read total, date and time.

    Raises:
        LayerError: ``truncated``; ``manufacturer_specific`` if the total has no decimal digits.
    """
    frame = Piece(sent.telegram.frame, 0)
    mode = sent.telegram.security.mode
    if sent.telegram.ci != _CIS or mode not in _MODES or (mode == 0 and len(frame) < _END):
        return NOT_MINE
    if len(frame) < _END:
        raise truncated(frame, _END)
    source = frame.cut(_TOTAL, _TOTAL + 4)
    digits = bytes(hidden(source.data, frame[_ACCESS]))[::-1].hex()
    clock = frame.cut(_CLOCK, _END)
    now = bcd_moment(clock.data[::-1])
    if mode == 0 and not (digits.isdecimal() and now):
        return NOT_MINE
    if not digits.isdecimal():
        raise refused(source, f"the total has the digits {digits.upper()}")
    remark = "" if frame[_ACCESS] & 0x0F == _PROVED_ROW else BY_OBSERVATION
    return Payload(
        (told("13", int(digits) * _LITRE, source, remark=remark), told("6D", now, clock)), whole=True
    )


def hidden(data: bytes, access: int) -> Iterator[int]:
    """Hide four bytes, or show them again."""
    for byte, table in zip(data, _TABLES, strict=True):
        yield byte ^ access ^ table[access & 0x0F]
