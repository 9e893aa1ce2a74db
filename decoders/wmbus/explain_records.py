"""What the bytes of an application layer mean, record by record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal

from decoders.telegram import Record, Value
from decoders.wmbus.header import describe
from decoders.wmbus.layouts import split_headers
from decoders.wmbus.records import FILLER, Walk
from decoders.wmbus.spans import Spans, Understanding

__all__ = ["explain_compact", "explain_format", "explain_records", "shown"]

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

_LEFT_OVER = "perhaps a checksum the receiver left on"
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
        spans.rest(LAYER, "left over", _LEFT_OVER)
    else:
        _manufacturer_data(spans, walk)


def explain_compact(spans: Spans, walk: Walk | None, start: int) -> None:
    """Lay spans over a compact frame: signature, checksum, and the data as far as their layout is known.

    Args:
        spans: laid up to ``start``.
        walk: the records, if the application layer was opened.
        start: where the signature stands.
    """
    spans.lay_until(start, LAYER, "filler")
    spans.lay(2, LAYER, "format signature", spans.clear[spans.at : spans.at + 2].hex().upper())
    spans.lay(2, LAYER, "checksum of the full frame", "fits" if walk and walk.verified else "")
    for record in walk.records if walk else ():
        value = f"{_quantity(record)}: {_told(record)}"
        spans.lay(len(record.data), LAYER, f"data of {record.difvif}", value, _understanding(record))
    _fillers(spans)
    if walk and walk.leftover:
        spans.rest(LAYER, "left over", _LEFT_OVER)
    spans.rest(LAYER, "data without their headers", walk.faults[0].message if walk and walk.faults else "")


def explain_format(spans: Spans, walk: Walk | None, start: int) -> None:
    """Lay spans over a format frame: length, signature, and the header of each record."""
    spans.lay_until(start, LAYER, "filler")
    if walk is None or walk.faults:
        spans.rest(LAYER, "not readable as a format frame", walk.faults[0].message if walk else "")
        return
    size = spans.clear[spans.at]
    spans.lay(1, LAYER, "length", f"{size} bytes follow")
    spans.lay(2, LAYER, "format signature", spans.clear[spans.at : spans.at + 2].hex().upper())
    for header in split_headers(spans.clear[spans.at : spans.at + size - 2]):
        said = describe(header)
        unit = f" [{said.unit}]" if said.unit else ""
        spans.lay(len(header), LAYER, "header of a record", said.register.quantity.replace("_", " ") + unit)
    _fillers(spans)
    spans.rest(LAYER, "left over", _LEFT_OVER)


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
    spans.lay(len(record.data), LAYER, "data", _told(record), known)


def _told(record: Record) -> str:
    """Say the value and what to know of it."""
    return "; ".join(filter(None, (shown(record.value, record.unit), record.remark)))


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
