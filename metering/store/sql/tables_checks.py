"""Tables of validation between closings and of reading orders."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import Exact, FreeText, Moment, Name

__all__ = ["check_findings", "check_intervals", "check_marks", "class_usage", "reading_orders"]

check_findings = sa.Table(
    "check_findings",
    metadata,
    number(),
    points_to("meter", "identities.id"),
    sa.Column("register", Name, nullable=False),
    sa.Column("rule", Name, nullable=False),
    moment("at"),
    moment("until", nullable=True),
    sa.Column("value", Exact),
    sa.Column("told", Name, nullable=False),
    text("severity"),
    text("sentence"),
    text("cim"),
    sa.Column("espi", sa.Integer, nullable=False),
    sa.Column("evidence", sa.LargeBinary, nullable=False),
    moment("found_at"),
    sa.UniqueConstraint("meter", "at", "rule", "register", "told"),
    sa.Index(None, "found_at"),
    sqlite_autoincrement=True,
)
"""``told`` is the value as text, empty for an interval: two states of one moment are two findings."""

check_marks = sa.Table(
    "check_marks",
    metadata,
    points_to("meter", "identities.id", key=True),
    moment("newest"),
    moment("arrived"),
    moment("swept"),
    sa.Column("judged", sa.BigInteger, nullable=False),
    moment("accepted_at", nullable=True),
    sa.Column("accepted", Exact),
    moment("doubted_at", nullable=True),
    sa.Column("doubted", Exact),
    sa.Column("doubts", sa.Integer, nullable=False),
    sa.Column("raised", sa.BigInteger, nullable=False),
)

check_intervals = sa.Table(
    "check_intervals",
    metadata,
    points_to("meter", "identities.id", key=True),
    text("step"),
    moment("until"),
)

class_usage = sa.Table(
    "class_usage",
    metadata,
    sa.Column("class", Name, primary_key=True),
    sa.Column("until", Moment, primary_key=True, autoincrement=False),
    sa.Column("m3_per_day", Exact, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
)

reading_orders = sa.Table(
    "reading_orders",
    metadata,
    number(),
    sa.Column("service_point", FreeText, sa.ForeignKey("service_points.id"), nullable=False),
    sa.Column("question", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    sa.Column("due", sa.Date, nullable=False),
    text("reason"),
    text("by"),
    text("state"),
    moment("ordered_at"),
    moment("settled_at", nullable=True),
    text("settled_by"),
    text("outcome"),
    sa.Index(None, "state", "due"),
    sqlite_autoincrement=True,
)
# One open order per service point: ordering again orders nothing twice.
sa.Index(
    "uq_reading_orders_open",
    reading_orders.c.service_point,
    unique=True,
    sqlite_where=reading_orders.c.settled_at.is_(None),
    postgresql_where=reading_orders.c.settled_at.is_(None),
)
