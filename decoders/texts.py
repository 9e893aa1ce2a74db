"""Identification and other texts of records, as people know them from their dashboards.

Numbers that name something are printed as digits; binary and variable-length data are text if every byte of
them can be, else hexadecimal.
"""

from __future__ import annotations

from decoders.model import Form
from decoders.telegram import Record
from decoders.wmbus.raw import BCD
from decoders.wmbus.values import VARIABLE

__all__ = ["text"]

_LEAST, _MOST = 0x14, 0x7E
_ALSO = frozenset({0x0A, 0x0C})


def text(record: Record, form: Form) -> str | None:
    """Tell the data of a record as text; ``None`` if it has no data."""
    if record.told:
        return record.value if isinstance(record.value, str) else None
    field = record.dib[0] & 0x0F
    data = record.data[1:] if field == VARIABLE else record.data
    if not data:
        return None
    if form is Form.HEX_AS_SENT:
        return data.hex().upper()
    ordered = data if form is Form.TEXT_AS_SENT else data[::-1]
    if field in BCD:
        return ordered.hex().upper()
    letters = data.lstrip(b"\0")
    if not _readable(letters):
        return ordered.hex().upper()
    return "".join(map(_letter, letters if form is Form.TEXT_AS_SENT else reversed(letters)))


def _readable(letters: bytes) -> bool:
    return bool(letters) and all(_LEAST <= byte <= _MOST or byte in _ALSO for byte in letters)


def _letter(byte: int) -> str:
    plain = 0x20 <= byte <= _MOST and byte not in b"<>"
    return chr(byte) if plain else f"<{byte:02X}>"
