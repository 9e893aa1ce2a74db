"""Validation between closings, what classes of customers use, and reading orders."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")

OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    _findings()
    _marks()
    _usage()
    _orders()


def _findings() -> None:
    op.create_table(
        "check_findings",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("meter", NUMBER, nullable=False),
        sa.Column("register", NAME, nullable=False),
        sa.Column("rule", NAME, nullable=False),
        _moment("at"),
        _moment("until", nullable=True),
        sa.Column("value", EXACT, nullable=True),
        sa.Column("told", NAME, nullable=False),
        *(_text(name) for name in ("severity", "sentence", "cim")),
        sa.Column("espi", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        _moment("found_at"),
        sa.PrimaryKeyConstraint("id", name="pk_check_findings"),
        sa.ForeignKeyConstraint(["meter"], ["identities.id"], name="fk_check_findings_meter"),
        sa.UniqueConstraint(
            "meter", "at", "rule", "register", "told", name="uq_check_findings_meter_at_rule_register_told"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_check_findings_found_at", "check_findings", ["found_at"])


def _marks() -> None:
    op.create_table(
        "check_marks",
        sa.Column("meter", NUMBER, nullable=False, autoincrement=False),
        *(_moment(name) for name in ("newest", "arrived", "swept")),
        sa.Column("judged", sa.BigInteger(), nullable=False),
        _moment("accepted_at", nullable=True),
        sa.Column("accepted", EXACT, nullable=True),
        _moment("doubted_at", nullable=True),
        sa.Column("doubted", EXACT, nullable=True),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("raised", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meter", name="pk_check_marks"),
        sa.ForeignKeyConstraint(["meter"], ["identities.id"], name="fk_check_marks_meter"),
    )


def _usage() -> None:
    op.create_table(
        "check_intervals",
        sa.Column("meter", NUMBER, nullable=False, autoincrement=False),
        _text("step"),
        _moment("until"),
        sa.PrimaryKeyConstraint("meter", name="pk_check_intervals"),
        sa.ForeignKeyConstraint(["meter"], ["identities.id"], name="fk_check_intervals_meter"),
    )
    op.create_table(
        "class_usage",
        sa.Column("class", NAME, nullable=False),
        sa.Column("until", MOMENT, nullable=False, autoincrement=False),
        sa.Column("m3_per_day", EXACT, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class", "until", name="pk_class_usage"),
    )


def _orders() -> None:
    op.create_table(
        "reading_orders",
        sa.Column("id", NUMBER, nullable=False),
        _text("service_point"),
        sa.Column("question", NUMBER, nullable=True),
        sa.Column("due", sa.Date(), nullable=False),
        *(_text(name) for name in ("reason", "by", "state")),
        _moment("ordered_at"),
        _moment("settled_at", nullable=True),
        *(_text(name) for name in ("settled_by", "outcome")),
        sa.PrimaryKeyConstraint("id", name="pk_reading_orders"),
        sa.ForeignKeyConstraint(
            ["service_point"], ["service_points.id"], name="fk_reading_orders_service_point"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reading_orders_state_due", "reading_orders", ["state", "due"])
    op.create_index(
        "uq_reading_orders_open",
        "reading_orders",
        ["service_point"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable)
