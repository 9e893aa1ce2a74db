"""What comes back from billing, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.billing_accounts import Document, DocumentKind, MessageReused
from metering.store.sql.schema import billing_documents, billing_inbox, billing_marks
from metering.store.sql.statements import Row, insert, insert_once

__all__ = ["SqlAccounts"]

_COLUMNS = tuple(billing_documents.c)[1:]


class SqlAccounts:
    """:class:`metering.billing_accounts.Accounts` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def receive(self, source: str, message: str, sha256: bytes, now: datetime) -> bool:
        """Note a message in the inbox. Gives whether it is new; one that came before changes nothing."""
        row: Row = {"source": source, "message": message, "sha256": sha256, "received_at": now}
        if insert_once(self._connection, billing_inbox, [row]):
            return True
        same = (billing_inbox.c.source == source) & (billing_inbox.c.message == message)
        known = self._connection.execute(sa.select(billing_inbox.c.sha256).where(same)).scalar_one()
        if bytes(known) != sha256:
            raise MessageReused(source, message)
        return False

    def put_documents(self, documents: Sequence[Document]) -> int:
        """Keep documents, each source, kind, number and moment once. Gives how many were new."""
        names = [column.name for column in _COLUMNS]
        rows: list[Row] = [
            {**{name: getattr(one, name) for name in names}, "kind": one.kind.value} for one in documents
        ]
        return insert_once(self._connection, billing_documents, rows)

    def documents(
        self,
        *,
        customer: str | None = None,
        read: str | None = None,
        kinds: Sequence[DocumentKind] = (),
        limit: int = 100,
    ) -> Sequence[Document]:
        """Give the newest snapshot of each document, the newest first."""
        newer = billing_documents.alias("newer")
        same = (newer.c[name] == billing_documents.c[name] for name in ("source", "kind", "number"))
        later = sa.select(newer.c.id).where(*same, newer.c.as_of > billing_documents.c.as_of)
        wanted = sa.select(*_COLUMNS).where(~sa.exists(later))
        if customer is not None:
            wanted = wanted.where(billing_documents.c.customer == customer)
        if read is not None:
            wanted = wanted.where(billing_documents.c.read == read)
        if kinds:
            wanted = wanted.where(billing_documents.c.kind.in_([kind.value for kind in kinds]))
        newest = wanted.order_by(billing_documents.c.as_of.desc(), billing_documents.c.id.desc()).limit(limit)
        return [_document(row) for row in self._connection.execute(newest)]

    def balance(self, customer: str) -> Document | None:
        """Give a customer's newest balance."""
        return next(iter(self.documents(customer=customer, kinds=[DocumentKind.BALANCE], limit=1)), None)

    def put_mark(self, source: str, kind: str, until: datetime) -> None:
        """Note up to when a source's documents are complete; never goes back."""
        new = insert(self._connection.dialect.name, billing_marks).values(
            source=source, kind=kind, until=until
        )
        forward = new.on_conflict_do_update(
            index_elements=billing_marks.primary_key,
            set_={"until": new.excluded.until},
            where=billing_marks.c.until < new.excluded.until,
        )
        self._connection.execute(forward)

    def mark(self, source: str, kind: str) -> datetime | None:
        """Give up to when a source's documents are complete."""
        same = (billing_marks.c.source == source) & (billing_marks.c.kind == kind)
        until: datetime | None = self._connection.execute(
            sa.select(billing_marks.c.until).where(same)
        ).scalar()
        return until


def _document(row: sa.Row[Any]) -> Document:
    said = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's documented name, underscored to keep column names free
    said["kind"] = DocumentKind(said["kind"])
    said["content"] = bytes(said["content"])
    said["file"] = None if said["file"] is None else bytes(said["file"])
    return Document(**said)
