"""The tables, one description for SQLite and PostgreSQL (types: :mod:`metering.store.sql.types`).

::

    identities    every meter ever heard         registers, gateways, origins   small numbers for texts
    telegrams     frames byte for byte           receptions                     who heard each, when
    readings      exact values                   latest                         newest time per register
    details       texts and dates                spans                          numbers that came, per boot
    meters        the registered ones            service_points, installations, pulse_inputs
    meter_keys    encrypted                      master_key                     its check value
    accounts      per gateway, received = sum    quarantine                     what could not be read
    hearings      who heard whom, per day        rhythms                        how often each meter sends
    mending       meters to be tried again       marks                          how far upkeep came
    devices       meters behind names            pulse_states, pulse_resets     what inputs said
    parts         of frames, until all came
    counters      archive numbers, never reused
    outbox        messages that leave            outbox_attempts, outbox_pauses

A change here needs a new file in ``metering/store/migrations/versions`` and :data:`SCHEMA` one higher; a test
compares the two.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from metering.store.sql.types import Exact, FreeText, Moment, Name, Number

__all__ = [
    "SCHEMA",
    "accounts",
    "counters",
    "details",
    "devices",
    "gateways",
    "hearings",
    "identities",
    "installations",
    "latest",
    "marks",
    "master_key",
    "mending",
    "metadata",
    "meter_keys",
    "meters",
    "origins",
    "outbox",
    "outbox_attempts",
    "outbox_pauses",
    "parts",
    "pulse_inputs",
    "pulse_resets",
    "pulse_states",
    "quarantine",
    "readings",
    "receptions",
    "registers",
    "rhythms",
    "service_points",
    "spans",
    "telegrams",
]

SCHEMA = 4
"""The schema this release knows: the number of the newest migration."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _number() -> sa.Column[Any]:
    return sa.Column("id", Number, primary_key=True)


def _points_to(name: str, target: str, *, key: bool = False, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(
        name, Number, sa.ForeignKey(target), primary_key=key, nullable=nullable, autoincrement=False
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, FreeText, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Moment, nullable=nullable)


# --- small numbers for texts ---------------------------------------------------------------------

identities = sa.Table(
    "identities",
    metadata,
    _number(),
    sa.Column("name", Name, nullable=False, unique=True),  # KAM-76348799-1b-16
    _moment("last_heard", nullable=True),  # newest reception or pulse
)

registers = sa.Table(
    "registers",
    metadata,
    _number(),
    sa.Column("key", Name, nullable=False, unique=True),  # metering.reading.Register.key
)

gateways = sa.Table(
    "gateways",
    metadata,
    _number(),
    sa.Column("name", Name, nullable=False, unique=True),
    sa.Column("online", sa.Boolean),  # NULL: it never said
    _moment("state_at", nullable=True),
    sa.Column("boot", FreeText),
    _moment("alive_at", nullable=True),  # last health message; what it brings counts as well, see accounts
)

# What the readings of one gateway, model and register have in common: one number in each of them
# instead of six texts.
origins = sa.Table(
    "origins",
    metadata,
    _number(),
    _text("unit"),
    _text("way"),
    _text("quality"),
    _text("gateway"),
    _text("model"),  # empty: standard records; NULL would not be unique
    _text("decoder"),
    sa.UniqueConstraint("unit", "way", "quality", "gateway", "model", "decoder"),
)

# --- raw telegrams -------------------------------------------------------------------------------

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
    _points_to("meter", "identities.id"),
    sa.Column("frame", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    _text("reason"),
    _moment("heard_at"),  # earliest of its receptions
    sa.Index(None, "fingerprint", "heard_at"),
    sa.Index(None, "meter", "id"),
    sa.Index(None, "state", "id"),
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
    _number(),
    _points_to("telegram", "telegrams.id"),
    _points_to("gateway", "gateways.id"),
    _moment("heard_at"),
    _moment("received_at"),
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
    _points_to("gateway", "gateways.id", key=True),
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
    _points_to("meter", "identities.id", key=True),
    _points_to("gateway", "gateways.id", key=True),
    _moment("first_heard"),
    _moment("last_heard"),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("heard", "measured", "rssi_sum")),
    sa.Column("rssi_min", sa.Integer),
    sa.Column("rssi_max", sa.Integer),
    sqlite_with_rowid=False,
)

rhythms = sa.Table(
    "rhythms",
    metadata,
    _points_to("meter", "identities.id", key=True),
    sa.Column("interval_s", sa.Integer),  # NULL: too little was heard to tell
    _moment("learnt_at"),
)

# Meters whose waiting telegrams are to be tried again: a key came, or they were registered.
mending = sa.Table(
    "mending",
    metadata,
    _points_to("meter", "identities.id", key=True),
    sa.Column("asked", sa.BigInteger, nullable=False),  # how often: what was asked meanwhile is not lost
)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("value"),
)

# --- readings ------------------------------------------------------------------------------------

