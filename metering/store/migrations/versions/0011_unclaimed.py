"""What came from devices and inputs nobody has registered yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

KEY = ["kind", "gateway", "name", "heard_at", "digest"]


def upgrade() -> None:
    op.create_table(
        "unclaimed",
        sa.Column("id", NUMBER, nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("kind", "gateway", "name")),
        sa.Column("heard_at", MOMENT, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unclaimed"),
        sa.UniqueConstraint(*KEY, name="uq_unclaimed_" + "_".join(KEY)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_unclaimed_heard_at", "unclaimed", ["heard_at"])
