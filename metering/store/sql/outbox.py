"""Messages that leave this system, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from metering.outbox import Attempt, KeyReused, Message, OutboxItem, OutboxState, Pause
from metering.store.sql.schema import outbox, outbox_attempts, outbox_pauses
from metering.store.sql.statements import Row, in_chunks, insert_once, replace

__all__ = ["SqlOutbox"]

_PENDING: sa.ColumnElement[str] = sa.literal_column("'pending'")
_UNSETTLED: tuple[sa.ColumnElement[str], ...] = (_PENDING, sa.literal_column("'dead'"))
"""Written into the statement: a parameter would keep the planner from the partial indexes."""

_SETTLED = ("state", "next_at", "lease_owner", "lease_until", "error", "receipt", "settled_at")
"""What settling may change."""


_MINE = (
    (outbox.c.id == sa.bindparam("mine_id"))
    & (outbox.c.state == _PENDING)
    & (outbox.c.lease_owner == sa.bindparam("mine_owner"))
    & (outbox.c.attempt == sa.bindparam("mine_attempt"))
)
"""Claimed as it is thought to be: nobody else has claimed it since."""

# Statements are made once: making them again takes longer than executing them.
_SETTLE = sa.update(outbox).where(_MINE).values({name: sa.bindparam(f"new_{name}") for name in _SETTLED})
_RELEASE = (
    sa.update(outbox).where(_MINE).values(lease_owner="", lease_until=sa.null(), attempt=outbox.c.attempt - 1)
)
_TRIED = sa.insert(outbox_attempts)


class SqlOutbox:
    """:class:`metering.outbox.Outbox` on one transaction. Writers queue up, so no two claim the same."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, messages: Sequence[Message], now: datetime) -> int:
        """Enter messages; one that is there already is entered once. Gives how many were new."""
        rows = [_row(message, now) for message in messages]
        new = insert_once(self._connection, outbox, rows)
        if new < len(rows):
            self._demand_same(rows)
        return new

    def claim(
        self, target: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[OutboxItem]:
        """Take messages that are due, the oldest first, at most one of an aggregate."""
        if self.paused(target):
            return []
        due = self._connection.execute(_due(target, now, limit)).scalars().all()
        for chunk in in_chunks(due):
            taken = {"attempt": outbox.c.attempt + 1, "lease_owner": owner, "lease_until": now + lease}
            self._connection.execute(sa.update(outbox).where(outbox.c.id.in_(chunk)).values(taken))
        return [
            _item(row)
            for chunk in in_chunks(due)
            for row in self._connection.execute(_by_number(outbox.c.id.in_(chunk)))
        ]

    def settle(self, claimed: OutboxItem, after: OutboxItem, outcome: str, now: datetime) -> bool:
        """Write what came of a claimed message, unless somebody else has claimed it since."""
        said = {f"new_{name}": getattr(after, name) for name in _SETTLED}
        changed = self._connection.execute(_SETTLE, {**said, **_claimed_so(claimed)}).rowcount
        sent = {"message": claimed.number, "at": now, "outcome": outcome}
        self._connection.execute(_TRIED, sent)
        return changed == 1

    def release(self, claimed: Sequence[OutboxItem]) -> None:
        """Give back messages that were claimed and not sent: due as before, the attempt does not count."""
        if claimed:
            self._connection.execute(_RELEASE, [_claimed_so(one) for one in claimed])

    def item(self, target: str, key: str) -> OutboxItem | None:
        """Give one message."""
        row = self._connection.execute(_by_number(_this(target, key))).one_or_none()
        return None if row is None else _item(row)

    def items(
        self, target: str, states: Collection[OutboxState] = (), *, after: int = 0, limit: int = 50
    ) -> Sequence[OutboxItem]:
        """Give messages by number, beginning behind ``after``; in any state if none is named."""
        wanted = (outbox.c.target == target) & (outbox.c.id > after)
        if states:
            wanted &= outbox.c.state.in_([state.value for state in states])
        return [_item(row) for row in self._connection.execute(_by_number(wanted).limit(limit))]

    def attempts(self, target: str, key: str) -> Sequence[Attempt]:
        """Give how often and with what outcome a message was sent, the earliest first."""
        statement = (
            sa.select(outbox_attempts.c.at, outbox_attempts.c.outcome)
            .join(outbox)
            .where(_this(target, key))
            .order_by(outbox_attempts.c.id)
        )
        return [Attempt(*row) for row in self._connection.execute(statement)]

    def counts(self, target: str) -> Mapping[OutboxState, int]:
        """Give how many messages are in each state."""
        statement = sa.select(outbox.c.state, sa.func.count()).where(outbox.c.target == target)
        rows = self._connection.execute(statement.group_by(outbox.c.state))
        told = {row[0]: int(row[1]) for row in rows}
        return {state: told.get(state.value, 0) for state in OutboxState}

    def next_due(self, target: str) -> datetime | None:
        """Give when the next message may be sent, UTC; ``None`` if none waits."""
        if self.paused(target):
            return None
        waits = sa.func.coalesce(outbox.c.lease_until, outbox.c.next_at, type_=outbox.c.next_at.type)
        first = sa.func.min(waits, type_=outbox.c.next_at.type)
        moment: datetime | None = self._connection.execute(
            sa.select(first).where(_first_of_its_aggregate(target))
        ).scalar()
        return moment

    def replay(self, target: str, key: str, now: datetime) -> bool:
        """Send a dead message again, from its first attempt on. Gives whether it was dead."""
        return self._bury(target, key, state="pending", attempt=0, next_at=now)

    def drop(self, target: str, key: str, reason: str, now: datetime) -> bool:
        """Give up a dead message, so that those behind it leave. Gives whether it was dead."""
        return self._bury(target, key, state="dropped", error=reason, settled_at=now)

    def pause(self, target: str, reason: str, now: datetime) -> None:
        """Send nothing more to a target."""
        replace(self._connection, outbox_pauses, [{"target": target, "since": now, "reason": reason}])

    def resume(self, target: str) -> bool:
        """Send to a target again. Gives whether it was paused."""
        gone = sa.delete(outbox_pauses).where(outbox_pauses.c.target == target)
        return self._connection.execute(gone).rowcount == 1

    def paused(self, target: str) -> Pause | None:
        """Give why a target gets nothing; ``None`` if it does."""
        statement = sa.select(outbox_pauses).where(outbox_pauses.c.target == target)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else Pause(*row)

    def _bury(self, target: str, key: str, **said: Any) -> bool:
        dead = _this(target, key) & (outbox.c.state == "dead")
        return self._connection.execute(sa.update(outbox).where(dead).values(said)).rowcount == 1

    def _demand_same(self, rows: Sequence[Row]) -> None:
        for row in rows:
            known = sa.select(outbox.c.sha256).where(_this(row["target"], row["key"]))
            if bytes(self._connection.execute(known).scalar_one()) != row["sha256"]:
                raise KeyReused(row["target"], row["key"])


def _row(message: Message, now: datetime) -> Row:
    return {
        "target": message.target,
        "key": message.key,
        "aggregate": message.aggregate,
        "payload": message.payload,
        "sha256": sha256(message.payload).digest(),
        "state": "pending",
        "attempt": 0,
        "next_at": now,
        "lease_owner": "",
        "error": "",
        "receipt": "",
        "put_at": now,
    }


def _claimed_so(claimed: OutboxItem) -> Row:
    return {
        "mine_id": claimed.number,
        "mine_owner": claimed.lease_owner,
        "mine_attempt": claimed.attempt,
    }


def _this(target: str, key: str) -> sa.ColumnElement[bool]:
    return (outbox.c.target == target) & (outbox.c.key == key)


def _by_number(wanted: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(outbox).where(wanted).order_by(outbox.c.id)


def _first_of_its_aggregate(target: str) -> sa.ColumnElement[bool]:
    earlier = outbox.alias("earlier")
    before = (
        (earlier.c.target == outbox.c.target)
        & (earlier.c.aggregate == outbox.c.aggregate)
        & (earlier.c.id < outbox.c.id)
        & earlier.c.state.in_(_UNSETTLED)
    )
    mine = (outbox.c.target == target) & (outbox.c.state == _PENDING)
    return mine & ~sa.exists(sa.select(earlier.c.id).where(before))


def _due(target: str, now: datetime, limit: int) -> sa.Select[Any]:
    free = outbox.c.lease_until.is_(None) | (outbox.c.lease_until <= now)
    wanted = _first_of_its_aggregate(target) & (outbox.c.next_at <= now) & free
    return sa.select(outbox.c.id).where(wanted).order_by(outbox.c.next_at, outbox.c.id).limit(limit)


def _item(row: sa.Row[Any]) -> OutboxItem:
    fields = dict(zip(OutboxItem.__dataclass_fields__, row, strict=True))
    fields["state"] = OutboxState(fields["state"])
    return OutboxItem(**{**fields, "payload": bytes(row.payload), "sha256": bytes(row.sha256)})
