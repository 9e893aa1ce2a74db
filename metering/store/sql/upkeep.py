"""What is done in the background, in SQL: mending, marks, the going of foreign telegrams."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.meter import MeterId
from metering.store.sql.hearings import day_of
from metering.store.sql.schema import gateways, hearings, marks, mending, meters, receptions, telegrams
from metering.store.sql.statements import execute_many, in_chunks, insert, insert_once, replace
from metering.store.sql.symbols import Names
from metering.upkeep import Stranger

__all__ = ["SqlUpkeep", "ask_mending"]

_HELD = telegrams.c.state == sa.literal_column("'held'")
_FOREIGN = telegrams.c.state == sa.literal_column("'foreign'")
"""Literal, not bound: only so may SQLite use the partial indexes."""


class SqlUpkeep:
    """:class:`metering.upkeep.Upkeep` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def ask_mending(self, asked: Collection[MeterId]) -> None:
        """Have waiting telegrams of these meters tried again.

        What is no registered meter may be a radio adapter: then all that is held is tried again.
        """
        numbers = set(self._names.meters.ensure(asked).values())
        registered = _among(self._connection, sa.select(meters.c.meter), meters.c.meter, numbers)
        if numbers - registered:
            numbers |= set(self._connection.scalars(sa.select(telegrams.c.meter).where(_HELD).distinct()))
        ask_mending(self._connection, numbers)

    def to_mend(self, limit: int) -> Mapping[MeterId, int]:
        """Give meters whose waiting telegrams are to be tried again, and how often that was asked."""
        wanted = sa.select(mending.c.meter, mending.c.asked).order_by(mending.c.meter).limit(limit)
        asked = {row.meter: row.asked for row in self._connection.execute(wanted)}
        return {meter: asked[number] for number, meter in self._names.meters.things(asked).items()}

    def mended(self, meter: MeterId, asked: int) -> None:
        """Book that a meter's waiting telegrams were tried, unless that was asked again meanwhile."""
        this = (mending.c.meter == self._names.meters.number(meter)) & (mending.c.asked == asked)
        self._connection.execute(sa.delete(mending).where(this))

    def drop_idle(self) -> int:
        """Leave out asked meters that have nothing waiting; gives how many."""
        waiting = sa.exists().where(telegrams.c.meter == mending.c.meter, _HELD | _FOREIGN)
        return self._connection.execute(sa.delete(mending).where(~waiting)).rowcount

    def waiting_for(self, reason: str) -> Sequence[MeterId]:
        """Give the meters that have telegrams held for a reason."""
        wanted = sa.select(telegrams.c.meter).where(_HELD, telegrams.c.reason == reason).distinct()
        return list(self._names.meters.things(self._connection.scalars(wanted)).values())

    def mark(self, name: str) -> str:
        """Give how far some upkeep came; empty if it never began."""
        return self._connection.execute(sa.select(marks.c.value).where(marks.c.name == name)).scalar() or ""

    def set_mark(self, name: str, value: str) -> None:
        """Remember how far some upkeep came."""
        replace(self._connection, marks, [{"name": name, "value": value}])

    def change_mark(self, name: str, before: str, after: str) -> bool:
        """Set a mark if it is still ``before`` (empty = it never was set); gives whether it was. Atomic."""
        if not before:
            return insert_once(self._connection, marks, [{"name": name, "value": after}]) == 1
        this = (marks.c.name == name) & (marks.c.value == before)
        return self._connection.execute(sa.update(marks).where(this).values(value=after)).rowcount == 1

    def forget_foreign(self, before: datetime, limit: int) -> int:
        """Delete foreign telegrams heard before a time, the oldest first; gives how many went."""
        oldest = (
            sa.select(telegrams.c.id)
            .where(_FOREIGN, telegrams.c.heard_at < before)
            .order_by(telegrams.c.heard_at)
            .limit(limit)
        )
        numbers = self._connection.scalars(oldest).all()
        for chunk in in_chunks(numbers):
            self._connection.execute(sa.delete(receptions).where(receptions.c.telegram.in_(chunk)))
            self._connection.execute(sa.delete(telegrams).where(telegrams.c.id.in_(chunk)))
        return len(numbers)

    def count_foreign(self, before: datetime) -> int:
        """Give how many foreign telegrams were heard before a time."""
        wanted = sa.select(sa.func.count()).where(_FOREIGN, telegrams.c.heard_at < before)
        found: int = self._connection.execute(wanted).scalar_one()
        return found

    def forget_hearings(self, before: datetime) -> int:
        """Delete the daily counts of who heard whom before the day of this time; gives how many went."""
        return self._connection.execute(sa.delete(hearings).where(hearings.c.day < day_of(before))).rowcount

    def strangers(
        self, since: datetime, *, offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[Stranger], int]:
        """Give a page of meters heard since and not registered, most heard first, and the number of all."""
        heard = sa.func.sum(hearings.c.heard)
        wanted = (
            sa.select(
                hearings.c.meter,
                heard.label("heard"),
                sa.func.min(hearings.c.first_heard),
                sa.func.max(hearings.c.last_heard),
                sa.func.max(hearings.c.rssi_max),
            )
            .where(hearings.c.day >= day_of(since))
            .where(~sa.exists().where(meters.c.meter == hearings.c.meter))
            .group_by(hearings.c.meter)
        )
        number = sa.select(sa.func.count()).select_from(wanted.subquery())
        count: int = self._connection.execute(number).scalar_one()
        page = wanted.order_by(heard.desc(), hearings.c.meter).offset(offset).limit(limit)
        rows = [tuple(row) for row in self._connection.execute(page)]
        return self._strangers(rows, since), count

    def _strangers(self, rows: Sequence[tuple[Any, ...]], since: datetime) -> list[Stranger]:
        numbers = [row[0] for row in rows]
        ids, hearers, kept = (
            self._names.meters.things(numbers),
            self._hearers(numbers, since),
            self._kept(numbers),
        )
        return [
            Stranger(ids[meter], int(heard), hearers.get(meter, ()), first, last, rssi, kept.get(meter, 0))
            for meter, heard, first, last, rssi in rows
        ]

    def _hearers(self, numbers: Sequence[int], since: datetime) -> dict[int, list[str]]:
        wanted = (
            sa.select(hearings.c.meter, gateways.c.name)
            .join(gateways, gateways.c.id == hearings.c.gateway)
            .where(hearings.c.day >= day_of(since), hearings.c.meter.in_(numbers))
            .distinct()
            .order_by(gateways.c.name)
        )
        found: dict[int, list[str]] = {}
        for meter, name in self._connection.execute(wanted):
            found.setdefault(meter, []).append(name)
        return found

    def _kept(self, numbers: Sequence[int]) -> dict[int, int]:
        wanted = (
            sa.select(telegrams.c.meter, sa.func.count())
            .where(telegrams.c.meter.in_(numbers), telegrams.c.state == "foreign")
            .group_by(telegrams.c.meter)
        )
        return {row[0]: row[1] for row in self._connection.execute(wanted)}


def ask_mending(connection: sa.Connection, numbers: Collection[int]) -> None:
    """Have waiting telegrams of meters, by number, tried again."""
    statement = insert(connection.dialect.name, mending)
    again = statement.on_conflict_do_update(
        index_elements=mending.primary_key, set_={"asked": mending.c.asked + statement.excluded.asked}
    )
    execute_many(connection, again, [{"meter": number, "asked": 1} for number in sorted(numbers)])


def _among(
    connection: sa.Connection, wanted: sa.Select[Any], column: sa.ColumnElement[int], numbers: Collection[int]
) -> set[int]:
    return {
        one for chunk in in_chunks(numbers) for one in connection.scalars(wanted.where(column.in_(chunk)))
    }
