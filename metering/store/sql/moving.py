"""One transmission, heard by several gateways: its time is the earliest of them, whoever came first.

A radio telegram is dated by when it was heard. When another gateway turns out to have heard it earlier,
telegram, readings and details that were dated so move there, so that the database does not depend on the
order in which gateways deliver (promise 3 of the design).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from metering.store.sql.forgetting import refresh_latest
from metering.store.sql.heads import Moves, Signposts
from metering.store.sql.partitions import make_room
from metering.store.sql.readings import write_readings
from metering.store.sql.schema import details, gateways, readings, receptions, telegrams
from metering.store.sql.statements import Row, in_chunks, insert_once
from metering.store.sql.symbols import Names, Origin

__all__ = ["absorb", "settle"]


class First(NamedTuple):
    """Who heard a telegram first, and when; of several at the same time the first by name."""

    telegram: int
    known: datetime
    heard_at: datetime
    gateway: str


def settle(connection: sa.Connection, names: Names, numbers: Collection[int]) -> None:
    """Date telegrams by their earliest reception; move what was dated by another."""
    firsts = _firsts(connection, numbers)
    moved = [first for first in firsts.values() if first.heard_at < first.known]
    if moved:
        make_room(connection, telegrams, [first.heard_at for first in moved])
        connection.execute(
            sa.update(telegrams)
            .where(telegrams.c.id == sa.bindparam("telegram"))
            .values(heard_at=sa.bindparam("moment")),
            [{"telegram": first.telegram, "moment": first.heard_at} for first in moved],
        )
    _move_readings(connection, names, firsts)
    _move_details(connection, firsts)


def absorb(connection: sa.Connection, keep: int, drop: int) -> None:
    """Give ``keep`` what it shares with ``drop``, and let the rest of what ``drop`` said go.

    A reading that both brought is stored once and may name ``drop`` as its source: those dated by the
    meter itself, or by a time at which both were heard. They stay and name ``keep``.
    """
    dated = _rows(connection, sa.select(telegrams.c.id, telegrams.c.heard_at), telegrams.c.id, (keep, drop))
    heard = {row.id: row.heard_at for row in dated}
    for table in (readings, details):
        said = _rows(connection, sa.select(table), table.c.telegram, (drop,))
        own = [row for row in said if row.measured_at == heard[drop] != heard[keep]]
        _delete(connection, table, said)
        shared = [_row(row) | {"telegram": keep} for row in said if row not in own]
        insert_once(connection, table, shared)
        if table is readings:
            refresh_latest(connection, {(row.meter, row.register) for row in said})


def _firsts(connection: sa.Connection, numbers: Collection[int]) -> dict[int, First]:
    statement = (
        sa.select(telegrams.c.id, telegrams.c.heard_at, receptions.c.heard_at, gateways.c.name)
        .join(receptions, receptions.c.telegram == telegrams.c.id)
        .join(gateways, gateways.c.id == receptions.c.gateway)
        .where(receptions.c.heard_at <= telegrams.c.heard_at)
    )
    heard = [First(*tuple(row)) for row in _rows(connection, statement, telegrams.c.id, numbers)]
    heard.sort(key=lambda one: (one.heard_at, one.gateway), reverse=True)
    return {one.telegram: one for one in heard}


def _move_readings(connection: sa.Connection, names: Names, firsts: dict[int, First]) -> None:
    old = _rows(connection, sa.select(readings), readings.c.telegram, firsts)
    origins = names.origins.things(row.origin for row in old)
    sources = {row: origins[row.origin]._replace(gateway=firsts[row.telegram].gateway) for row in old}
    origin_of: dict[Origin, int] = names.origins.ensure(sources.values())
    new = {row: _moved(row, firsts[row.telegram]) | {"origin": origin_of[sources[row]]} for row in old}
    changed = [row for row in old if new[row] != _row(row)]
    _delete(connection, readings, changed)
    write_readings(
        connection,
        {column.name: [new[row][column.name] for row in changed] for column in readings.c},
        Moves(connection, Signposts()),
    )
    refresh_latest(connection, {(row.meter, row.register) for row in changed})


def _move_details(connection: sa.Connection, firsts: dict[int, First]) -> None:
    old = _rows(connection, sa.select(details), details.c.telegram, firsts)
    changed = [row for row in old if _moved(row, firsts[row.telegram]) != _row(row)]
    _delete(connection, details, changed)
    insert_once(connection, details, [_moved(row, firsts[row.telegram]) for row in changed])


def _moved(row: sa.Row[Any], first: First) -> Row:
    moment = first.heard_at if row.measured_at == first.known else row.measured_at
    return _row(row) | {"measured_at": moment}


def _row(row: sa.Row[Any]) -> Row:
    return dict(row._mapping)  # noqa: SLF001  SQLAlchemy's documented name, underscored to keep column names free


def _rows(
    connection: sa.Connection,
    statement: sa.Select[Any],
    column: sa.ColumnElement[int],
    numbers: Iterable[int],
) -> list[sa.Row[Any]]:
    found: list[sa.Row[Any]] = []
    for chunk in in_chunks(numbers):
        found += connection.execute(statement.where(column.in_(chunk)))
    return found


def _delete(connection: sa.Connection, table: sa.Table, rows: Sequence[sa.Row[Any]]) -> None:
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = sa.delete(table).where(
        *(table.c[name] == sa.bindparam(f"key_{name}", type_=table.c[name].type) for name in keys)
    )
    connection.execute(statement, [{f"key_{name}": row._mapping[name] for name in keys} for row in rows])  # noqa: SLF001  see _row
