"""Districts: the meters at their borders, and their hours; findings nobody decided about yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

WAITING = sa.text("muted = 'the scan is not over'")


def upgrade() -> None:
    op.create_table(
        "district_meters",
        sa.Column("district", NAME, nullable=False),
        sa.Column("meter", NUMBER, nullable=False, autoincrement=False),
        sa.Column("register", NAME, nullable=False),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        sa.Column("sign", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district", "meter", "register", "valid_from", name="pk_district_meters"),
        sa.ForeignKeyConstraint(["meter"], ["identities.id"], name="fk_district_meters_meter"),
    )
    op.create_table(
        "district_hours",
        sa.Column("district", NAME, nullable=False),
        _moment("hour"),
        sa.Column("inflow_l", sa.Double(), nullable=True),
        sa.Column("use_l", sa.Double(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("meters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("district", "hour", name="pk_district_hours"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_findings_waiting", "findings", ["id"], sqlite_where=WAITING, postgresql_where=WAITING)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable, autoincrement=False)
