"""UBL 2.1 invoices and credit notes as EN 16931 shapes them: RO e-Factura (CIUS-RO), Peppol BIS 3, PEF.

BT numbers are those of EN 16931-1.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from billing_bridge.invoices.invoice import Invoice, InvoiceLine, NotAnInvoice
from billing_bridge.invoices.strict_xml import Node

__all__ = ["NAMESPACES", "read_ubl"]

NAMESPACES = {
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "Invoice",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "CreditNote",
}

_FORMS = (("CIUS-RO", "CIUS-RO"), ("peppol", "Peppol BIS 3"))


def read_ubl(root: Node) -> Invoice:
    """Read a UBL invoice or credit note.

    Raises:
        NotAnInvoice: something an invoice must have is missing.
    """
    credit = root.name == "CreditNote"
    issued = root.day("IssueDate")
    gross = root.number("LegalMonetaryTotal/TaxInclusiveAmount")
    if issued is None or gross is None:
        raise NotAnInvoice(f"{root.path} has no IssueDate or no LegalMonetaryTotal/TaxInclusiveAmount")
    seller, buyer = _party(root, "AccountingSupplierParty"), _party(root, "AccountingCustomerParty")
    return Invoice(
        form=_form(root),
        number=root.needed("ID"),
        kind=root.text("CreditNoteTypeCode" if credit else "InvoiceTypeCode") or ("381" if credit else "380"),
        corrects=tuple(one.needed("ID") for one in root.all("BillingReference/InvoiceDocumentReference")),
        made_at=_made(root, issued),
        issued_on=issued,
        due_on=root.day("DueDate", "PaymentMeans/PaymentDueDate"),
        period=_period(root),
        seller=_named(seller),
        seller_tax=seller.needed("PartyTaxScheme/CompanyID", "PartyLegalEntity/CompanyID"),
        buyer=_named(buyer),
        customer=buyer.text("PartyIdentification/ID") or root.text("BuyerReference", "AccountingCost"),
        currency=root.needed("DocumentCurrencyCode"),
        gross=-gross if credit else gross,
        to_pay=_signed(root.number("LegalMonetaryTotal/PayableAmount"), credit=credit),
        tax=_signed(root.number("TaxTotal/TaxAmount"), credit=credit),
        account=root.text("PaymentMeans/PayeeFinancialAccount/ID"),
        lines=tuple(_line(one, credit=credit) for one in root.all(f"{root.name}Line")),
        remarks=tuple(one.element.text or "" for one in root.all("Note")),
    )


def _form(root: Node) -> str:
    said = root.text("CustomizationID")
    return next((form for mark, form in _FORMS if mark in said), "UBL 2.1")


def _party(root: Node, name: str) -> Node:
    found = root.first(f"{name}/Party")
    if found is None:
        raise NotAnInvoice(f"{root.path} has no {name}/Party")
    return found


def _named(party: Node) -> str:
    return party.text("PartyName/Name", "PartyLegalEntity/RegistrationName")


def _made(root: Node, issued: date) -> datetime:
    """Give the time of issue; UBL's own time is often left out."""
    said = root.text("IssueTime")
    try:
        told = time.fromisoformat(said) if said else time()
    except ValueError:
        raise NotAnInvoice(f"{root.path}/IssueTime: {said[:40]!r} is not a time") from None
    return datetime.combine(issued, told, told.tzinfo or UTC).astimezone(UTC)


def _period(root: Node) -> tuple[date, date] | None:
    first, last = root.day("InvoicePeriod/StartDate"), root.day("InvoicePeriod/EndDate")
    return (first, last) if first and last else None


def _signed(amount: Decimal | None, *, credit: bool) -> Decimal | None:
    return -amount if credit and amount is not None else amount


def _line(row: Node, *, credit: bool) -> InvoiceLine:
    name = "CreditedQuantity" if credit else "InvoicedQuantity"
    quantity = row.first(name)
    return InvoiceLine(
        name=row.text("Item/Name", "Item/Description"),
        quantity=row.number(name),
        unit=quantity.element.get("unitCode", "") if quantity is not None else "",
        net_price=row.number("Price/PriceAmount"),
        net=_signed(row.number("LineExtensionAmount"), credit=credit),
        tax_rate=row.text("Item/ClassifiedTaxCategory/Percent"),
    )
