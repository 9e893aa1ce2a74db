"""Readings that are still to be written to a series store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "series_queue",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("meter", NUMBER, nullable=False),
        sa.Column("register", NUMBER, nullable=False),
        sa.Column("measured_at", MOMENT, nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series_queue"),
    )
