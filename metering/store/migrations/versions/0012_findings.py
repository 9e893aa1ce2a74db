"""Findings, what was said of them, whom they were told, and how far the scan came."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

OPEN = sa.text("cleared_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("family", NAME, nullable=False),
        _text("name"),
        sa.Column("tier", sa.Integer(), nullable=False),
        _moment("raised_at"),
        _moment("onset"),
        _moment("cleared_at", nullable=True),
        *(_text(name) for name in ("state", "tenancy", "muted")),
        _moment("kept_at"),
        _text("body"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_findings_subject", "findings", ["subject"])
    op.create_index("ix_findings_raised_at", "findings", ["raised_at"])
    op.create_index(
        "ix_findings_open",
        "findings",
        ["subject", "family"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "finding_verdicts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("finding", NUMBER, nullable=False),
        *(_text(name) for name in ("state", "by", "reason")),
        _moment("at"),
        sa.PrimaryKeyConstraint("id", name="pk_finding_verdicts"),
        sa.ForeignKeyConstraint(["finding"], ["findings.id"], name="fk_finding_verdicts_finding"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_finding_verdicts_finding", "finding_verdicts", ["finding"])
    op.create_table(
        "finding_notices",
        sa.Column("key", NAME, nullable=False),
        _text("channel"),
        sa.Column("finding", NUMBER, nullable=False),
        _text("tier"),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_at"),
        _text("error"),
        sa.PrimaryKeyConstraint("key", name="pk_finding_notices"),
        sa.ForeignKeyConstraint(["finding"], ["findings.id"], name="fk_finding_notices_finding"),
    )
    op.create_index("ix_finding_notices_finding", "finding_notices", ["finding"])
    op.create_index("ix_finding_notices_state_next_at", "finding_notices", ["state", "next_at"])
    op.create_table(
        "finding_marks",
        sa.Column("meter", NAME, nullable=False),
        _text("version"),
        sa.Column("readings", sa.Integer(), nullable=False),
        _moment("until"),
        _moment("arrived"),
        _text("digest"),
        sa.PrimaryKeyConstraint("meter", name="pk_finding_marks"),
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable)
