"""GWF water meter: three bytes behind its records, for faults, power mode and battery."""

from __future__ import annotations

from decimal import Decimal

from decoders.payload import NOT_MINE, Payload, Sent, standard, told, truncated

__all__ = ["read_payload"]

_KNOWN = 0x01
_SIZE = 3


def read_payload(sent: Sent) -> Payload:
    """Read the bytes if the first says that it knows them; else tell the first."""
    piece = sent.manufacturer_data
    if not len(piece):
        return NOT_MINE
    if piece[0] != _KNOWN:
        return Payload((standard("41FD17", piece.cut(0, 1), "manufacturer data of an unknown form"),))
    if len(piece) < _SIZE:
        return Payload(sound=False, faults=(truncated(piece, _SIZE),))
    half_years = Decimal(piece[2] >> 3)
    return Payload(
        (
            standard("01FD17", piece.cut(1, 2)),
            standard("01FF01", piece.cut(2, 3)),
            told("FDFD03", half_years / 2, piece.cut(2, 3)),
        )
    )
