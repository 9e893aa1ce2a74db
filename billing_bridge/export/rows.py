"""What can be told about a billing read, by name: the columns a file may have.

A read is handed over as the bytes it was put into the outbox with; a file is made of those, never of
anything that may have changed since. One row is one meter within the period (a *segment*): a period without
exchange has one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from metering.errors import InvalidValue
from metering.meter import MeterId

__all__ = ["FIELDS", "Cell", "Row", "read_of", "rows_of"]

Cell = str | int | Decimal | datetime | None
"""What stands in a field; times are UTC."""


@dataclass(frozen=True, slots=True)
class Row:
    """One segment of a billing read.

    Attributes:
        read: what was handed over, see :meth:`billing_bridge.read.BillingRead.payload`.
        segment: one of its segments.
        number: of the segment, from 1.
    """

    read: Mapping[str, Any]
    segment: Mapping[str, Any]
    number: int

    @property
    def last(self) -> bool:
        """Whether the meter still hung there when the period ended."""
        return self.number == len(self.read["segments"])


def read_of(payload: bytes) -> Mapping[str, Any]:
    """Give what a payload says; numbers stand in it as text, so nothing is rounded.

    Raises:
        InvalidValue: not a billing read.
    """
    try:
        read = json.loads(payload)
    except ValueError:
        raise InvalidValue("a message in the outbox is not JSON") from None
    if not isinstance(read, dict) or not {"key", "segments", "period", "volume_m3"} <= read.keys():
        raise InvalidValue("a message in the outbox is not a billing read")
    return read


def rows_of(reads: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Give the rows of some reads, in their order."""
    for read in reads:
        for number, segment in enumerate(read["segments"], 1):
            yield Row(read, segment, number)


def _end(which: str, name: str, kind: Callable[[Any], Cell]) -> Callable[[Row], Cell]:
    def field(row: Row) -> Cell:
        value = row.segment[which][name]
        return None if value is None else kind(value)

    return field


def _period(name: str, kind: Callable[[Any], Cell]) -> Callable[[Row], Cell]:
    return lambda row: kind(row.read["period"][name])


def _read(name: str, kind: Callable[[Any], Cell] = str) -> Callable[[Row], Cell]:
    return lambda row: None if row.read[name] is None else kind(row.read[name])


def _of_ends(which: str) -> dict[str, Callable[[Row], Cell]]:
    return {
        f"{which}.at": _end(which, "at", datetime.fromisoformat),
        f"{which}.read_at": _end(which, "read_at", datetime.fromisoformat),
        f"{which}.index_m3": _end(which, "index_m3", Decimal),
        f"{which}.billed_total_m3": _end(which, "billed_total_m3", Decimal),
        f"{which}.how": _end(which, "how", str),
        f"{which}.method": _end(which, "method", str),
        f"{which}.quality": _end(which, "quality", str),
        f"{which}.espi": _end(which, "espi", int),
    }


def _raised(row: Row) -> Cell:
    return " ".join(one["rule"] for one in row.read["rules"] if one["verdict"] == "raised")


def _reason(row: Row) -> Cell:
    """Why the closing index was read: the meter went before the period did, or the period ended."""
    return str(row.read["period"]["cause"]) if row.last else "exchange"


FIELDS: Mapping[str, Callable[[Row], Cell]] = {
    "key": _read("key"),
    "supersedes": _read("supersedes"),
    "tenant": _read("tenant"),
    "service_point": _read("service_point"),
    "register": _read("register"),
    "revision": _read("revision", int),
    "volume_m3": _read("volume_m3", Decimal),
    "gross_m3": _read("gross_m3", Decimal),
    "raised_rules": _raised,
    "period.id": _period("id", str),
    "period.start": _period("start", datetime.fromisoformat),
    "period.end": _period("end", datetime.fromisoformat),
    "period.cause": _period("cause", str),
    "reason": _reason,
    "meter": lambda row: str(row.segment["meter"]),
    "meter.manufacturer": lambda row: MeterId.parse(row.segment["meter"]).manufacturer,
    "meter.serial": lambda row: MeterId.parse(row.segment["meter"]).serial,
    "segment.number": lambda row: row.number,
    "segment.count": lambda row: len(row.read["segments"]),
    "segment.volume_m3": lambda row: Decimal(row.segment["volume_m3"]),
    **_of_ends("opening"),
    **_of_ends("closing"),
}
"""Every field a column may name. Volumes and indices in m3, times in UTC."""
