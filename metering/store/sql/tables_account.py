"""Tables of readings, of what happened to what came, and of what leaves."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import Exact, Moment, Name

__all__ = [
    "accounts",
    "details",
    "latest",
    "outbox",
    "outbox_attempts",
    "outbox_pauses",
    "quarantine",
    "readings",
]

# --- readings ------------------------------------------------------------------------------------

# Clustered by its key: one meter's register over a year lies together on disk.
readings = sa.Table(
    "readings",
    metadata,
    points_to("meter", "identities.id", key=True),
    points_to("register", "registers.id", key=True),
    sa.Column("measured_at", Moment, primary_key=True, autoincrement=False),
    sa.Column("value", Exact, primary_key=True),
    moment("received_at"),
    points_to("telegram", "telegrams.id", nullable=True),  # NULL: a pulse
    points_to("origin", "origins.id"),
    sa.Index(None, "telegram"),
    sqlite_with_rowid=False,
)

latest = sa.Table(
    "latest",
    metadata,
    points_to("meter", "identities.id", key=True),
    points_to("register", "registers.id", key=True),
    moment("measured_at"),
    sqlite_with_rowid=False,
)

details = sa.Table(
    "details",
    metadata,
    number(),
    points_to("meter", "identities.id"),
    points_to("register", "registers.id"),
    moment("measured_at"),
    text("text"),
    points_to("telegram", "telegrams.id", nullable=True),
    sa.UniqueConstraint("telegram", "meter", "register", "measured_at", "text"),
)
sa.Index(
    "uq_details_without_telegram",  # NULLs are distinct in the constraint above
    details.c.meter,
    details.c.register,
    details.c.measured_at,
    details.c.text,
    unique=True,
    sqlite_where=details.c.telegram.is_(None),
    postgresql_where=details.c.telegram.is_(None),
)

# --- what happened to what came ------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    points_to("gateway", "gateways.id", key=True),
    moment("last_heard"),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("received", "stored", "duplicate", "held", "foreign", "quarantined")
    ),
    # Promise 4 of the design, kept by the database itself.
    sa.CheckConstraint('received = stored + duplicate + held + "foreign" + quarantined', name="sum"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    number(),
    text("gateway"),
    text("topic"),
    text("reason"),
    text("sentence"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    moment("received_at"),
    sqlite_autoincrement=True,
)

# --- what leaves ---------------------------------------------------------------------------------

outbox = sa.Table(
    "outbox",
    metadata,
    number(),
    *(sa.Column(name, Name, nullable=False) for name in ("target", "key", "aggregate")),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    moment("next_at"),
    text("lease_owner"),
    moment("lease_until", nullable=True),
    text("error"),
    text("receipt"),
    moment("put_at"),
    moment("settled_at", nullable=True),
    sa.UniqueConstraint("target", "key"),
    sqlite_autoincrement=True,  # the order of what was put is never told twice
)
sa.Index(
    "ix_outbox_unsettled",  # what comes before a message of its aggregate, without walking what was delivered
    outbox.c.target,
    outbox.c.aggregate,
    outbox.c.id,
    sqlite_where=outbox.c.state.in_(("pending", "dead")),
    postgresql_where=outbox.c.state.in_(("pending", "dead")),
)
sa.Index(
    "ix_outbox_due",
    outbox.c.target,
    outbox.c.next_at,
    outbox.c.id,
    sqlite_where=outbox.c.state == "pending",
    postgresql_where=outbox.c.state == "pending",
)

outbox_attempts = sa.Table(
    "outbox_attempts",
    metadata,
    number(),
    points_to("message", "outbox.id"),
    moment("at"),
    text("outcome"),
    sa.Index(None, "message"),
)

outbox_pauses = sa.Table(
    "outbox_pauses",
    metadata,
    sa.Column("target", Name, primary_key=True),
    moment("since"),
    text("reason"),
)
