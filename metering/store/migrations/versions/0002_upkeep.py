"""Upkeep: numbers in spans, hearings per day, rhythms, mending, key validity, master keys that rotate.

Spans and hearings are filled from what is stored.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

# Consecutive numbers less their rank are equal: each such group is one span.
FILL_SPANS = """
INSERT INTO spans (gateway, boot, "first", "last")
SELECT gateway, boot, MIN(seq), MAX(seq) FROM (
    SELECT gateway, boot, seq, seq - ROW_NUMBER() OVER (PARTITION BY gateway, boot ORDER BY seq) AS island
    FROM (
        SELECT gateway, boot, seq FROM receptions WHERE boot IS NOT NULL AND seq IS NOT NULL
        UNION SELECT gateway, boot, seq FROM sequences
    ) AS numbers
) AS islands GROUP BY gateway, boot, island
"""

FILL_HEARINGS = """
INSERT INTO hearings (
    day, meter, gateway, first_heard, last_heard, heard, measured, rssi_sum, rssi_min, rssi_max
)
SELECT {day}, t.meter, r.gateway, MIN(r.heard_at), MAX(r.heard_at), COUNT(*), COUNT(r.rssi_dbm),
    COALESCE(SUM(r.rssi_dbm), 0), MIN(r.rssi_dbm), MAX(r.rssi_dbm)
FROM receptions AS r JOIN telegrams AS t ON t.id = r.telegram
GROUP BY {day}, t.meter, r.gateway
"""

DAY = {
    "sqlite": "r.heard_at / 86400000000",
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM r.heard_at) / 86400) AS INTEGER)",
}


def upgrade() -> None:
    _numbers()
    _hearings()
    _mending()
    _keys()
    op.add_column("gateways", sa.Column("alive_at", MOMENT))
    foreign = sa.text("state = 'foreign'")
    op.create_index(
        "ix_telegrams_foreign", "telegrams", ["heard_at"], sqlite_where=foreign, postgresql_where=foreign
    )


def _numbers() -> None:
    op.create_table(
        "spans",
        sa.Column("gateway", NUMBER, nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "boot", "first", name="pk_spans"),
        _points_to("spans", "gateway", "gateways.id"),
        sqlite_with_rowid=False,
    )
    op.execute(FILL_SPANS)
    op.drop_table("sequences")


def _hearings() -> None:
    op.create_table(
        "hearings",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("meter", NUMBER, nullable=False),
        sa.Column("gateway", NUMBER, nullable=False),
        sa.Column("first_heard", MOMENT, nullable=False),
        sa.Column("last_heard", MOMENT, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("heard", "measured", "rssi_sum")),
        sa.Column("rssi_min", sa.Integer()),
        sa.Column("rssi_max", sa.Integer()),
        sa.PrimaryKeyConstraint("day", "meter", "gateway", name="pk_hearings"),
        _points_to("hearings", "meter", "identities.id"),
        _points_to("hearings", "gateway", "gateways.id"),
        sqlite_with_rowid=False,
    )
    op.execute(FILL_HEARINGS.format(day=DAY[op.get_bind().dialect.name]))
    op.create_table(
        "rhythms",
        sa.Column("meter", NUMBER, autoincrement=False, nullable=False),
        sa.Column("interval_s", sa.Integer()),
        sa.Column("learnt_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("meter", name="pk_rhythms"),
        _points_to("rhythms", "meter", "identities.id"),
    )


def _mending() -> None:
    op.create_table(
        "mending",
        sa.Column("meter", NUMBER, autoincrement=False, nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meter", name="pk_mending"),
        _points_to("mending", "meter", "identities.id"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )


def _keys() -> None:
    op.add_column("meter_keys", sa.Column("valid_from", MOMENT))
    op.add_column("meter_keys", sa.Column("valid_to", MOMENT))
    op.add_column(
        "meter_keys", sa.Column("master", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )


def _points_to(table: str, column: str, target: str) -> Any:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
