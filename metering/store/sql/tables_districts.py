"""Tables of districts: the meters at their borders, and their hours."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, points_to
from metering.store.sql.types import Moment, Name

__all__ = ["district_hours", "district_meters"]

district_meters = sa.Table(
    "district_meters",
    metadata,
    sa.Column("district", Name, primary_key=True),
    points_to("meter", "identities.id", key=True),
    sa.Column("register", Name, primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    moment("valid_to", nullable=True),
    sa.Column("sign", sa.Integer, nullable=False),
)

# Litres as binary floats: sums for anomaly mathematics, never billed.
district_hours = sa.Table(
    "district_hours",
    metadata,
    sa.Column("district", Name, primary_key=True),
    sa.Column("hour", Moment, primary_key=True, autoincrement=False),
    sa.Column("inflow_l", sa.Double),
    sa.Column("use_l", sa.Double, nullable=False),
    sa.Column("known", sa.Integer, nullable=False),
    sa.Column("meters", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
