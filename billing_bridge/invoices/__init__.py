"""Electronic invoices read in for display: KSeF FA(3), and UBL 2.1 (CIUS-RO, Peppol BIS, PEF).

The utility's billing system issues them; we show what they say and compute nothing.
"""

from billing_bridge.invoices.invoice import Invoice, InvoiceLine, NotAnInvoice
from billing_bridge.invoices.reading import read_invoice

__all__ = ["Invoice", "InvoiceLine", "NotAnInvoice", "read_invoice"]
