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
from decoders.payload import Piece, Sent, refused
from decoders.rows import NO_TABLE, Table, field, value
from decoders.wmbus.ciphers import BLOCK, cbc_iv, decrypt_cbc

__all__ = ["read_table"]

_CIS = frozenset({0xA0, 0xA1})
_SIZE = 2 + BLOCK
_MARK = b"\x2f"
_LITRE = Decimal("0.001")
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  the meter's local time


def read_table(sent: Sent) -> Table:
    """Decrypt and read the total, an older total and three status bytes.

    Raises:
        LayerError: ``manufacturer_specific`` if the payload has another length.
        SecurityError: ``missing_key``, ``bad_key``, ``wrong_key``.
    """
    piece = sent.application
    if sent.ci not in _CIS:
        return NO_TABLE
    if len(piece) != _SIZE:
        raise refused(piece, f"{len(piece)} bytes instead of {_SIZE}")
    keys = _usable(sent.keys(sent.telegram.meter), piece.at + 2)
    clear = _open(sent.telegram.frame[: piece.at + _SIZE], keys)
    if clear is None:
        raise SecurityError(
            "wrong_key",
            f"none of {len(keys)} key(s) fits",
            offset=piece.at + 2,
            evidence={"keys_tried": len(keys)},
        )
    opened = Piece(clear[-_SIZE:], piece.at)
    return Table(opened, _ROWS, whole=True, encrypted=True, open=_open)


def _open(frame: bytes, keys: Sequence[bytes]) -> bytes | None:
    """Decrypt with the first key that gives sense."""
    iv = cbc_iv(frame[2:10], frame[-_SIZE])
    for key in keys:
        clear = decrypt_cbc(key, iv, frame[-BLOCK:]) if len(key) == BLOCK else b""
        if clear[:1] == _MARK and _difference(clear[1:]) <= _count(clear[1:]):
            return frame[:-BLOCK] + clear
    return None


def _usable(keys: Sequence[bytes], offset: int) -> list[bytes]:
    if not keys:
        raise SecurityError("missing_key", "encrypted inside, and no key is known", offset=offset)
    usable = [key for key in keys if len(key) == BLOCK]
    if not usable:
        raise SecurityError("bad_key", "a key has 16 bytes", offset=offset, evidence={"keys": len(keys)})
    return usable


# --- the block, from behind its mark; one sixteenth of the counts comes beside a decimal exponent ---


def _count(data: bytes) -> int:
    word = int.from_bytes(data[:4], "little")
    return (word >> 8) << 4 | word & 0x0F


def _difference(data: bytes) -> int:
    """How many counts the older value lies below the total."""
    return int.from_bytes(data[10:13], "little") << 2 | data[9] & 3


def _in_unit(count: int, data: bytes) -> Decimal:
    return count * _LITRE.scaleb(data[0] >> 4 & 3)


def _total(data: bytes) -> Decimal:
    return _in_unit(_count(data), data)


def _older(data: bytes) -> Decimal:
    return _in_unit(_count(data) - _difference(data), data)


def _hours(data: bytes) -> int:
    """Read how much older the older value is."""
    return (data[1] >> 2) << 8 | data[0]


def _seconds(data: bytes) -> Decimal:
    return Decimal(_hours(data) * 3600)


def _now(data: bytes) -> datetime:
    return _EPOCH + timedelta(seconds=int.from_bytes(data[:4], "little"))


def _then(data: bytes) -> datetime:
    return _now(data) - timedelta(hours=_hours(data[4:]))


_ROWS = (
    value("13", _total, 3, 7),
    value("6D", _now, 7, 11),
    value("13", _older, 12, 16, storage=1, of=(3, 16)),
    value("6D", _then, 11, 13, storage=1, of=(7, 13)),
    value("76", _seconds, 11, 13, storage=1),
    field("01FF01", 1, 2),
    field("01FD17", 16, 17),
    field("41FD17", 17, 18),
)
"""Counted from the access number."""
