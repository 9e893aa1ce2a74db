"""Whether a meter has said all: DIF 1F means that more records follow in another telegram (EN 13757-3).

Records are only stepped over. An answer whose records cannot be followed is taken as the last one.
"""

from __future__ import annotations

__all__ = ["more_follows"]

_HEADER = {0x72: 12, 0x7A: 4, 0x78: 0}
"""CI field -> bytes between it and the first record."""

_SIZES = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0)
"""Data bytes by the low half of DIF; D says its length in the data."""

_MORE, _MANUFACTURER, _FILL = 0x1F, 0x0F, 0x2F
_VARIABLE, _SPECIAL, _PLAIN_TEXT = 0x0D, 0x0F, 0x7C


def more_follows(frame: bytes) -> bool:
    """Whether a long frame ends with DIF 1F."""
    if len(frame) < 9 or frame[6] not in _HEADER:
        return False
    records = frame[7 + _HEADER[frame[6]] : -2]
    at = 0
    try:
        while at < len(records):
            dif = records[at]
            if dif & 0x0F == _SPECIAL and dif != _FILL:
                return dif == _MORE
            at = at + 1 if dif == _FILL else _behind(records, at)
    except IndexError:
        return False
    return False


def _behind(records: bytes, at: int) -> int:
    """Give where the record that begins here ends."""
    dif = records[at]
    at = _chain(records, at)
    if records[at] & 0x7F == _PLAIN_TEXT:  # the unit as text stands right behind, before other VIFEs
        text_end = at + 2 + records[at + 1]
        at = _chain(records, text_end) if records[at] & 0x80 else text_end
    else:
        at = _chain(records, at)
    return at + (1 + _variable(records[at]) if dif & 0x0F == _VARIABLE else _SIZES[dif & 0x0F])


def _chain(records: bytes, at: int) -> int:
    """Give what follows a chain of bytes of which all but the last have bit 7."""
    while records[at] & 0x80:
        at += 1
    return at + 1


def _variable(length: int) -> int:
    """Bytes that follow a length (EN 13757-3, LVAR): text, digits, binary, long binary in steps of four."""
    if length < 0xC0:
        return length
    return length & 0x0F if length < 0xF0 else 4 * (length - 0xEC)
