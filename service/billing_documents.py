"""Files from the billing system taken in: electronic invoices, balances, payments. All of them or none.

A file is a message: the same file again changes nothing, another content under the same invoice number is
refused. A PDF goes with the invoice whose file has the same name before the ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from billing_bridge.invoices import Invoice, NotAnInvoice, read_invoice
from billing_bridge.invoices.ksef import ksef_number_in
from metering.billing_accounts import Document, DocumentKind
from metering.errors import TelemetryError
from metering.ports import Transaction
from service.imports.accounts import read_accounts

__all__ = ["FileRefused", "Taken", "documents_in", "take_in"]

_MOST_CSV = 200 * 1024 * 1024
_MOST_PDF = 20 * 1024 * 1024
_PDF = b"%PDF-"


class FileRefused(TelemetryError):
    """A file cannot be taken in; nothing of those given with it was."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a taking-in did.

    Attributes:
        documents: in the files.
        new: of those, how many were not known.
    """

    documents: int
    new: int


@dataclass(frozen=True, slots=True)
class _Message:
    """What has an identity of its own, and whose content may not change under it."""

    identity: str
    digest: bytes
    documents: Sequence[Document]


def documents_in(files: Sequence[Path], source: str, zone: ZoneInfo) -> list[_Message]:
    """Read files; PDFs are put beside their invoices.

    Raises:
        FileRefused: a file cannot be read or understood; which, and why. Nothing is taken in then.
        ImportRefused: the same for tables, with every row.
    """
    pdfs = {file.stem: _pdf(file) for file in files if file.suffix.lower() == ".pdf"}
    found: list[_Message] = []
    for file in files:
        match file.suffix.lower():
            case ".pdf":
                continue
            case ".xml":
                found.append(_invoice(file, source, pdfs.pop(file.stem, None)))
            case ".csv":
                found.append(_table(file, source, zone))
            case ending:
                raise _refused(
                    file, f"what ends in {ending or 'nothing'!r} is not read; .xml, .csv and .pdf are"
                )
    if pdfs:
        alone = Path(f"{next(iter(pdfs))}.pdf")
        raise _refused(alone, "no invoice (.xml) of the same name came with it: give both files at once")
    return found


def take_in(tx: Transaction, messages: Sequence[_Message], source: str, now: datetime) -> Taken:
    """Keep what is new.

    Raises:
        MessageReused: an invoice that is known has another content now; a correction has a number of its own.
    """
    fresh = [
        document
        for message in messages
        if tx.accounts.receive(source, message.identity, message.digest, now)
        for document in message.documents
    ]
    return Taken(sum(len(one.documents) for one in messages), tx.accounts.put_documents(fresh))


def _invoice(file: Path, source: str, pdf: bytes | None) -> _Message:
    content = _read(file, _MOST_PDF)
    try:
        invoice = read_invoice(content)
    except NotAnInvoice as wrong:
        raise _refused(file, str(wrong)) from None
    document = replace(_document(invoice, source, ksef_number_in(file.name)), file=pdf)
    return _Message(f"invoice {invoice.identity}", sha256(content).digest(), [document])


def _document(invoice: Invoice, source: str, ksef_number: str) -> Document:
    said = orjson.loads(invoice.content())
    if ksef_number:
        said["ksef_number"] = ksef_number
    return Document(
        source=source,
        kind=DocumentKind.CORRECTION if invoice.correction else DocumentKind.INVOICE,
        number=invoice.number,
        as_of=invoice.made_at,
        customer=invoice.customer,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        amount=invoice.gross,
        currency=invoice.currency,
        corrects=" ".join(invoice.corrects),
        content=orjson.dumps(said, option=orjson.OPT_SORT_KEYS),
    )


def _table(file: Path, source: str, zone: ZoneInfo) -> _Message:
    raw = _read(file, _MOST_CSV)
    digest = sha256(raw)
    return _Message(
        f"table {digest.hexdigest()}", digest.digest(), read_accounts(raw, str(file), source, zone)
    )


def _pdf(file: Path) -> bytes:
    content = _read(file, _MOST_PDF)
    if not content.startswith(_PDF):
        raise _refused(file, "it is called PDF and is none")
    return content


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as wrong:
        raise _refused(file, f"the file cannot be read: {wrong.strerror}") from wrong
    if len(content) > most:
        raise _refused(file, f"it is larger than {most // 1024 // 1024} MB")
    return content


def _refused(file: Path, sentence: str) -> FileRefused:
    return FileRefused(f"{file}: {sentence}. Nothing was taken in")
