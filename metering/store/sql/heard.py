"""When each meter was heard last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from metering.store.sql.schema import identities
from metering.store.sql.statements import execute_many

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


def note_heard(connection: sa.Connection, heard: Iterable[tuple[int, datetime]]) -> None:
    """Book when meters were heard, by any gateway; an earlier time never replaces a later one."""
    newest: dict[int, datetime] = {}
    for meter, moment in heard:
        if meter not in newest or newest[meter] < moment:
            newest[meter] = moment
    rows = [{"meter": meter, "moment": moment} for meter, moment in newest.items()]
    execute_many(connection, _NOTE, rows)
