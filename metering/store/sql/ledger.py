"""The account of every item, per gateway, and what could not be read, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.errors import StoreError
from metering.ports import GatewayRow, Outcome, Quarantined
from metering.store.sql.schema import accounts, gateway_words, gateways, quarantine
from metering.store.sql.spans import Spans
from metering.store.sql.statements import Row, insert
from metering.store.sql.symbols import Names
from metering.upkeep import Boot, Gap
from metering.uplink import GatewayState, GatewayWord

__all__ = ["SqlLedger"]

_PAYLOAD = 64 * 1024
"""What is kept of an item nobody could read, bytes: enough to see what it was."""


class SqlLedger:
    """:class:`metering.ports.Ledger` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names, spans: Spans) -> None:
        self._connection = connection
        self._names = names
        self._spans = spans

    def count(self, gateway: str, received: int, outcomes: Mapping[Outcome, int], heard: datetime) -> None:
        """Book items of one batch: how many came and how each ended.

        Raises:
            StoreError: received is not the sum of the outcomes.
        """
        if received != sum(outcomes.values()):
            raise StoreError(f"gateway {gateway}: {received} items came, but {sum(outcomes.values())} ended")
        counts = {"received": received} | {outcome.value: outcomes.get(outcome, 0) for outcome in Outcome}
        number = self._names.gateways.ensure((gateway,))[gateway]
        statement = insert(self._connection.dialect.name, accounts)
        new = statement.excluded
        later = sa.case((new.last_heard > accounts.c.last_heard, new.last_heard), else_=accounts.c.last_heard)
        sums: dict[str, Any] = {name: accounts.c[name] + new[name] for name in counts}
        booked = statement.on_conflict_do_update(
            index_elements=accounts.primary_key, set_=sums | {"last_heard": later}
        )
        self._connection.execute(booked, {"gateway": number, "last_heard": heard} | counts)

    def quarantine(self, items: Sequence[Quarantined]) -> None:
        """Keep what could not be read."""
        rows: list[Row] = [
            {
                "gateway": item.gateway,
                "topic": item.topic,
                "reason": item.reason,
                "sentence": item.sentence,
                "payload": item.payload[:_PAYLOAD],
                "size": item.size,
                "received_at": item.received_at,
            }
            for item in items
        ]
        if rows:
            self._connection.execute(sa.insert(quarantine), rows)

    def quarantined(self, *, before: int | None = None, limit: int = 50) -> Sequence[Quarantined]:
        """Give quarantined items, newest first; ``before`` is a number to page on."""
        statement = sa.select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(quarantine.c.id < before)
        return [Quarantined(*row) for row in self._connection.execute(statement)]

    def quarantined_item(self, number: int) -> Quarantined | None:
        """Give one quarantined item."""
        row = self._connection.execute(sa.select(quarantine).where(quarantine.c.id == number)).one_or_none()
        return None if row is None else Quarantined(*row)

    def gateways(self) -> Sequence[GatewayRow]:
        """Give every gateway that was ever heard, by name."""
        statement = sa.select(gateways, accounts).outerjoin(accounts).order_by(gateways.c.name)
        return [_gateway(row) for row in self._connection.execute(statement)]

    def set_gateway_state(self, state: GatewayState) -> None:
        """Book what a gateway says of itself; an older statement never overrides a newer one."""
        number = self._names.gateways.ensure((state.gateway,))[state.gateway]
        newer = gateways.c.state_at.is_(None) | (gateways.c.state_at <= state.at)
        said = sa.update(gateways).where(gateways.c.id == number).where(newer)
        self._connection.execute(said.values(online=state.online, state_at=state.at, boot=state.boot))

    def note_alive(self, gateway: str, at: datetime) -> None:
        """Book that a gateway showed itself alive without bringing anything (health)."""
        number = self._names.gateways.ensure((gateway,))[gateway]
        newer = gateways.c.alive_at.is_(None) | (gateways.c.alive_at < at)
        self._connection.execute(
            sa.update(gateways).where(gateways.c.id == number).where(newer).values(alive_at=at)
        )

    def keep_word(self, word: GatewayWord) -> None:
        """Keep the newest of what is said by or to a gateway; an older one never takes its place."""
        number = self._names.gateways.ensure((word.gateway,))[word.gateway]
        statement = insert(self._connection.dialect.name, gateway_words)
        new = statement.excluded
        kept = statement.on_conflict_do_update(
            index_elements=gateway_words.primary_key,
            set_={"at": new.at, "body": new.body},
            where=gateway_words.c.at <= new.at,
        )
        row = {"gateway": number, "leaf": word.leaf, "at": word.at, "body": word.body}
        self._connection.execute(kept, row)

    def words(self) -> Sequence[GatewayWord]:
        """Give the newest of everything, by gateway and leaf."""
        columns = (gateways.c.name, gateway_words.c.leaf, gateway_words.c.at, gateway_words.c.body)
        statement = sa.select(*columns).join_from(gateway_words, gateways).order_by(*columns[:2])
        return [GatewayWord(*row) for row in self._connection.execute(statement)]

    def gaps(self, gateway: str | None = None, *, limit: int = 50) -> Sequence[Gap]:
        """Give what is missing between numbers that came, the newest first."""
        return self._spans.gaps(gateway, limit)

    def boots(self, gateway: str) -> Sequence[Boot]:
        """Give the boots of a gateway and how complete each came."""
        return self._spans.boots(gateway)


def _gateway(row: sa.Row[Any]) -> GatewayRow:
    counts = row._mapping  # noqa: SLF001  SQLAlchemy's documented name, underscored to keep column names free
    return GatewayRow(
        name=row.name,
        online=row.online,
        state_at=row.state_at,
        last_heard=row.last_heard,
        received=row.received or 0,
        outcomes={outcome: counts[outcome.value] or 0 for outcome in Outcome},
        alive_at=row.alive_at,
    )
