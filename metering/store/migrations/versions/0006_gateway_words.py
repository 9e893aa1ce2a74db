"""What gateways say of themselves and are told: health, settings told, settings reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "gateway_words",
        sa.Column("gateway", NUMBER, nullable=False, autoincrement=False),
        sa.Column("leaf", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "leaf", name="pk_gateway_words"),
        sa.ForeignKeyConstraint(["gateway"], ["gateways.id"], name="fk_gateway_words_gateway"),
        sqlite_with_rowid=False,
    )
