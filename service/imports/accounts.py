"""Balances and payments as the billing system exports them, as CSV.

::

    customer,as_of,amount,currency                         balances: what is to be paid; negative = credit
    payment_id,customer,paid_on,amount,currency            payments

Amounts are with tax, decimal point or comma, and may be negative. We show what the
file says and add up nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import orjson

from metering.billing_accounts import Document, DocumentKind
from service.imports.cells import text, when
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "read_accounts"]

_BALANCE = ("customer", "as_of", "amount", "currency")
_PAYMENT = ("payment_id", "customer", "paid_on", "amount", "currency")
COLUMNS = ("payment_id", "customer", "as_of", "paid_on", "amount", "currency", "contract", "invoice")

_AMOUNT = re.compile(r"-?\d{1,13}(?:[.,]\d{1,4})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def read_accounts(raw: bytes, file: str, source: str, zone: ZoneInfo) -> list[Document]:
    """Understand a table of balances or payments.

    Args:
        raw: the file.
        file: its name, for what is wrong.
        source: billing system it comes from.
        zone: of dates without offset.

    Raises:
        ImportRefused: with every fault of the file.
    """
    faults = Faults(file)
    rows = read_table(raw, COLUMNS, faults, needed=(_PAYMENT, _BALANCE))
    documents = [_document(row, source, zone, faults) for row in rows]
    _demand_once(rows, documents, faults)
    faults.refuse_if_any()
    return [one for one in documents if one is not None]


def _document(row: Row, source: str, zone: ZoneInfo, faults: Faults) -> Document | None:
    paid = "payment_id" in row.cells
    day_column = "paid_on" if paid else "as_of"
    before = len(faults.found)
    as_of = when(row, day_column, zone, faults)
    amount = _amount(row, faults)
    for column in ("payment_id", "customer") if paid else ("customer",):
        if not text(row, column, faults):
            faults.add(row.number, column, "missing")
    for column in ("contract", "invoice"):
        text(row, column, faults)
    if not _CURRENCY.fullmatch(row["currency"]):
        faults.add(row.number, "currency", f"{row['currency'][:10]!r} is not a currency like PLN or RON")
    if as_of is None:
        if len(faults.found) == before:
            faults.add(row.number, day_column, "missing")
        return None
    if len(faults.found) > before or amount is None:
        return None
    return Document(
        source=source,
        kind=DocumentKind.PAYMENT if paid else DocumentKind.BALANCE,
        number=row["payment_id"] if paid else row["customer"],
        as_of=as_of,
        customer=row["customer"],
        contract=row["contract"],
        issued_on=as_of.astimezone(zone).date(),
        amount=amount,
        currency=row["currency"],
        content=orjson.dumps(dict(row.cells), option=orjson.OPT_SORT_KEYS),
    )


def _amount(row: Row, faults: Faults) -> Decimal | None:
    said = row["amount"].replace("\N{MINUS SIGN}", "-")
    if _AMOUNT.fullmatch(said):
        return Decimal(said.replace(",", "."))
    faults.add(row.number, "amount", f"{said[:40]!r} is not an amount like 54.43, 54,43 or -12.00")
    return None


def _demand_once(rows: Sequence[Row], documents: Sequence[Document | None], faults: Faults) -> None:
    """A file that says two things of one balance or payment says nothing."""
    first: dict[tuple[str, datetime], int] = {}
    for row, one in zip(rows, documents, strict=True):
        if one is not None:
            moment = one.as_of if one.kind is DocumentKind.BALANCE else datetime.min.replace(tzinfo=UTC)
            earlier = first.setdefault((one.number, moment), row.number)
            if earlier != row.number:
                faults.add(row.number, None, f"{one.number} is in row {earlier} already")
