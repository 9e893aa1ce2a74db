"""Tables of meters, where they hang, their keys, and what stands behind names."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import Exact, FreeText, Moment

__all__ = [
    "devices",
    "installations",
    "master_key",
    "meter_keys",
    "meters",
    "parts",
    "pulse_inputs",
    "pulse_resets",
    "pulse_states",
    "service_points",
]

# --- registry ------------------------------------------------------------------------------------

# ``search`` holds what a person may look for, case-folded by Python: databases fold only ASCII, or by locale.
meters = sa.Table(
    "meters",
    metadata,
    points_to("meter", "identities.id", key=True),
    text("medium"),
    text("label"),
    sa.Column("model", FreeText),
    text("search"),
)

service_points = sa.Table(
    "service_points",
    metadata,
    sa.Column("id", FreeText, primary_key=True),
    text("address"),
    text("district"),
    text("route"),
    text("search"),
)

installations = sa.Table(
    "installations",
    metadata,
    points_to("meter", "identities.id", key=True),
    sa.Column("service_point", FreeText, sa.ForeignKey("service_points.id"), primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    moment("valid_to", nullable=True),
    sa.Index(None, "service_point"),
)

pulse_inputs = sa.Table(
    "pulse_inputs",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("channel", FreeText, primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    moment("valid_to", nullable=True),
    points_to("meter", "identities.id"),
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
    moment("valid_to", nullable=True),
    points_to("meter", "identities.id"),
)

pulse_states = sa.Table(
    "pulse_states",
    metadata,
    sa.Column("gateway", FreeText, primary_key=True),
    sa.Column("channel", FreeText, primary_key=True),
    sa.Column("total", sa.BigInteger, nullable=False),
    moment("at"),
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
    text("form"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    moment("heard_at"),
    moment("received_at"),
    text("clock"),
)

meter_keys = sa.Table(
    "meter_keys",
    metadata,
    number(),
    points_to("meter", "identities.id"),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # metering.store.master_key.MasterKey.seal
    moment("added_at"),
    moment("valid_from", nullable=True),  # of telegrams heard since then; NULL: since ever
    moment("valid_to", nullable=True),  # exclusive; NULL: until further notice
    sa.Column("master", sa.Integer, nullable=False, server_default=sa.text("1")),  # under which it is sealed
    sa.Index(None, "meter"),
)

master_key = sa.Table(
    "master_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # 1, then one more each rotation
    sa.Column("check_value", sa.LargeBinary, nullable=False),
)
