"""A column that has one of many values, asked for in as few statements as the database likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from metering.store.sql.statements import in_chunks
from metering.store.sql.wire import arrays

__all__ = ["among"]


def among(
    connection: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]
) -> Iterator[sa.ColumnElement[bool]]:
    """Give conditions that a column (of numbers or texts) has one of many values, for one statement each.

    PostgreSQL takes all of them as one array: a statement that is prepared once, however many they are, where
    the driver takes longer to write five hundred parameters than the server to find their rows.
    """
    if connection.dialect.name != "postgresql":
        yield from (column.in_(chunk) for chunk in in_chunks(values))
        return
    kind = sa.BigInteger() if isinstance(column.type, sa.Integer) else sa.Text()
    if wanted := list(values):
        (text,) = arrays([sa.Column(type_=column.type)], [wanted])
        listed = sa.bindparam(None, text, type_=sa.Text(), unique=True)
        yield column == sa.any_(sa.cast(listed, postgresql.ARRAY(kind)))
