"""Apator NA-1: one AES block under the meter's key, inside a telegram that says nothing of encryption.

::

    access number, status of the frame, 16 encrypted bytes:
    2F  total(4)  seconds since 2000(4)  age and difference of an older value(5)  status now  status then

The leading ``2F`` and a difference that is not above the total are the only check of the key: one wrong key
in some three hundred passes, so the telegram does not count as verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from decoders.errors import SecurityError
from decoders.payload import NOT_MINE, Payload, Piece, Sent, refused, standard, told
from decoders.wmbus.ciphers import BLOCK, cbc_iv, decrypt_cbc

__all__ = ["read_payload"]

_CIS = frozenset({0xA0, 0xA1})
_SIZE = 2 + BLOCK
_MARK = 0x2F
_LITRE = Decimal("0.001")
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  the meter's local time


def read_payload(sent: Sent) -> Payload:
    """Decrypt and read the total, an older total and three status bytes.

    Raises:
        LayerError: ``manufacturer_specific`` if the payload has another length.
        SecurityError: ``missing_key``, ``bad_key``, ``wrong_key``.
    """
    piece = sent.application
    if sent.ci not in _CIS:
        return NOT_MINE
    if len(piece) != _SIZE:
        raise refused(piece, f"{len(piece)} bytes instead of {_SIZE}")
    return _read(piece.cut(1, 2), _open(piece, sent))


def _open(piece: Piece, sent: Sent) -> Piece:
    """Decrypt with the first key that gives sense."""
    keys = _usable(sent.keys(sent.telegram.meter), piece.at + 2)
    iv = cbc_iv(sent.telegram.frame[2:10], piece[0])
    for key in keys:
        clear = Piece(decrypt_cbc(key, iv, piece.data[2:]), piece.at + 2)
        if clear[0] == _MARK and _difference(clear) <= _count(clear):
            return clear
    raise SecurityError(
        "wrong_key",
        f"none of {len(keys)} key(s) fits",
        offset=piece.at + 2,
        evidence={"keys_tried": len(keys)},
    )


def _usable(keys: Sequence[bytes], offset: int) -> list[bytes]:
    if not keys:
        raise SecurityError("missing_key", "encrypted inside, and no key is known", offset=offset)
    usable = [key for key in keys if len(key) == BLOCK]
    if not usable:
        raise SecurityError("bad_key", "a key has 16 bytes", offset=offset, evidence={"keys": len(keys)})
    return usable


def _read(frame_status: Piece, clear: Piece) -> Payload:
    """Read the block: one sixteenth of the counts comes beside a decimal exponent."""
    unit = _LITRE.scaleb(clear[1] >> 4 & 3)
    then = _count(clear) - _difference(clear)
    hours = (clear[10] >> 2) << 8 | clear[9]
    now = _EPOCH + timedelta(seconds=clear.cut(5, 9).unsigned())
    total, older, age = clear.cut(1, 5), clear.cut(10, 14), clear.cut(9, 11)
    return Payload(
        (
            told("13", _count(clear) * unit, total),
            told("6D", now, clear.cut(5, 9)),
            told("13", then * unit, older, storage=1),
            told("6D", now - timedelta(hours=hours), age, storage=1),
            told("76", Decimal(hours * 3600), age, storage=1),
            standard("01FF01", frame_status),
            standard("01FD17", clear.cut(14, 15)),
            standard("41FD17", clear.cut(15, 16)),
        ),
        whole=True,
        encrypted=True,
    )


def _count(clear: Piece) -> int:
    word = clear.cut(1, 5).unsigned()
    return (word >> 8) << 4 | word & 0x0F


def _difference(clear: Piece) -> int:
    """How many counts the older value lies below the total."""
    return clear.cut(11, 14).unsigned() << 2 | clear[10] & 3
