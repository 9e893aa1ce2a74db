"""The first and the last reading of each of many days, found by seeking instead of reading all between.

::

    day          |                                    |                                    |
    readings       x  x    x   x      x  x  x       x   x x    x      x   x   x        x
    found          ^                                ^   ^                              ^

A year of hours is nine thousand readings, of which the edges of its days are seven hundred.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metering.store.sql.schema import readings
from metering.store.sql.statements import in_chunks
from metering.store.sql.types import Moment
from metering.store.sql.wire import arrays

__all__ = ["edges_of_days"]

_MOMENT = Moment()
_as_kept = _MOMENT.bind_processor(sqlite.dialect())
_METER, _REGISTER = (
    sa.bindparam("its_meter", type_=sa.BigInteger),
    sa.bindparam("its_register", type_=sa.BigInteger),
)


def edges_of_days(
    connection: sa.Connection,
    wanted: Sequence[sa.ColumnElement[Any]],
    of: sa.Select[Any],
    register: tuple[int, int],
    days: Sequence[datetime],
) -> Iterator[sa.Row[Any]]:
    """Give the first and the last reading of each day, by time.

    Args:
        connection: in a transaction.
        wanted: columns of the readings.
        of: numbers of the origins that count.
        register: numbers of a meter and of its register.
        days: beginnings, UTC, rising; each day ends where the next one begins.
    """
    statement = _statement(connection.dialect.name, tuple(wanted), of)
    whose = {"its_meter": register[0], "its_register": register[1]}
    for some in in_chunks(pairwise(days)):
        marks = [some[0][0], *(end for _begin, end in some)]
        yield from connection.execute(statement, {**whose, **_told(connection.dialect.name, marks)}).all()


@lru_cache(maxsize=8)
def _statement(dialect: str, wanted: tuple[sa.ColumnElement[Any], ...], of: sa.Select[Any]) -> sa.Select[Any]:
    """Make the statement; made anew for each question it would take longer than to be answered."""

    def its(table: sa.FromClause) -> sa.ColumnElement[bool]:
        return (table.c.meter == _METER) & (table.c.register == _REGISTER) & table.c.origin.in_(of)

    day, begins, ends = _listed(dialect)
    edge = readings.alias("edge")
    inside = its(edge) & (edge.c.measured_at >= begins) & (edge.c.measured_at < ends)
    first, last = (
        sa.select(chosen(edge.c.measured_at, type_=_MOMENT)).where(inside).correlate(day).scalar_subquery()
        for chosen in (sa.func.min, sa.func.max)
    )
    both = sa.union(sa.select(first).select_from(day), sa.select(last).select_from(day))
    found = sa.select(*wanted).where(its(readings), readings.c.measured_at.in_(both))
    return found.order_by(readings.c.measured_at)


def _listed(dialect: str) -> tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Give days as something to select from, with where each begins and ends."""
    if dialect == "postgresql":
        kind = postgresql.ARRAY(sa.TIMESTAMP(timezone=True))
        both = (sa.cast(sa.bindparam(name, type_=sa.Text), kind) for name in ("day_begins", "day_ends"))
        columns = sa.column("begins", _MOMENT), sa.column("ends", _MOMENT)
        day = sa.func.unnest(*both).table_valued(*columns).render_derived(name="day")
        return day, day.c.begins, day.c.ends
    told = sa.bindparam("days", type_=sa.Text)
    each = sa.func.json_each(told).table_valued("value", name="day")
    return each, sa.func.json_extract(each.c.value, "$[0]"), sa.func.json_extract(each.c.value, "$[1]")


def _told(dialect: str, marks: Sequence[datetime]) -> dict[str, str]:
    if dialect == "postgresql":
        begins, ends = arrays([sa.Column(type_=_MOMENT)] * 2, [marks[:-1], marks[1:]])
        return {"day_begins": begins, "day_ends": ends}
    return {"days": json.dumps(list(pairwise(map(_as_kept, marks))))}