# Clustered by its key: one meter's register over a year lies together on disk.
readings = sa.Table(
    "readings",
    metadata,
    _points_to("meter", "identities.id", key=True),
    _points_to("register", "registers.id", key=True),
    sa.Column("measured_at", Moment, primary_key=True, autoincrement=False),
    sa.Column("value", Exact, primary_key=True),
    _moment("received_at"),
    _points_to("telegram", "telegrams.id", nullable=True),  # NULL: a pulse
    _points_to("origin", "origins.id"),
    sa.Index(None, "telegram"),
    sqlite_with_rowid=False,
)

latest = sa.Table(
    "latest",
    metadata,
    _points_to("meter", "identities.id", key=True),
    _points_to("register", "registers.id", key=True),
    _moment("measured_at"),
    sqlite_with_rowid=False,
)

details = sa.Table(
    "details",
    metadata,
    _number(),
    _points_to("meter", "identities.id"),
    _points_to("register", "registers.id"),
    _moment("measured_at"),
    _text("text"),
    _points_to("telegram", "telegrams.id", nullable=True),
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

# --- registry ------------------------------------------------------------------------------------

# ``search`` holds what a person may look for, case-folded by Python: databases fold only ASCII, or by locale.
meters = sa.Table(
    "meters",
    metadata,
    _points_to("meter", "identities.id", key=True),
    _text("medium"),
    _text("label"),
    sa.Column("model", FreeText),
    _text("search"),
)

service_points = sa.Table(
    "service_points",
    metadata,
    sa.Column("id", FreeText, primary_key=True),
    _text("address"),
    _text("district"),
    _text("route"),
    _text("search"),
)

installations = sa.Table(
    "installations",
    metadata,
    _points_to("meter", "identities.id", key=True),
    sa.Column("service_point", FreeText, sa.ForeignKey("service_points.id"), primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    _moment("valid_to", nullable=True),
    sa.Index(None, "service_point"),
)

pulse_inputs = sa.Table(
    "pulse_inputs",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("channel", FreeText, primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    _moment("valid_to", nullable=True),
    _points_to("meter", "identities.id"),
    sa.Column("litres_per_pulse", Exact, nullable=False),
    sa.Column("start_count", sa.BigInteger, nullable=False),
    sa.Column("start_index_m3", Exact, nullable=False),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),  # empty: any
    sa.Column("name", FreeText, primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    _moment("valid_to", nullable=True),
    _points_to("meter", "identities.id"),
)

pulse_states = sa.Table(
    "pulse_states",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("channel", FreeText, primary_key=True),
    sa.Column("total", sa.BigInteger, nullable=False),
    _moment("at"),
)

pulse_resets = sa.Table(
    "pulse_resets",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("channel", FreeText, primary_key=True),
    sa.Column("at", Moment, primary_key=True, autoincrement=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("lost", sa.BigInteger, nullable=False),
)

parts = sa.Table(
    "parts",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("boot", FreeText, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first", sa.Boolean, nullable=False),
    sa.Column("last", sa.Boolean, nullable=False),
    _text("form"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    _moment("heard_at"),
    _moment("received_at"),
    _text("clock"),
)

meter_keys = sa.Table(
    "meter_keys",
    metadata,
    _number(),
    _points_to("meter", "identities.id"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # metering.store.master_key.MasterKey.seal
    _moment("added_at"),
    _moment("valid_from", nullable=True),  # of telegrams heard since then; NULL: since ever
    _moment("valid_to", nullable=True),  # exclusive; NULL: until further notice
    sa.Column("master", sa.Integer, nullable=False, server_default=sa.text("1")),  # under which it is sealed
    sa.Index(None, "meter"),
)

master_key = sa.Table(
    "master_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # 1, then one more each rotation
    sa.Column("check_value", sa.LargeBinary, nullable=False),
)

# --- what happened to what came ------------------------------------------------------------------

accounts = sa.Table(
    "accounts",
    metadata,
    _points_to("gateway", "gateways.id", key=True),
    _moment("last_heard"),
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
    _number(),
    _text("gateway"),
    _text("topic"),
    _text("reason"),
    _text("sentence"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    _moment("received_at"),
    sqlite_autoincrement=True,
)

# --- what leaves ---------------------------------------------------------------------------------

outbox = sa.Table(
    "outbox",
    metadata,
    _number(),
    *(sa.Column(name, Name, nullable=False) for name in ("target", "key", "aggregate")),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    _moment("next_at"),
    _text("lease_owner"),
    _moment("lease_until", nullable=True),
    _text("error"),
    _text("receipt"),
    _moment("put_at"),
    _moment("settled_at", nullable=True),
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
    _number(),
    _points_to("message", "outbox.id"),
    _moment("at"),
    _text("outcome"),
    sa.Index(None, "message"),
)

outbox_pauses = sa.Table(
    "outbox_pauses",
    metadata,
    sa.Column("target", Name, primary_key=True),
    _moment("since"),
    _text("reason"),
)
