"""When each meter was heard last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from metering.store.sql.schema import identities
from metering.store.sql.statements import Columns, execute_columns
from metering.store.sql.wire import arrays

__all__ = ["note_heard"]

_NOTE = (
    sa.update(identities)
    .where(identities.c.id == sa.bindparam("meter"))
    .where(
        identities.c.last_heard.is_(None)
        | (identities.c.last_heard < sa.bindparam("moment", type_=identities.c.last_heard.type))
    )
    .values(last_heard=sa.bindparam("moment"))
)

_NOTE_ALL = """
UPDATE identities SET last_heard = heard.moment
FROM unnest(%s::bigint[], %s::timestamptz[]) AS heard (meter, moment)
WHERE id = heard.meter AND (last_heard IS NULL OR last_heard < heard.moment)
"""
"""The same for all at once; PostgreSQL."""


def note_heard(connection: sa.Connection, heard: Iterable[tuple[int, datetime]]) -> None:
    """Book when meters were heard, by any gateway; an earlier time never replaces a later one."""
    newest: dict[int, datetime] = {}
    for meter, moment in heard:
        if meter not in newest or newest[meter] < moment:
            newest[meter] = moment
    columns: Columns = {"meter": list(newest), "moment": list(newest.values())}
    if newest and connection.dialect.name == "postgresql":
        kinds = (identities.c.id, identities.c.last_heard)
        connection.exec_driver_sql(_NOTE_ALL, tuple(arrays(kinds, tuple(columns.values()))))
    else:
        execute_columns(connection, _NOTE, columns)
