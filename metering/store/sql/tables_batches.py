"""Table of files to billing systems."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, text
from metering.store.sql.types import Name

__all__ = ["batches"]

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("target", Name, primary_key=True, nullable=False),
    sa.Column("number", sa.Integer, primary_key=True, nullable=False, autoincrement=False),
    text("file"),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("manifest", sa.LargeBinary, nullable=False),
    text("keys"),
    moment("made_at"),
    moment("sent_at", nullable=True),
    moment("answered_at", nullable=True),
)
