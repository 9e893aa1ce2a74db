"""Tables of raw telegrams, who heard them, and small numbers for texts."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import FreeText, Name, Number

__all__ = [
    "counters",
    "gateways",
    "hearings",
    "identities",
    "marks",
    "mending",
    "origins",
    "receptions",
    "registers",
    "rhythms",
    "spans",
    "telegrams",
]

# --- small numbers for texts ---------------------------------------------------------------------

identities = sa.Table(
    "identities",
    metadata,
    number(),
    sa.Column("name", Name, nullable=False, unique=True),  # KAM-76348799-1b-16
    moment("last_heard", nullable=True),  # newest reception or pulse
)

registers = sa.Table(
    "registers",
    metadata,
    number(),
    sa.Column("key", Name, nullable=False, unique=True),  # metering.reading.Register.key
)

gateways = sa.Table(
    "gateways",
    metadata,
    number(),
    sa.Column("name", Name, nullable=False, unique=True),
    sa.Column("online", sa.Boolean),  # NULL: it never said
    moment("state_at", nullable=True),
    sa.Column("boot", FreeText),
    moment("alive_at", nullable=True),  # last health message; what it brings counts as well, see accounts
)

# What the readings of one gateway, model and register have in common: one number in each of them
# instead of six texts.
origins = sa.Table(
    "origins",
    metadata,
    number(),
    text("unit"),
    text("way"),
    text("quality"),
    text("gateway"),
    text("model"),  # empty: standard records; NULL would not be unique
    text("decoder"),
    sa.UniqueConstraint("unit", "way", "quality", "gateway", "model", "decoder"),
)

# --- raw telegrams -------------------------------------------------------------------------------

# On PostgreSQL telegrams, receptions and readings are partitioned by month: their keys end with the time, and
# their foreign keys are not kept (metering.store.sql.partitions).

# Archive numbers are drawn here, a block per batch, and never given twice: evidence refers to them.
counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

telegrams = sa.Table(
    "telegrams",
    metadata,
    sa.Column("id", Number, primary_key=True, autoincrement=False),
    points_to("meter", "identities.id"),
    sa.Column("frame", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    text("reason"),
    moment("heard_at"),  # earliest of its receptions
    sa.Index(None, "fingerprint", "heard_at"),
    sa.Index(None, "meter", "id"),
)
sa.Index(
    "ix_telegrams_waiting",  # those that wait, newest first; the many that are stored are not looked for so
    telegrams.c.state,
    telegrams.c.id,
    sqlite_where=telegrams.c.state != "stored",
    postgresql_where=telegrams.c.state != "stored",
)
sa.Index(
    "ix_telegrams_held",  # how many wait for a key, per meter, without walking all its telegrams
    telegrams.c.meter,
    sqlite_where=telegrams.c.state == "held",
    postgresql_where=telegrams.c.state == "held",
)

sa.Index(
    "ix_telegrams_foreign",  # the oldest go first, without walking those that stay
    telegrams.c.heard_at,
    sqlite_where=telegrams.c.state == "foreign",
    postgresql_where=telegrams.c.state == "foreign",
)

receptions = sa.Table(
    "receptions",
    metadata,
    number(),
    points_to("telegram", "telegrams.id"),
    points_to("gateway", "gateways.id"),
    moment("heard_at"),
    moment("received_at"),
    sa.Column("clock", sa.Text, nullable=False),
    sa.Column("rssi_dbm", sa.Integer),
    sa.Column("mode", FreeText),
    sa.Column("boot", FreeText),
    sa.Column("seq", sa.BigInteger),
    sa.Column("history", sa.Boolean, nullable=False),
    sa.Column("raw", sa.LargeBinary),  # NULL: equal to the frame
    sa.Index(None, "telegram"),
)
sa.Index(
    "uq_receptions_sequence",
    receptions.c.gateway,
    receptions.c.boot,
    receptions.c.seq,
    unique=True,
    sqlite_where=receptions.c.boot.is_not(None),
    postgresql_where=receptions.c.boot.is_not(None),
)

# The numbers that came, of each boot of a gateway, in stretches without a gap: what lies between is missing.
spans = sa.Table(
    "spans",
    metadata,
    points_to("gateway", "gateways.id", key=True),
    sa.Column("boot", FreeText, primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Who heard whom, per day since 1970 in UTC. Days come first: what is asked for is the last few.
hearings = sa.Table(
    "hearings",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    points_to("meter", "identities.id", key=True),
    points_to("gateway", "gateways.id", key=True),
    moment("first_heard"),
    moment("last_heard"),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("heard", "measured", "rssi_sum")),
    sa.Column("rssi_min", sa.Integer),
    sa.Column("rssi_max", sa.Integer),
    sqlite_with_rowid=False,
)

rhythms = sa.Table(
    "rhythms",
    metadata,
    points_to("meter", "identities.id", key=True),
    sa.Column("interval_s", sa.Integer),  # NULL: too little was heard to tell
    moment("learnt_at"),
)

# Meters whose waiting telegrams are to be tried again: a key came, or they were registered.
mending = sa.Table(
    "mending",
    metadata,
    points_to("meter", "identities.id", key=True),
    sa.Column("asked", sa.BigInteger, nullable=False),  # how often: what was asked meanwhile is not lost
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    text("value"),
)
