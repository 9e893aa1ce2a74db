"""Who heard whom, counted per day: what stays of a telegram that is not kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

from metering.store.sql.schema import hearings
from metering.store.sql.statements import Row, execute_many, insert
from metering.uplink import Reception

__all__ = ["day_of", "note_hearings"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(moment: datetime) -> int:
    """Give the day in UTC, counted from 1970."""
    return (moment - _EPOCH).days


def note_hearings(connection: sa.Connection, new: Iterable[tuple[int, int, Reception]]) -> None:
    """Count receptions: number of the meter, number of the gateway, how it was heard."""
    rows: dict[tuple[int, int, int], Row] = {}
    for meter, gateway, reception in new:
        key = (day_of(reception.heard_at), meter, gateway)
        row = rows.get(key)
        if row is None:
            rows[key] = _first(key, reception)
        else:
            _more(row, reception)
    execute_many(connection, _counted(connection.dialect.name), list(rows.values()))


def _first(key: tuple[int, int, int], reception: Reception) -> Row:
    day, meter, gateway = key
    rssi = reception.rssi_dbm
    return {
        "day": day,
        "meter": meter,
        "gateway": gateway,
        "first_heard": reception.heard_at,
        "last_heard": reception.heard_at,
        "heard": 1,
        "measured": int(rssi is not None),
        "rssi_sum": rssi or 0,
        "rssi_min": rssi,
        "rssi_max": rssi,
    }


def _more(row: Row, reception: Reception) -> None:
    row["heard"] += 1
    row["first_heard"] = min(row["first_heard"], reception.heard_at)
    row["last_heard"] = max(row["last_heard"], reception.heard_at)
    if (rssi := reception.rssi_dbm) is not None:
        row["measured"] += 1
        row["rssi_sum"] += rssi
        row["rssi_min"] = rssi if row["rssi_min"] is None else min(row["rssi_min"], rssi)
        row["rssi_max"] = rssi if row["rssi_max"] is None else max(row["rssi_max"], rssi)


@lru_cache
def _counted(dialect: str) -> UpdateBase:
    statement = insert(dialect, hearings)
    old, new = hearings.c, statement.excluded
    changes: dict[str, Any] = {name: old[name] + new[name] for name in ("heard", "measured", "rssi_sum")}
    changes |= {name: _extreme(old[name], new[name], "<") for name in ("first_heard", "rssi_min")}
    changes |= {name: _extreme(old[name], new[name], ">") for name in ("last_heard", "rssi_max")}
    return statement.on_conflict_do_update(index_elements=hearings.primary_key, set_=changes)


def _extreme(old: sa.ColumnElement[Any], new: sa.ColumnElement[Any], better: str) -> sa.ColumnElement[Any]:
    """Give the lower (``<``) or higher of two; SQLite and PostgreSQL name the function differently."""
    return sa.case((old.is_(None) | new.op(better)(old), new), else_=old)
