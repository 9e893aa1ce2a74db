"""Tables of billing: whom for what, dials beside their readings, what was billed, what comes back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from metering.store.sql.columns import metadata, moment, number, points_to, text
from metering.store.sql.types import Exact, FreeText, Moment, Name

__all__ = [
    "billing_cuts",
    "billing_decisions",
    "billing_documents",
    "billing_exceptions",
    "billing_inbox",
    "billing_marks",
    "billing_meters",
    "billing_reads",
    "contracts",
    "customers",
    "deductions",
    "protocols",
    "states",
    "tenancies",
]


def _name(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Name, primary_key=key, nullable=False)


def _service_point(*, key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "service_point", FreeText, sa.ForeignKey("service_points.id"), primary_key=key, nullable=False
    )


def _exact(name: str) -> sa.Column[Any]:
    return sa.Column(name, Exact)


# --- whom, for what, from when -------------------------------------------------------------------

customers = sa.Table(
    "customers",
    metadata,
    _name("code", key=True),
    text("name"),
    text("class"),
    text("language"),
    text("email"),
)

contracts = sa.Table(
    "contracts",
    metadata,
    _name("number", key=True),
    sa.Column("customer", Name, sa.ForeignKey("customers.code"), nullable=False),
    text("tariff"),
    sa.Index(None, "customer"),
)

tenancies = sa.Table(
    "tenancies",
    metadata,
    sa.Column("contract", Name, sa.ForeignKey("contracts.number"), primary_key=True),
    _service_point(key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    moment("valid_to", nullable=True),
    sa.Index(None, "service_point", "valid_from"),
)

deductions = sa.Table(
    "deductions",
    metadata,
    _service_point(key=True),
    sa.Column("sub", FreeText, sa.ForeignKey("service_points.id"), primary_key=True),
    sa.Column("valid_from", Moment, primary_key=True, autoincrement=False),
    moment("valid_to", nullable=True),
)

billing_cuts = sa.Table(
    "billing_cuts",
    metadata,
    _service_point(key=True),
    sa.Column("at", Moment, primary_key=True, autoincrement=False),
    text("cause"),
    text("reason"),
    text("by"),
    moment("entered_at"),
)

# --- dials, beside what the meters sent ----------------------------------------------------------

billing_meters = sa.Table(
    "billing_meters",
    metadata,
    points_to("meter", "identities.id", key=True),
    sa.Column("digits", sa.Integer),
    _exact("q3_m3h"),
    sa.Column("legal_until", sa.Date),
)

protocols = sa.Table(
    "protocols",
    metadata,
    points_to("meter", "identities.id", key=True),
    _service_point(key=True),
    sa.Column("at", Moment, primary_key=True, autoincrement=False),
    _name("event", key=True),
    sa.Column("value", Exact, nullable=False),
    text("by"),
    text("reference"),
)

# Every state a person told, refused ones too: evidence in a complaint.
states = sa.Table(
    "states",
    metadata,
    number(),
    points_to("meter", "identities.id"),
    _service_point(),
    text("register"),
    moment("read_at"),
    _exact("value"),
    text("typed"),
    text("channel"),
    text("by"),
    text("reference"),
    moment("entered_at"),
    text("answer"),
    text("told"),
    text("window"),
    moment("accepted_at", nullable=True),
    sa.Index(None, "meter", "read_at"),
    sa.Index(None, "service_point", "window"),
    sqlite_autoincrement=True,
)

# --- what was billed -----------------------------------------------------------------------------

billing_reads = sa.Table(
    "billing_reads",
    metadata,
    number(),
    _name("key"),
    _name("tenant"),
    _service_point(),
    _name("register"),
    _name("period"),
    moment("starts"),
    moment("ends"),
    text("cause"),
    sa.Column("revision", sa.Integer, nullable=False),
    text("state"),
    sa.Column("contract", Name),
    sa.Column("volume", Exact, nullable=False),
    sa.Column("actual", sa.Boolean, nullable=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
    moment("taken_at"),
    text("by"),
    sa.UniqueConstraint("key"),
    sa.Index(None, "service_point", "ends"),
    sa.Index(None, "ends", "state"),
    sqlite_autoincrement=True,
)

# One open question per register, period and kind: closing again asks nothing twice.
billing_exceptions = sa.Table(
    "billing_exceptions",
    metadata,
    number(),
    _service_point(),
    _name("register"),
    _name("period"),
    moment("starts"),
    moment("ends"),
    text("kind"),
    text("sentence"),
    sa.Column("evidence", sa.LargeBinary, nullable=False),
    sa.Column("read", Name),
    text("state"),
    moment("opened_at"),
    moment("settled_at", nullable=True),
    sa.Index(None, "state", "id"),
    sqlite_autoincrement=True,
)
sa.Index(
    "uq_billing_exceptions_open",
    billing_exceptions.c.service_point,
    billing_exceptions.c.register,
    billing_exceptions.c.period,
    billing_exceptions.c.kind,
    unique=True,
    sqlite_where=billing_exceptions.c.settled_at.is_(None),
    postgresql_where=billing_exceptions.c.settled_at.is_(None),
)

billing_decisions = sa.Table(
    "billing_decisions",
    metadata,
    number(),
    points_to("exception", "billing_exceptions.id"),
    text("action"),
    text("by"),
    text("reason"),
    moment("at"),
    sa.Column("said", sa.LargeBinary, nullable=False),
    sa.Index(None, "exception"),
)

# --- what comes back -----------------------------------------------------------------------------

billing_inbox = sa.Table(
    "billing_inbox",
    metadata,
    _name("source", key=True),
    _name("message", key=True),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    moment("received_at"),
)

# Dated snapshots: an invoice, a payment, a balance as the billing system had it then. Never computed here.
billing_documents = sa.Table(
    "billing_documents",
    metadata,
    number(),
    _name("source"),
    _name("kind"),
    _name("number"),
    moment("as_of"),
    _name("customer"),
    text("contract"),
    text("service_point"),
    sa.Column("read", Name),
    sa.Column("issued_on", sa.Date),
    sa.Column("due_on", sa.Date),
    _exact("amount"),
    text("currency"),
    text("corrects"),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("file", sa.LargeBinary),
    sa.UniqueConstraint("source", "kind", "number", "as_of"),
    sa.Index(None, "customer", "as_of"),
    sa.Index(None, "read"),
)

billing_marks = sa.Table(
    "billing_marks",
    metadata,
    _name("source", key=True),
    _name("kind", key=True),
    moment("until"),
)
