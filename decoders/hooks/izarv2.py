"""Diehl and Sappel IZAR: PRIOS, a scrambled payload behind three bytes in clear.

::

    CI (A0..A7)  flags, battery, period (3)  one byte nobody has explained
    scrambled:  4B  total (4)  [total at target date (4)  target date (2)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from decoders.errors import DecodeError, SecurityError
from decoders.payload import NOT_MINE, Payload, Piece, Sent, standard, told, truncated
from decoders.telegram import Record
from decoders.wmbus.diehl import PUBLISHED_KEYS, unscramble
from decoders.wmbus.link import DIEHL

__all__ = ["read_payload"]

_PRIOS = range(0xA0, 0xA8)
_CI_AT, _FLAGS_AT, _SCRAMBLED_AT = 10, 11, 15
_MARK = 0x4B
_SHORT, _LONG = 5, 11
_KEY = 8
_LITRE = Decimal("0.001")
_A = 64
"""Letters are counted from A = 1."""


def read_payload(sent: Sent) -> Payload:
    """Read total, value at the target date, flags, battery, period, and what is printed on Sappel meters.

    Raises:
        LayerError: ``truncated``.
        SecurityError: ``missing_key``, ``wrong_key``, ``bad_key``.
    """
    frame = Piece(sent.telegram.frame, 0)
    meter = sent.telegram.meter
    if meter.manufacturer not in DIEHL or len(sent.telegram.ci) != 1 or sent.ci not in _PRIOS:
        return NOT_MINE
    if len(frame) < _SCRAMBLED_AT + _SHORT:
        raise truncated(frame, _SCRAMBLED_AT + _SHORT)
    own = [key for key in sent.keys(meter) if len(key) >= _KEY]
    clear = _open(sent, own)
    printed = _printed(frame) if meter.manufacturer == "SAP" else ()
    records = (*_volumes(clear), *_state(frame.cut(_FLAGS_AT, _FLAGS_AT + 3)), *printed)
    return Payload(records, whole=True, encrypted=bool(own))


def _open(sent: Sent, own: Sequence[bytes]) -> Piece:
    """Unscramble with the first key that gives the mark; a key of the user's replaces the published ones."""
    frame = sent.telegram.frame
    for key in own or PUBLISHED_KEYS:
        if unscramble(frame[: _SCRAMBLED_AT + 1], key)[0] == _MARK:
            return Piece(unscramble(frame, key), _SCRAMBLED_AT)
    raise _unopened(len(own))


def _unopened(own: int) -> DecodeError:
    if not own:
        said = "scrambled with a key of its own, none of the published ones"
        return SecurityError("missing_key", said, offset=_SCRAMBLED_AT)
    return SecurityError(
        "wrong_key", f"none of {own} key(s) fits", offset=_SCRAMBLED_AT, evidence={"keys_tried": own}
    )


def _volumes(clear: Piece) -> Iterator[Record]:
    total = clear.cut(1, 5)
    yield told("13", total.unsigned() * _LITRE, total)
    if len(clear) >= _LONG:
        target = clear.cut(5, 9)
        yield told("13", target.unsigned() * _LITRE, target, storage=1)
        yield standard("426C", clear.cut(9, 11))


def _state(flags: Piece) -> Iterator[Record]:
    """Take the three bytes in clear apart: period in bits 0-3, battery in bits 8-12, flags from bit 13."""
    word = flags.unsigned()
    yield standard("03FD17", flags)
    yield told("FDFD03", Decimal(word >> 8 & 0x1F) / 2, flags.cut(1, 2))
    yield told("FD3C", Decimal(1 << (word & 0x0F) + 2), flags.cut(0, 1))


def _printed(frame: Piece) -> Iterator[Record]:
    """Read what is printed on a Sappel meter: C15SA 007710 of 2015."""
    number = f"{frame.cut(4, 8).unsigned() & 0x3FFFFFF:08}"  # at most 67108863: years 2000 to 2067
    supplier = (frame[9] & 0x0F) << 1 | frame[8] >> 7
    kind = frame[8] >> 2 & 0x1F
    diameter = (frame[8] & 3) << 3 | frame[7] >> 5
    letters = [chr(_A + letter) for letter in (supplier, kind, diameter)]
    yield told("FF01", f"{letters[0]}{number[:2]}{letters[1]}{letters[2]}", frame.cut(4, 10))
    yield told("78", number[2:], frame.cut(4, 8))
    yield told("FF02", f"20{number[:2]}", frame.cut(4, 8))
