"""What the bytes of an application layer mean, record by record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal

from decoders.telegram import Record, Value
from decoders.wmbus.records import FILLER, Walk
from decoders.wmbus.spans import Spans, Understanding

__all__ = ["explain_records", "shown"]

LAYER = "application"

_DATA_FIELDS: Mapping[int, str] = {
    0x0: "no data",
    0x1: "8-bit integer",
    0x2: "16-bit integer",
    0x3: "24-bit integer",
    0x4: "32-bit integer",
    0x5: "32-bit real",
    0x6: "48-bit integer",
    0x7: "64-bit integer",
    0x8: "selection for readout",
    0x9: "2-digit BCD",
    0xA: "4-digit BCD",
    0xB: "6-digit BCD",
    0xC: "8-digit BCD",
    0xD: "variable length",
    0xE: "12-digit BCD",
}

_HALF_KNOWN = ("manufacturer_", "reserved_vife_")


def explain_records(spans: Spans, walk: Walk, start: int) -> None:
    """Lay spans over fillers, records, the manufacturer's data and what could not be read.

    Args:
        spans: laid up to ``start``.
        walk: the records, their offsets counted like the spans'.
        start: where the first DIF stands.
    """
    spans.lay_until(start, LAYER, "bytes before the records")
    for record in walk.records:
        _fillers(spans)
        _record(spans, record)
    _fillers(spans)
    if walk.faults:
        spans.rest(LAYER, "not readable as a record", walk.faults[0].message)
    elif walk.leftover:
        spans.rest(LAYER, "left over", "perhaps a checksum the receiver left on")
    else:
        _manufacturer_data(spans, walk)


def shown(value: Value, unit: str = "") -> str:
    """Return a value in words, with its unit."""
    if isinstance(value, Decimal):
        return f"{value:f} {unit}".rstrip()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex().upper()
    return value or ""


def _fillers(spans: Spans) -> None:
    end = spans.at
    while end < len(spans.clear) and spans.clear[end] == FILLER:
        end += 1
    spans.lay_until(end, LAYER, "filler")


def _record(spans: Spans, record: Record) -> None:
    """Lay DIB, VIB and data of one record."""
    known = _understanding(record)
    spans.lay(len(record.dib), LAYER, "DIF, DIFE" if len(record.dib) > 1 else "DIF", _place(record))
    meaning = "VIF, VIFE" if len(record.vib) > 1 else "VIF"
    spans.lay(len(record.vib), LAYER, meaning, _quantity(record), known)
    value = "; ".join(filter(None, (shown(record.value, record.unit), record.remark)))
    spans.lay(len(record.data), LAYER, "data", value, known)


def _place(record: Record) -> str:
    """Say data field, function, and the numbers that are not zero."""
    numbers = (("storage", record.storage), ("tariff", record.tariff), ("subunit", record.subunit))
    places = [f"{name} {number}" for name, number in numbers if number]
    return ", ".join([_DATA_FIELDS[record.dib[0] & 0x0F], str(record.function), *places])


def _quantity(record: Record) -> str:
    words = [record.quantity.replace("_", " "), *(name.replace("_", " ") for name in record.qualifiers)]
    return ", ".join(words) + (f" [{record.unit}]" if record.unit else "")


def _understanding(record: Record) -> Understanding:
    if record.quantity in {"manufacturer_specific", "reserved"} or isinstance(record.value, bytes):
        return Understanding.PARTLY
    if any(name.startswith(_HALF_KNOWN) for name in record.qualifiers):
        return Understanding.PARTLY
    return Understanding.FULL


def _manufacturer_data(spans: Spans, walk: Walk) -> None:
    """Lay DIF 0F or 1F and what follows."""
    meaning = "more records follow" if walk.more_follows else "manufacturer data follow"
    spans.lay_until(len(spans.clear) - len(walk.manufacturer_data), LAYER, "DIF", meaning)
    spans.lay_until(len(spans.clear), LAYER, "manufacturer data", "", Understanding.NOT)
