"""Which invoice a file is, by its root element."""

from __future__ import annotations

from billing_bridge.invoices.invoice import Invoice, NotAnInvoice
from billing_bridge.invoices.ksef import read_fa3
from billing_bridge.invoices.strict_xml import parse
from billing_bridge.invoices.ubl import NAMESPACES, read_ubl

__all__ = ["read_invoice"]


def read_invoice(content: bytes) -> Invoice:
    """Read an invoice: KSeF FA(3), or UBL 2.1.

    Raises:
        NotAnInvoice: neither, or broken; the sentence says what and where.
    """
    root = parse(content)
    if root.name == "Faktura":
        return read_fa3(root)
    if NAMESPACES.get(root.namespace) == root.name:
        return read_ubl(root)
    raise NotAnInvoice(f"its root is {root.name}; KSeF FA(3) has Faktura, UBL 2.1 Invoice or CreditNote")
