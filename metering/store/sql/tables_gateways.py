"""Tables of gateways beside their account: what they say of themselves and what they are told."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, points_to, text
from metering.store.sql.types import Name

__all__ = ["gateway_words"]

# The newest of each kind: health, settings told, settings reported.
gateway_words = sa.Table(
    "gateway_words",
    metadata,
    points_to("gateway", "gateways.id", key=True),
    sa.Column("leaf", Name, primary_key=True),
    moment("at"),
    text("body"),  # a JSON object
    sqlite_with_rowid=False,
)
