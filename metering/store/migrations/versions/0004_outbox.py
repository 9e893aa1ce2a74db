"""The outbox: messages to billing systems, each sending, and targets that are paused."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

UNSETTLED = "state IN ('pending', 'dead')"
PENDING = "state = 'pending'"


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("target", "key", "aggregate")),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _moment("next_at"),
        _text("lease_owner"),
        _moment("lease_until", nullable=True),
        _text("error"),
        _text("receipt"),
        _moment("put_at"),
        _moment("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("target", "key", name="uq_outbox_target_key"),
        sqlite_autoincrement=True,
    )
    _partial("ix_outbox_unsettled", ["target", "aggregate", "id"], UNSETTLED)
    _partial("ix_outbox_due", ["target", "next_at", "id"], PENDING)
    op.create_table(
        "outbox_attempts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("message", NUMBER, nullable=False),
        _moment("at"),
        _text("outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_attempts"),
        sa.ForeignKeyConstraint(["message"], ["outbox.id"], name="fk_outbox_attempts_message"),
    )
    op.create_index("ix_outbox_attempts_message", "outbox_attempts", ["message"])
    op.create_table(
        "outbox_pauses",
        sa.Column("target", NAME, nullable=False),
        _moment("since"),
        _text("reason"),
        sa.PrimaryKeyConstraint("target", name="pk_outbox_pauses"),
    )


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable)
