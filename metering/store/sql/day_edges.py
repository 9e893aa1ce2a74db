"""The first and the last reading of each of many days, without bringing all between.

::

    day          |                                    |                                    |
    readings       x  x    x   x      x  x  x       x   x x    x      x   x   x        x
    found          ^                                ^   ^                              ^

A year of hours is nine thousand readings, of which the edges of its days are seven hundred. SQLite seeks each
edge by the key of the readings, which takes a sixth of the time of reading all. PostgreSQL would plan such
seeks over every partition for longer than it reads a year: it reads it once and numbers the days.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metering.store.sql.among import among
from metering.store.sql.schema import readings
from metering.store.sql.statements import in_chunks
from metering.store.sql.types import Moment
from metering.store.sql.wire import arrays

__all__ = ["edges_of_days"]

_MOMENT = Moment()
_as_kept = _MOMENT.bind_processor(sqlite.dialect())


def edges_of_days(  # noqa: PLR0913, PLR0917  what is sought, of whom, of which days
    connection: sa.Connection,
    wanted: tuple[sa.ColumnElement[Any], ...],
    believed: sa.Select[Any],
    meters: Collection[int],
    register: int,
    days: Sequence[datetime],
) -> Iterator[Any]:
    """Give the first and the last reading of each day, by meter and time.

    Args:
        connection: in a transaction.
        wanted: columns of the readings.
        believed: numbers of the origins that count.
        meters: their numbers.
        register: its number.
        days: beginnings, UTC, rising; each day ends where the next one begins.
    """
    if connection.dialect.name == "postgresql":
        of = (readings.c.register == register) & readings.c.origin.in_(believed)
        of &= (readings.c.measured_at >= days[0]) & (readings.c.measured_at < days[-1])
        for mine in among(connection, readings.c.meter, meters):
            yield from connection.execute(_numbered(wanted, of & mine, days)).all()
        return
    statement = _sought(wanted, believed)
    for meter in meters:
        for some in in_chunks(pairwise(days)):
            marks = [some[0][0], *(end for _begin, end in some)]
            told = json.dumps(list(pairwise(map(_as_kept, marks))))
            whose = {"its_meter": meter, "its_register": register, "days": told}
            yield from connection.execute(statement, whose).all()


def _numbered(
    wanted: Sequence[sa.ColumnElement[Any]], of: sa.ColumnElement[bool], days: Sequence[datetime]
) -> sa.Select[Any]:
    """Number the days of the readings, and keep those at an edge of theirs."""
    (text,) = arrays([sa.Column(type_=_MOMENT)], [days])
    said = sa.bindparam("days", text, sa.Text(), unique=True)
    # a query of its own is answered once; a cast would be made anew for every reading
    begins = sa.select(sa.cast(said, postgresql.ARRAY(sa.TIMESTAMP(timezone=True)))).scalar_subquery()
    at = readings.c.measured_at
    day = (readings.c.meter, sa.func.width_bucket(at, begins))
    first, last = (edge(at).over(partition_by=day) for edge in (sa.func.min, sa.func.max))
    names = [f"column{number}" for number in range(len(wanted))]
    inner = sa.select(
        *(one.label(name) for one, name in zip(wanted, names, strict=True)),
        readings.c.meter.label("whose"),
        at.label("moment"),
        first.label("first"),
        last.label("last"),
    )
    told = inner.where(of).subquery()
    edges = (told.c.moment == told.c.first) | (told.c.moment == told.c.last)
    return sa.select(*(told.c[name] for name in names)).where(edges).order_by(told.c.whose, told.c.moment)


@lru_cache(maxsize=8)
def _sought(wanted: tuple[sa.ColumnElement[Any], ...], believed: sa.Select[Any]) -> sa.Select[Any]:
    """Seek the edges of each day; made once: made anew it takes longer than to be answered."""
    meter = sa.bindparam("its_meter", type_=sa.BigInteger)
    register = sa.bindparam("its_register", type_=sa.BigInteger)

    def its(table: sa.FromClause) -> sa.ColumnElement[bool]:
        return (table.c.meter == meter) & (table.c.register == register) & table.c.origin.in_(believed)

    day = sa.func.json_each(sa.bindparam("days", type_=sa.Text)).table_valued("value", name="day")
    begins, ends = (sa.func.json_extract(day.c.value, f"$[{place}]") for place in (0, 1))
    edge = readings.alias("edge")
    inside = its(edge) & (edge.c.measured_at >= begins) & (edge.c.measured_at < ends)
    first, last = (
        sa.select(chosen(edge.c.measured_at, type_=_MOMENT)).where(inside).correlate(day).scalar_subquery()
        for chosen in (sa.func.min, sa.func.max)
    )
    both = sa.union(sa.select(first).select_from(day), sa.select(last).select_from(day))
    found = sa.select(*wanted).where(its(readings), readings.c.measured_at.in_(both))
    return found.order_by(readings.c.measured_at)
