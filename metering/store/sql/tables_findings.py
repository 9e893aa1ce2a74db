"""Tables of findings: what was found, said of it, told, and how far the scan came."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import Name

__all__ = ["WAITING", "finding_marks", "finding_notices", "finding_verdicts", "findings"]

OPEN = sa.text("cleared_at IS NULL")
WAITING = sa.text("muted = 'the scan is not over'")  # metering.findings.WAITS

findings = sa.Table(
    "findings",
    metadata,
    number(),
    sa.Column("subject", Name, nullable=False),
    sa.Column("family", Name, nullable=False),
    text("name"),
    sa.Column("tier", sa.Integer, nullable=False),
    moment("raised_at"),
    moment("onset"),
    moment("cleared_at", nullable=True),
    text("state"),
    text("tenancy"),
    text("muted"),
    moment("kept_at"),
    text("body"),
    sa.Index("ix_findings_subject", "subject"),
    sa.Index("ix_findings_raised_at", "raised_at"),
    sa.Index("ix_findings_waiting", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    sa.Index("ix_findings_open", "subject", "family", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    sqlite_autoincrement=True,
)
"""``tier`` is the rank of the highest; ``body`` holds the stages and the outcome as JSON."""

finding_verdicts = sa.Table(
    "finding_verdicts",
    metadata,
    number(),
    points_to("finding", "findings.id"),
    text("state"),
    text("by"),
    text("reason"),
    moment("at"),
    sa.Index(None, "finding"),
    sqlite_autoincrement=True,
)

finding_notices = sa.Table(
    "finding_notices",
    metadata,
    sa.Column("key", Name, primary_key=True),
    text("channel"),
    points_to("finding", "findings.id"),
    text("tier"),
    text("state"),
    sa.Column("attempts", sa.Integer, nullable=False),
    moment("next_at"),
    text("error"),
    sa.Index(None, "finding"),
    sa.Index(None, "state", "next_at"),
)

finding_marks = sa.Table(
    "finding_marks",
    metadata,
    sa.Column("meter", Name, primary_key=True),
    text("version"),
    sa.Column("readings", sa.Integer, nullable=False),
    moment("until"),
    moment("arrived"),
    text("digest"),
)
