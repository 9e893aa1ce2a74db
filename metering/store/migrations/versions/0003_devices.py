"""Devices behind gateways: which meter they are, what pulse inputs said last, parts of long frames."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "devices",
        _text("gateway"),
        _text("name"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        sa.Column("meter", NUMBER, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("gateway", "name", "valid_from", name="pk_devices"),
        sa.ForeignKeyConstraint(["meter"], ["identities.id"], name="fk_devices_meter"),
    )
    op.create_table(
        "pulse_states",
        _text("gateway"),
        _text("channel"),
        sa.Column("total", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("gateway", "channel", name="pk_pulse_states"),
    )
    op.create_table(
        "pulse_resets",
        _text("gateway"),
        _text("channel"),
        _moment("at"),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "channel", "at", name="pk_pulse_resets"),
    )
    op.create_table(
        "parts",
        _text("gateway"),
        _text("boot"),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        _text("form"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _moment("heard_at"),
        _moment("received_at"),
        _text("clock"),
        sa.PrimaryKeyConstraint("gateway", "boot", "seq", name="pk_parts"),
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable, autoincrement=False)
