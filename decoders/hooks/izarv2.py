"""Diehl and Sappel IZAR: PRIOS, a scrambled payload behind three bytes in clear.

::

    CI (A0..A7)  flags, battery, period (3)  one byte nobody has explained
    scrambled:  4B  total (4)  [total at target date (4)  target date (2)]
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from decoders.errors import DecodeError, SecurityError
from decoders.payload import Piece, Sent, truncated
from decoders.rows import NO_TABLE, Table, field, value
from decoders.wmbus.diehl import PUBLISHED_KEYS, unscramble
from decoders.wmbus.link import DIEHL

__all__ = ["read_table"]

_PRIOS = range(0xA0, 0xA8)
_CI_AT, _FLAGS_AT, _SCRAMBLED_AT = 10, 11, 15
_MARK = 0x4B
_SHORT, _LONG = 5, 11
_KEY = 8
_LITRE = Decimal("0.001")
_A = 64
"""Letters are counted from A = 1."""


def read_table(sent: Sent) -> Table:
    """Read total, value at the target date, flags, battery, period, and what is printed on Sappel meters.

    Raises:
        LayerError: ``truncated``.
        SecurityError: ``missing_key``, ``wrong_key``, ``bad_key``.
    """
    frame = Piece(sent.telegram.frame, 0)
    meter = sent.telegram.meter
    if meter.manufacturer not in DIEHL or len(sent.telegram.ci) != 1 or sent.ci not in _PRIOS:
        return NO_TABLE
    if len(frame) < _SCRAMBLED_AT + _SHORT:
        raise truncated(frame, _SCRAMBLED_AT + _SHORT)
    own = _usable(sent.keys(meter))
    clear = _open(frame.data, own)
    if clear is None:
        raise _unopened(len(own))
    rows = _VOLUMES + (_TARGET if len(frame) >= _SCRAMBLED_AT + _LONG else ()) + _STATE
    printed = _PRINTED if meter.manufacturer == "SAP" else ()
    return Table(Piece(clear, 0), rows + printed, whole=True, encrypted=bool(own), open=_open_next)


def _usable(keys: Sequence[bytes]) -> list[bytes]:
    return [key for key in keys if len(key) >= _KEY]


def _open(frame: bytes, own: Sequence[bytes]) -> bytes | None:
    """Unscramble with the first key that gives the mark; a key of the user's replaces the published ones."""
    for key in own or PUBLISHED_KEYS:
        if unscramble(frame[: _SCRAMBLED_AT + 1], key)[0] == _MARK:
            return frame[:_SCRAMBLED_AT] + unscramble(frame, key)
    return None


def _open_next(frame: bytes, keys: Sequence[bytes]) -> bytes | None:
    own = _usable(keys)
    return _open(frame, own) if len(own) == len(keys) else None


def _unopened(own: int) -> DecodeError:
    if not own:
        said = "scrambled with a key of its own, none of the published ones"
        return SecurityError("missing_key", said, offset=_SCRAMBLED_AT)
    return SecurityError(
        "wrong_key", f"none of {own} key(s) fits", offset=_SCRAMBLED_AT, evidence={"keys_tried": own}
    )


def _litres(data: bytes) -> Decimal:
    return int.from_bytes(data, "little") * _LITRE


_VOLUMES = (value("13", _litres, 16, 20),)
_TARGET = (value("13", _litres, 20, 24, storage=1), field("426C", 24, 26))


def _battery(data: bytes) -> Decimal:
    return Decimal(data[0] & 0x1F) / 2


def _period(data: bytes) -> Decimal:
    return Decimal(1 << (data[0] & 0x0F) + 2)


_STATE = (field("03FD17", 11, 14), value("FDFD03", _battery, 12, 13), value("FD3C", _period, 11, 12))
"""Three bytes in clear: period in bits 0-3, battery in bits 8-12, flags from bit 13."""


def _number(data: bytes) -> str:
    """Read year and serial number; at most 67108863: years 2000 to 2067."""
    return f"{int.from_bytes(data[:4], 'little') & 0x3FFFFFF:08}"


def _prefix(address: bytes) -> str:
    """Read what is printed before the number: supplier, year, kind, diameter."""
    year, version, kind = _number(address)[:2], address[4], address[5]
    supplier, diameter = (kind & 0x0F) << 1 | version >> 7, (version & 3) << 3 | address[3] >> 5
    letters = [chr(_A + letter) for letter in (supplier, version >> 2 & 0x1F, diameter)]
    return f"{letters[0]}{year}{letters[1]}{letters[2]}"


def _serial(data: bytes) -> str:
    return _number(data)[2:]


def _year(data: bytes) -> str:
    return f"20{_number(data)[:2]}"


_PRINTED = (
    value("FF01", _prefix, 4, 10),
    value("78", _serial, 4, 8),
    value("FF02", _year, 4, 8),
)
"""What is printed on a Sappel meter: C15SA 007710 of 2015."""
