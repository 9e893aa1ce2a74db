"""What a series store still lacks (:mod:`metering.store.sql.series_queue`)."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number
from metering.store.sql.types import Number

__all__ = ["series_queue"]

# A register of a meter at a time, where readings came or went; filled by triggers, in their transaction.
series_queue = sa.Table(
    "series_queue",
    metadata,
    number(),
    sa.Column("meter", Number, nullable=False),
    sa.Column("register", Number, nullable=False),
    moment("measured_at"),
    sa.Column("gone", sa.Boolean, nullable=False),
)
