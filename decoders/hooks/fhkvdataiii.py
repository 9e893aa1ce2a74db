"""Techem FHKV data III: heat cost allocator with one or two temperature sensors; version 64 tells none."""

from __future__ import annotations

from collections.abc import Mapping

from decoders.packed_dates import DayMonth, day_month, following, type_t
from decoders.payload import NOT_MINE, Payload, Piece, Sent, refused, standard
from decoders.telegram import Record

__all__ = ["read_payload"]

_CIS = frozenset({0xA0, 0xA2})
_TEMPERATURES: Mapping[int, int] = {0x01: 9, 0x11: 9, 0x0F: 10}
"""First byte of the payload -> where the temperatures stand."""
_WITHOUT_TEMPERATURES = frozenset({"64"})
"""Versions that send zeros in their place, by observation."""


def read_payload(sent: Sent) -> Payload:
    """Read consumption of this season and the last, both dates, room and radiator temperature.

    Raises:
        LayerError: ``manufacturer_specific`` for other first bytes, ``truncated``.
    """
    piece = sent.application
    if sent.ci not in _CIS:
        return NOT_MINE
    layout = piece[0] if len(piece) else -1
    if layout not in _TEMPERATURES:
        raise refused(piece, "the first byte is none of 01, 0F, 11")
    temperatures = (
        () if sent.telegram.meter.version in _WITHOUT_TEMPERATURES else _temperatures(piece, layout)
    )
    return Payload(
        (
            standard("426C", Piece(type_t(piece.cut(1, 3).unsigned()), piece.at + 1)),
            standard("426E", piece.cut(3, 5)),
            standard("026C", _today(piece), "the year is inferred"),
            standard("026E", piece.cut(7, 9)),
            *temperatures,
        ),
        whole=True,
    )


def _temperatures(piece: Piece, layout: int) -> tuple[Record, Record]:
    """Give room and radiator temperature."""
    at = _TEMPERATURES[layout]
    return standard("0265", piece.cut(at, at + 2)), standard("0259", piece.cut(at + 2, at + 4))


def _today(piece: Piece) -> Piece:
    """Give today its year; a day 0 is the first, a month 0 is December."""
    found = day_month(piece.cut(5, 7).unsigned())
    today = DayMonth(found.month or 12, found.day or 1)
    return Piece(following(piece.cut(1, 3).unsigned(), today), piece.at + 5)
