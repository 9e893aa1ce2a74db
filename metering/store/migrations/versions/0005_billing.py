"""Billing: customers, contracts, tenancies, states people told, billed reads, exceptions, what comes back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")

OPEN = "settled_at IS NULL"


def upgrade() -> None:
    _whom()
    _dials()
    _billed()
    _back()


def _whom() -> None:
    op.create_table(
        "customers", _name("code"), *_texts("name", "class", "language", "email"), _key("customers", "code")
    )
    op.create_table(
        "contracts",
        _name("number"),
        _name("customer"),
        *_texts("tariff"),
        _key("contracts", "number"),
        _points("contracts", "customer", "customers.code"),
    )
    op.create_index("ix_contracts_customer", "contracts", ["customer"])
    op.create_table(
        "tenancies",
        _name("contract"),
        *_texts("service_point"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        _key("tenancies", "contract", "service_point", "valid_from"),
        _points("tenancies", "contract", "contracts.number"),
        _points("tenancies", "service_point", "service_points.id"),
    )
    op.create_index("ix_tenancies_service_point_valid_from", "tenancies", ["service_point", "valid_from"])
    op.create_table(
        "deductions",
        *_texts("service_point", "sub"),
        _moment("valid_from"),
        _moment("valid_to", nullable=True),
        _key("deductions", "service_point", "sub", "valid_from"),
        _points("deductions", "service_point", "service_points.id"),
        _points("deductions", "sub", "service_points.id"),
    )
    op.create_table(
        "billing_cuts",
        *_texts("service_point"),
        _moment("at"),
        *_texts("cause", "reason", "by"),
        _moment("entered_at"),
        _key("billing_cuts", "service_point", "at"),
        _points("billing_cuts", "service_point", "service_points.id"),
    )


def _dials() -> None:
    op.create_table(
        "billing_meters",
        _number("meter"),
        sa.Column("digits", sa.Integer()),
        sa.Column("q3_m3h", EXACT),
        sa.Column("legal_until", sa.Date()),
        _key("billing_meters", "meter"),
        _points("billing_meters", "meter", "identities.id"),
    )
    op.create_table(
        "protocols",
        _number("meter"),
        *_texts("service_point"),
        _moment("at"),
        _name("event"),
        sa.Column("value", EXACT, nullable=False),
        *_texts("by", "reference"),
        _key("protocols", "meter", "service_point", "at", "event"),
        _points("protocols", "meter", "identities.id"),
        _points("protocols", "service_point", "service_points.id"),
    )
    op.create_table(
        "states",
        _number("id"),
        _number("meter"),
        *_texts("service_point", "register"),
        _moment("read_at"),
        sa.Column("value", EXACT),
        *_texts("typed", "channel", "by", "reference"),
        _moment("entered_at"),
        *_texts("answer", "told", "window"),
        _moment("accepted_at", nullable=True),
        _key("states", "id"),
        _points("states", "meter", "identities.id"),
        _points("states", "service_point", "service_points.id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_states_meter_read_at", "states", ["meter", "read_at"])
    op.create_index("ix_states_service_point_window", "states", ["service_point", "window"])


def _billed() -> None:
    op.create_table(
        "billing_reads",
        _number("id"),
        *(_name(name) for name in ("key", "tenant")),
        *_texts("service_point"),
        *(_name(name) for name in ("register", "period")),
        *(_moment(name) for name in ("starts", "ends")),
        *_texts("cause"),
        sa.Column("revision", sa.Integer(), nullable=False),
        *_texts("state"),
        sa.Column("contract", NAME),
        sa.Column("volume", EXACT, nullable=False),
        sa.Column("actual", sa.Boolean(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        _moment("taken_at"),
        *_texts("by"),
        _key("billing_reads", "id"),
        sa.UniqueConstraint("key", name="uq_billing_reads_key"),
        _points("billing_reads", "service_point", "service_points.id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_billing_reads_service_point_ends", "billing_reads", ["service_point", "ends"])
    op.create_index("ix_billing_reads_ends_state", "billing_reads", ["ends", "state"])
    op.create_table(
        "billing_exceptions",
        _number("id"),
        *_texts("service_point"),
        *(_name(name) for name in ("register", "period")),
        *(_moment(name) for name in ("starts", "ends")),
        *_texts("kind", "sentence"),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("read", NAME),
        *_texts("state"),
        _moment("opened_at"),
        _moment("settled_at", nullable=True),
        _key("billing_exceptions", "id"),
        _points("billing_exceptions", "service_point", "service_points.id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_billing_exceptions_state_id", "billing_exceptions", ["state", "id"])
    op.create_index(
        "uq_billing_exceptions_open",
        "billing_exceptions",
        ["service_point", "register", "period", "kind"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "billing_decisions",
        _number("id"),
        _number("exception"),
        *_texts("action", "by", "reason"),
        _moment("at"),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        _key("billing_decisions", "id"),
        _points("billing_decisions", "exception", "billing_exceptions.id"),
    )
    op.create_index("ix_billing_decisions_exception", "billing_decisions", ["exception"])


def _back() -> None:
    op.create_table(
        "billing_inbox",
        *(_name(name) for name in ("source", "message")),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        _moment("received_at"),
        _key("billing_inbox", "source", "message"),
    )
    op.create_table(
        "billing_documents",
        _number("id"),
        *(_name(name) for name in ("source", "kind", "number")),
        _moment("as_of"),
        _name("customer"),
        *_texts("contract", "service_point"),
        sa.Column("read", NAME),
        sa.Column("issued_on", sa.Date()),
        sa.Column("due_on", sa.Date()),
        sa.Column("amount", EXACT),
        *_texts("currency", "corrects"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.LargeBinary()),
        _key("billing_documents", "id"),
        sa.UniqueConstraint(
            "source", "kind", "number", "as_of", name="uq_billing_documents_source_kind_number_as_of"
        ),
    )
    op.create_index("ix_billing_documents_customer_as_of", "billing_documents", ["customer", "as_of"])
    op.create_index("ix_billing_documents_read", "billing_documents", ["read"])
    op.create_table(
        "billing_marks",
        *(_name(name) for name in ("source", "kind")),
        _moment("until"),
        _key("billing_marks", "source", "kind"),
    )


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=False)


def _name(name: str) -> sa.Column[Any]:
    return sa.Column(name, NAME, nullable=False)


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=nullable)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _points(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
