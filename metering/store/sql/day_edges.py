"""The first and the last reading of each of many days, found by seeking instead of reading all between.

::

    day          |                                    |                                    |
    readings       x  x    x   x      x  x  x       x   x x    x      x   x   x        x
    found          ^                                ^   ^                              ^

A year of hours is nine thousand readings, of which the edges of its days are seven hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metering.store.sql.schema import readings
from metering.store.sql.statements import in_chunks
from metering.store.sql.types import Moment
from metering.store.sql.wire import arrays

__all__ = ["Which", "at_edges"]

_MOMENT = Moment()
_as_kept = _MOMENT.bind_processor(sqlite.dialect())

Which = Callable[[sa.FromClause], sa.ColumnElement[bool]]
"""Says of the table of readings, under any name, which are meant."""


def at_edges(
    connection: sa.Connection, which: Which, days: Sequence[datetime]
) -> Iterator[sa.ColumnElement[bool]]:
    """Give conditions that a reading is the first or the last of a day, for one statement each.

    Args:
        connection: which database it is.
        which: readings of one register of one meter, so that they are sought by their key.
        days: beginnings, UTC, rising; each day ends where the next one begins.
    """
    for some in in_chunks(pairwise(days)):
        day, begins, ends = _listed(connection.dialect.name, some)
        edge = readings.alias("edge")
        inside = which(edge) & (edge.c.measured_at >= begins) & (edge.c.measured_at < ends)
        sought = (
            sa.select(choose(edge.c.measured_at, type_=_MOMENT))
            .where(inside)
            .correlate(day)
            .scalar_subquery()
            for choose in (sa.func.min, sa.func.max)
        )
        yield which(readings) & readings.c.measured_at.in_(
            sa.union(*(sa.select(one).select_from(day) for one in sought))
        )


def _listed(
    dialect: str, days: Sequence[tuple[datetime, datetime]]
) -> tuple[sa.FromClause, sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Give days as something to select from, with where each begins and ends."""
    if dialect == "postgresql":
        columns = [sa.Column(type_=_MOMENT)] * 2
        texts = arrays(columns, list(zip(*days, strict=True)))
        kind = postgresql.ARRAY(sa.TIMESTAMP(timezone=True))
        both = (sa.cast(sa.bindparam(None, text, sa.Text(), unique=True), kind) for text in texts)
        day = sa.func.unnest(*both).table_valued(sa.column("begins", _MOMENT), sa.column("ends", _MOMENT))
        day = day.render_derived(name="day")
        return day, day.c.begins, day.c.ends
    told = json.dumps([[_as_kept(begin), _as_kept(end)] for begin, end in days])
    each = sa.func.json_each(told).table_valued("value", name="day")
    return each, sa.func.json_extract(each.c.value, "$[0]"), sa.func.json_extract(each.c.value, "$[1]")
