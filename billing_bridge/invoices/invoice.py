"""What an invoice says that a customer is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from metering.errors import TelemetryError

__all__ = ["Invoice", "InvoiceLine", "NotAnInvoice"]


class NotAnInvoice(TelemetryError):
    """A file is not an invoice we can show; the sentence says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line.

    Attributes:
        name: of the goods or service.
        quantity: how much; ``None`` if it does not say.
        unit: of the quantity, as written.
        net_price: per unit.
        net: amount without tax.
        tax_rate: as written: ``8``, ``zw``.
    """

    name: str
    quantity: Decimal | None = None
    unit: str = ""
    net_price: Decimal | None = None
    net: Decimal | None = None
    tax_rate: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. Amounts are as written; nothing is added up.

    Attributes:
        form: ``FA(3)``, ``CIUS-RO``, ``Peppol BIS 3``, ``UBL 2.1``.
        number: the seller's.
        kind: the document's own word: ``VAT``, ``KOR``, ``380``.
        corrects: numbers of the invoices it corrects.
        made_at: when the document was made, UTC.
        issued_on: local day.
        due_on: local day.
        period: first and last day it is for.
        seller: name.
        seller_tax: NIP, CIF.
        buyer: name.
        customer: the customer's code at the seller; empty if it has none.
        currency: ISO 4217.
        gross: total with tax.
        to_pay: with old balances, if it says.
        tax: tax in all, if it says.
        account: to pay to, if it says.
        lines: in order.
        remarks: notes for the customer.
    """

    form: str
    number: str
    kind: str
    made_at: datetime
    issued_on: date
    seller: str
    seller_tax: str
    buyer: str
    customer: str
    currency: str
    gross: Decimal
    corrects: tuple[str, ...] = ()
    due_on: date | None = None
    period: tuple[date, date] | None = None
    to_pay: Decimal | None = None
    tax: Decimal | None = None
    account: str = ""
    lines: tuple[InvoiceLine, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def correction(self) -> bool:
        """Whether it corrects another one."""
        return bool(self.corrects) or self.kind.startswith("KOR") or self.kind == "381"

    @property
    def identity(self) -> str:
        """What makes it one invoice: seller, kind and number (KSeF error 440; BT-31, BT-3, BT-1)."""
        return f"{self.seller_tax}/{self.kind}/{self.number}"

    def content(self) -> bytes:
        """Give all of it as JSON; amounts as text."""
        told = {name: _told(getattr(self, name)) for name in self.__dataclass_fields__}
        return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()


def _told(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case tuple():
            return [_told(one) for one in value]
        case InvoiceLine():
            return {name: _told(getattr(value, name)) for name in value.__dataclass_fields__}
        case _:
            return value
