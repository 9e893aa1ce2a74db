"""Which frames of a batch are archived: asked for every batch, nearly always answered "none".

The answer is a few numbers at most, so the question is put to the driver as it stands: SQLAlchemy would take
longer to write a list of a thousand digests into a statement than the database to look for them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from metering.store.sql.schema import telegrams
from metering.store.sql.types import Moment
from metering.store.sql.wire import arrays

__all__ = ["numbers_of_marks"]

_AT_ONCE = 4000
"""Digests per statement: far below the 32,766 parameters of SQLite, and nearly always all of a batch."""

_SQLITE = "SELECT id FROM telegrams WHERE fingerprint IN ({marks}) AND heard_at >= ?"
_POSTGRESQL = "SELECT id FROM telegrams WHERE fingerprint = ANY(%s::bytea[]) AND heard_at >= %s::timestamptz"


def numbers_of_marks(
    connection: sa.Connection, marks: Collection[bytes], since: datetime, until: datetime | None
) -> list[int]:
    """Give the numbers of archived telegrams with these digests, heard from ``since`` to ``until``."""
    rest = iter(marks)
    found: list[int] = []
    limits = [since] if until is None else [since, until]
    while some := list(islice(rest, _AT_ONCE)):
        text, values = _question(connection.dialect, some, limits)
        found += connection.exec_driver_sql(text, tuple(values)).scalars()
    return found


def _question(
    dialect: sa.Dialect, marks: Sequence[bytes], limits: Sequence[datetime]
) -> tuple[str, list[Any]]:
    bound = Moment().bind_processor(dialect)
    times = list(map(bound, limits))
    if dialect.name == "postgresql":
        text = _POSTGRESQL + (" AND heard_at <= %s::timestamptz" if len(limits) > 1 else "")
        return text, [*arrays([telegrams.c.fingerprint], [marks]), *times]
    text = _SQLITE.format(marks=",".join("?" * len(marks)))
    return text + (" AND heard_at <= ?" if len(limits) > 1 else ""), [*marks, *times]
