"""What came from devices and inputs nobody has registered yet (:mod:`metering.unclaimed`)."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, text
from metering.store.sql.types import Name

__all__ = ["unclaimed"]

unclaimed = sa.Table(
    "unclaimed",
    metadata,
    number(),
    *(sa.Column(name, Name, nullable=False) for name in ("kind", "gateway", "name")),
    moment("heard_at"),
    sa.Column("digest", Name, nullable=False),  # of the body, which is too long for an index
    text("body"),  # JSON: the uplink as it was read
    sa.UniqueConstraint("kind", "gateway", "name", "heard_at", "digest"),
    sa.Index(None, "heard_at"),
    sqlite_autoincrement=True,
)
