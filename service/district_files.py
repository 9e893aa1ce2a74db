"""Files of district inflow, customers' use and calendars, Parquet or CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa

from anomaly.district import District
from metering.errors import RowFault
from service.table_files import TableRefused, number_column, read_columns, seconds_column, text_column

__all__ = ["Calendar", "read_calendar", "read_flows"]

_DAY_COLUMNS = ("date", "ts", "ts_utc")
_TRUE = frozenset({"1", "true", "yes", "t", "y"})


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a calendar file says.

    Attributes:
        holidays: public holidays, local dates.
        zone: zone its times are written in, if they are.
    """

    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo | None = None


def read_flows(path: Path, column: str) -> list[District]:
    """Read ``dma, ts_utc`` and a flow in L/s; one series a district, by id.

    Raises:
        TableRefused: not such a file.
    """
    table = read_columns(path, ("dma", "ts_utc", column), ("dma",))
    names = text_column(table, "dma")
    code = np.asarray(names.indices.fill_null(-1))
    at, flow = seconds_column(table, "ts_utc", path), number_column(table, column, path)
    return [
        District.of(name, at[code == number], flow[code == number])
        for name, number in sorted((name, number) for number, name in enumerate(names.dictionary.to_pylist()))
    ]


def read_calendar(path: Path) -> Calendar:
    """Read ``date`` (or ``ts``, local times) and ``holiday``, in any case; other columns do not matter.

    Raises:
        TableRefused: not a calendar.
    """
    table = read_columns(path, ())
    columns = {name.lower(): name for name in table.column_names}
    day = next((columns[name] for name in _DAY_COLUMNS if name in columns), None)
    if day is None or "holiday" not in columns:
        faults = [RowFault(1, "date" if day is None else "holiday", "is missing")]
        raise TableRefused(path.name, faults)
    rows = zip(table[day].to_pylist(), table[columns["holiday"]].to_pylist(), strict=True)
    holidays = frozenset(
        _date(number, moment, path)
        for number, (moment, free) in enumerate(rows, start=2)
        if str(free).lower() in _TRUE
    )
    return Calendar(holidays, _zone_of(table[day].type))


def _zone_of(kind: pa.DataType) -> ZoneInfo | None:
    name = kind.tz if pa.types.is_timestamp(kind) else None
    try:
        return ZoneInfo(name) if name and name != "UTC" else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _date(number: int, moment: object, path: Path) -> date:
    if isinstance(moment, datetime):
        return moment.date()
    if isinstance(moment, date):
        return moment
    try:
        return datetime.fromisoformat(str(moment)).date()
    except ValueError as wrong:
        raise TableRefused(
            path.name, [RowFault(number, "date", f"{moment} is no date like 2026-12-25")]
        ) from wrong
