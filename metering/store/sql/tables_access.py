"""Tables of who looked and what was agreed to."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, text
from metering.store.sql.types import Name

__all__ = ["consents", "looks"]

consents = sa.Table(
    "consents",
    metadata,
    number(),
    sa.Column("contract", Name, nullable=False),
    text("kind"),
    sa.Column("given", sa.Boolean, nullable=False),
    moment("at"),
    text("by"),
    text("text"),
    sa.Index(None, "contract"),
    sqlite_autoincrement=True,
)

looks = sa.Table(
    "looks",
    metadata,
    number(),
    sa.Column("contract", Name, nullable=False),
    text("service_point"),
    moment("at"),
    text("by"),
    text("what"),
    moment("since"),
    moment("until"),
    text("step"),
    sa.Index(None, "contract"),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
)
