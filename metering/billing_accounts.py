"""What comes back from the billing system: invoices, payments, balances, as dated snapshots.

Nothing here is computed by us. A document says what the billing system said, and when; what it said before
stays beside it. A source tells up to which moment its documents are complete: the high-water mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from metering.errors import TelemetryError

__all__ = ["Accounts", "Document", "DocumentKind", "MessageReused"]


class MessageReused(TelemetryError):
    """A message identity came again with another content; nothing was stored."""

    def __init__(self, source: str, message: str) -> None:
        self.source = source
        self.message = message
        super().__init__(f"{source} sent {message} again with another content")


class DocumentKind(StrEnum):
    """What it is."""

    PREVIEW = "preview"
    INVOICE = "invoice"
    CORRECTION = "correction"
    PAYMENT = "payment"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Document:
    """Something the billing system said, as of a moment.

    Attributes:
        source: which billing system.
        kind: what it is.
        number: its own; a balance has the customer's code.
        as_of: when the billing system said so, UTC.
        customer: code.
        contract: number, empty if it says none.
        service_point: empty if it says none.
        read: key of the billing read it prices, if it says so.
        issued_on: local day.
        due_on: local day.
        amount: gross; of a balance what is to be paid (negative = credit); of a payment what was paid.
        currency: ISO 4217.
        corrects: number of the invoice it corrects, empty if none.
        content: all it says, JSON.
        file: the document as a file (PDF), as it came.
    """

    source: str
    kind: DocumentKind
    number: str
    as_of: datetime
    customer: str
    contract: str = ""
    service_point: str = ""
    read: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    amount: Decimal | None = None
    currency: str = ""
    corrects: str = ""
    content: bytes = b"{}"
    file: bytes | None = None


class Accounts(Protocol):
    """What came back."""

    def receive(self, source: str, message: str, sha256: bytes, now: datetime) -> bool:
        """Note a message in the inbox. Gives whether it is new; one that came before changes nothing.

        Raises:
            MessageReused: it came before with another content.
        """
        ...

    def put_documents(self, documents: Sequence[Document]) -> int:
        """Keep documents, each source, kind, number and moment once. Gives how many were new."""
        ...

    def documents(
        self,
        *,
        customer: str | None = None,
        read: str | None = None,
        kinds: Sequence[DocumentKind] = (),
        limit: int = 100,
    ) -> Sequence[Document]:
        """Give the newest snapshot of each document, the newest first."""
        ...

    def balance(self, customer: str) -> Document | None:
        """Give a customer's newest balance."""
        ...

    def put_mark(self, source: str, kind: str, until: datetime) -> None:
        """Note up to when a source's documents are complete; never goes back."""
        ...

    def mark(self, source: str, kind: str) -> datetime | None:
        """Give up to when a source's documents are complete."""
        ...
