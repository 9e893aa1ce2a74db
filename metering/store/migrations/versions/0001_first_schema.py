"""The first schema: archive, readings, registry, keys, accounts.

A migration is history: it is never edited, and imports nothing of the program that could change.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    _names()
    _archive()
    _readings()
    _registry()
    _keys()
    _accounts()


def _names() -> None:
    op.create_table(
        "identities",
        _number(),
        sa.Column("name", NAME, nullable=False),
        _moment("last_heard", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("name", name="uq_identities_name"),
    )
    op.create_table(
        "registers",
        _number(),
        sa.Column("key", NAME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registers"),
        sa.UniqueConstraint("key", name="uq_registers_key"),
    )
    op.create_table(
        "gateways",
        _number(),
        sa.Column("name", NAME, nullable=False),
        sa.Column("online", sa.Boolean()),
        _moment("state_at", nullable=True),
        _text("boot", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_gateways"),
        sa.UniqueConstraint("name", name="uq_gateways_name"),
    )
    common = ("unit", "way", "quality", "gateway", "model", "decoder")
    op.create_table(
        "origins",
        _number(),
        *(_text(name) for name in common),
        sa.PrimaryKeyConstraint("id", name="pk_origins"),
        sa.UniqueConstraint(*common, name="uq_origins_unit_way_quality_gateway_model_decoder"),
    )


def _archive() -> None:
    op.create_table(
        "counters",
        _text("name"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "telegrams",
        sa.Column("id", NUMBER, nullable=False, autoincrement=False),
        _refers("meter"),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        _text("state"),
        _text("reason"),
        _moment("heard_at"),
        sa.PrimaryKeyConstraint("id", name="pk_telegrams"),
        _foreign("telegrams", "meter", "identities.id"),
    )
    op.create_index("ix_telegrams_fingerprint_heard_at", "telegrams", ["fingerprint", "heard_at"])
    op.create_index("ix_telegrams_meter_id", "telegrams", ["meter", "id"])
    op.create_index("ix_telegrams_state_id", "telegrams", ["state", "id"])
    _partial_index("ix_telegrams_held", "telegrams", ["meter"], "state = 'held'")
    op.create_table(
        "receptions",
        _number(),
        _refers("telegram"),
        _refers("gateway"),
        _moment("heard_at"),
        _moment("received_at"),
        _text("clock"),
        sa.Column("rssi_dbm", sa.Integer()),
        _text("mode", nullable=True),
        _text("boot", nullable=True),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="pk_receptions"),
        _foreign("receptions", "telegram", "telegrams.id"),
        _foreign("receptions", "gateway", "gateways.id"),
    )
    op.create_index("ix_receptions_telegram", "receptions", ["telegram"])
    numbered = ["gateway", "boot", "seq"]
    _partial_index("uq_receptions_sequence", "receptions", numbered, "boot IS NOT NULL", unique=True)
    op.create_table(
        "sequences",
        _refers("gateway"),
        _text("boot"),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint(*numbered, name="pk_sequences"),
        _foreign("sequences", "gateway", "gateways.id"),
        sqlite_with_rowid=False,
    )


def _readings() -> None:
    op.create_table(
        "readings",
        _refers("meter"),
        _refers("register"),
        _moment("measured_at"),
        sa.Column("value", EXACT, nullable=False),
        _moment("received_at"),
        _refers("telegram", nullable=True),
        _refers("origin"),
        sa.PrimaryKeyConstraint("meter", "register", "measured_at", "value", name="pk_readings"),
        _foreign("readings", "meter", "identities.id"),
        _foreign("readings", "register", "registers.id"),
        _foreign("readings", "telegram", "telegrams.id"),
        _foreign("readings", "origin", "origins.id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_readings_telegram", "readings", ["telegram"])
    op.create_table(
        "latest",
        _refers("meter"),
        _refers("register"),
        _moment("measured_at"),
        sa.PrimaryKeyConstraint("meter", "register", name="pk_latest"),
        _foreign("latest", "meter", "identities.id"),
        _foreign("latest", "register", "registers.id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "details",
        _number(),
        _refers("meter"),
        _refers("register"),
        _moment("measured_at"),
        _text("text"),
        _refers("telegram", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_details"),
        sa.UniqueConstraint(
            "telegram",
            "meter",
            "register",
            "measured_at",
            "text",
            name="uq_details_telegram_meter_register_measured_at_text",
        ),
        _foreign("details", "meter", "identities.id"),
        _foreign("details", "register", "registers.id"),
        _foreign("details", "telegram", "telegrams.id"),
    )
    said = ["meter", "register", "measured_at", "text"]
    _partial_index("uq_details_without_telegram", "details", said, "telegram IS NULL", unique=True)


def _registry() -> None:
    op.create_table(
        "meters",
        _refers("meter"),
        _text("medium"),
        _text("label"),
        _text("model", nullable=True),
        _text("search"),
        sa.PrimaryKeyConstraint("meter", name="pk_meters"),
        _foreign("meters", "meter", "identities.id"),
    )
    op.create_table(
        "service_points",
        *(_text(name) for name in ("id", "address", "district", "route", "search")),
        sa.PrimaryKeyConstraint("id", name="pk_service_points"),
    )
    op.create_table(
        "installations",
        _refers("meter"),
        _text("service_point"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        sa.PrimaryKeyConstraint("meter", "service_point", "valid_from", name="pk_installations"),
        _foreign("installations", "meter", "identities.id"),
        _foreign("installations", "service_point", "service_points.id"),
    )
    op.create_index("ix_installations_service_point", "installations", ["service_point"])
    op.create_table(
        "pulse_inputs",
        _text("gateway"),
        _text("channel"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        _refers("meter"),
        sa.Column("litres_per_pulse", EXACT, nullable=False),
        sa.Column("start_count", sa.BigInteger(), nullable=False),
        sa.Column("start_index_m3", EXACT, nullable=False),
        sa.PrimaryKeyConstraint("gateway", "channel", "valid_from", name="pk_pulse_inputs"),
        _foreign("pulse_inputs", "meter", "identities.id"),
    )


def _keys() -> None:
    op.create_table(
        "meter_keys",
        _number(),
        _refers("meter"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _moment("added_at"),
        sa.PrimaryKeyConstraint("id", name="pk_meter_keys"),
        _foreign("meter_keys", "meter", "identities.id"),
    )
    op.create_index("ix_meter_keys_meter", "meter_keys", ["meter"])
    op.create_table(
        "master_key",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("check_value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_master_key"),
    )


def _accounts() -> None:
    counts = ("received", "stored", "duplicate", "held", "foreign", "quarantined")
    op.create_table(
        "accounts",
        _refers("gateway"),
        _moment("last_heard"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("gateway", name="pk_accounts"),
        _foreign("accounts", "gateway", "gateways.id"),
        sa.CheckConstraint(
            'received = stored + duplicate + held + "foreign" + quarantined', name=op.f("ck_accounts_sum")
        ),
    )
    op.create_table(
        "quarantine",
        _number(),
        *(_text(name) for name in ("gateway", "topic", "reason", "sentence")),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sqlite_autoincrement=True,
    )


def _number() -> sa.Column[Any]:
    return sa.Column("id", NUMBER, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable, autoincrement=False)


def _refers(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=nullable, autoincrement=False)


def _foreign(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [target], name=f"fk_{table}_{name}")


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
