"""Dates as meters say them, by their own clock and without a zone.

Meters know local time only; it is taken in the utility's zone. A local time that happens twice is the first
of the two, one that does not happen is read with the offset before the gap (PEP 495, fold 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from decoders import Record
from metering.reading import Function

__all__ = ["AHEAD", "EARLIEST_YEAR", "in_zone", "plain_dates"]

AHEAD = timedelta(days=1)
"""A due date may be this far ahead of the reception (zones, clocks); beyond it is no date of a past value."""

EARLIEST_YEAR = 1980
"""No radio meter is older; also keeps zone arithmetic away from year 1."""


def plain_dates(records: Iterable[Record]) -> Iterator[tuple[int, date]]:
    """Give the storages that say their time, with the local date or time they say, in wire order."""
    for record in records:
        if record.storage == 0 or not isinstance(record.value, date):
            continue
        plain = record.quantity in {"date", "datetime"} and not record.qualifiers
        if plain and not (record.tariff or record.subunit or record.function is not Function.INSTANTANEOUS):
            yield record.storage, record.value


def in_zone(value: date, zone: ZoneInfo) -> datetime | None:
    """Give UTC of a local date (its first midnight) or local time; ``None`` if no meter can mean it."""
    if value.year < EARLIEST_YEAR or value.year > 9998:
        return None
    local = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    return local.replace(tzinfo=zone).astimezone(UTC)
