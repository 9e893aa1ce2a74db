"""Who looked at what, and what customers agreed to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contract", NAME, nullable=False),
        _text("kind"),
        sa.Column("given", sa.Boolean(), nullable=False),
        _moment("at"),
        _text("by"),
        _text("text"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consents_contract", "consents", ["contract"])
    op.create_table(
        "looks",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("contract", NAME, nullable=False),
        _text("service_point"),
        _moment("at"),
        _text("by"),
        _text("what"),
        _moment("since"),
        _moment("until"),
        _text("step"),
        sa.PrimaryKeyConstraint("id", name="pk_looks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_looks_contract", "looks", ["contract"])
    op.create_index("ix_looks_at", "looks", ["at"])


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=False)
