"""What a cell says: identities, texts, exact numbers and times. A wrong cell is noted and gives nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from metering.errors import InvalidValue
from metering.meter import MeterId
from service.imports.table import Faults, Row

__all__ = ["IDENTITY_COLUMNS", "count", "exact_number", "identity", "name", "text", "when"]

IDENTITY_COLUMNS = ("meter_id", "manufacturer", "serial", "version", "device_type")

_NUMBER = re.compile(r"(\d{1,15})(?:[.,](\d{1,15}))?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST_TEXT = 200


def identity(row: Row, faults: Faults) -> MeterId | None:
    """Read the meter's identity: ``meter_id``, or the four columns it is made of."""
    whole = row["meter_id"]
    parts = [row[column] for column in IDENTITY_COLUMNS[1:]]
    if not whole and not all(parts):
        missing = [column for column in IDENTITY_COLUMNS[1:] if not row[column]]
        faults.add(row.number, "meter_id", f"missing, and so is {', '.join(missing)}")
        return None
    try:
        said = [MeterId.parse(text) for text in (whole, _joined(parts) if all(parts) else "") if text]
    except InvalidValue as wrong:
        faults.add(row.number, "meter_id" if whole else "manufacturer", str(wrong))
        return None
    if len(set(said)) > 1:
        faults.add(row.number, "meter_id", f"{said[0]} is not {said[1]} as the other columns say")
        return None
    return said[0]


def _joined(parts: list[str]) -> str:
    """Put the identity together; spreadsheets drop leading zeros, so they are put back."""
    maker, serial, version, kind = parts
    return f"{maker}-{serial.zfill(8)}-{version.zfill(2)}-{kind.zfill(2)}"


def text(row: Row, column: str, faults: Faults) -> str:
    """Read a text for people: printable, at most 200 characters."""
    said = row[column]
    if len(said) > _LONGEST_TEXT:
        faults.add(row.number, column, f"{len(said)} characters; at most {_LONGEST_TEXT} are kept")
    elif not said.isprintable():
        faults.add(row.number, column, "holds a line break or another sign that cannot be shown")
    return said


def name(row: Row, column: str, faults: Faults) -> str:
    """Read a name as topics use it: letters, digits, ``_`` and ``-``, at most 64."""
    said = row[column]
    if not _NAME.fullmatch(said):
        faults.add(row.number, column, f"{said[:70]!r} is not a name of 1 to 64 signs A-Z a-z 0-9 _ -")
    return said


def exact_number(row: Row, column: str, faults: Faults) -> Decimal | None:
    """Read an exact number that is not negative; decimal point or decimal comma."""
    if match := _NUMBER.fullmatch(row[column]):
        return Decimal(f"{match[1]}.{match[2] or 0}")
    faults.add(row.number, column, _not_a_number(row[column], "a number like 1234.567 or 1234,567"))
    return None


def count(row: Row, column: str, faults: Faults) -> int | None:
    """Read a whole number that is not negative."""
    if row[column].isascii() and row[column].isdigit() and len(row[column]) <= 15:
        return int(row[column])
    faults.add(row.number, column, _not_a_number(row[column], "a whole number"))
    return None


def _not_a_number(said: str, wanted: str) -> str:
    return f"{said[:40]!r} is not {wanted}" if said else f"missing; {wanted} is needed"


def when(row: Row, column: str, zone: ZoneInfo, faults: Faults) -> datetime | None:
    """Read a date (its local midnight) or an RFC 3339 time with offset; gives UTC, ``None`` if empty."""
    said = row[column]
    if not said:
        return None
    try:
        moment = datetime.fromisoformat(said)
        if _DATE.fullmatch(said):
            return moment.replace(tzinfo=zone).astimezone(UTC)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    wanted = "neither a date like 2026-03-01 nor a time with its offset like 2026-03-01T10:00+01:00"
    faults.add(row.number, column, f"{said[:40]!r} is {wanted}")
    return None
