"""Files to billing systems, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.batches import Batch
from metering.store.sql.tables_batches import batches

__all__ = ["SqlBatches"]


class SqlBatches:
    """:class:`metering.batches.Batches` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def newest(self, target: str) -> Batch | None:
        """Give the batch made last."""
        wanted = _of(target).order_by(batches.c.number.desc()).limit(1)
        return self._first(wanted)

    def put(self, batch: Batch) -> None:
        """Keep a batch that was just made."""
        row = {**asdict(batch), "keys": "\n".join(batch.keys)}
        self._connection.execute(sa.insert(batches).values(row))

    def batch(self, target: str, number: int) -> Batch | None:
        """Give one batch."""
        return self._first(_of(target).where(batches.c.number == number))

    def unanswered(self, target: str) -> Sequence[Batch]:
        """Give the batches that still wait for answers, by number."""
        wanted = _of(target).where(batches.c.answered_at.is_(None)).order_by(batches.c.number)
        return [_batch(row) for row in self._connection.execute(wanted)]

    def mark_sent(self, target: str, number: int, at: datetime) -> None:
        """Note that a batch is there, unless that was noted before."""
        self._note(target, number, batches.c.sent_at, at)

    def mark_answered(self, target: str, number: int, at: datetime) -> None:
        """Note that all of a batch's messages were answered."""
        self._note(target, number, batches.c.answered_at, at)

    def _note(self, target: str, number: int, column: sa.Column[Any], at: datetime) -> None:
        this = (batches.c.target == target) & (batches.c.number == number) & column.is_(None)
        self._connection.execute(sa.update(batches).where(this).values({column.name: at}))

    def _first(self, wanted: sa.Select[Any]) -> Batch | None:
        row = self._connection.execute(wanted).one_or_none()
        return None if row is None else _batch(row)


def _of(target: str) -> sa.Select[Any]:
    return sa.select(batches).where(batches.c.target == target)


def _batch(row: sa.Row[Any]) -> Batch:
    fields = dict(zip(Batch.__dataclass_fields__, row, strict=True))
    fields["keys"] = tuple(row.keys.split("\n")) if isinstance(row.keys, str) else ()
    return Batch(**{**fields, "content": bytes(row.content), "manifest": bytes(row.manifest)})
