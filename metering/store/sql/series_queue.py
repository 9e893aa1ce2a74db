"""What a series store still lacks: written by triggers in the transaction that changes readings.

Whatever writes, moves or deletes readings, each change leaves a row here and commits with it, so that no
crash can come between. A row names a register of a meter and a time; what stands there is read when it is
sent. A row is taken away after its sending; one sent twice changes nothing.

One sender at a time (:meth:`SeriesQueue.turn`), over all processes and hosts: a slow one could otherwise
write again what another has deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from metering.reading import Provenance, Reading
from metering.store.series.lines import Key, from_microseconds, microseconds
from metering.store.sql.engine import Database
from metering.store.sql.retention import READINGS_SINCE
from metering.store.sql.schema import marks, readings, series_queue
from metering.store.sql.series_triggers import disable, enable, enabled
from metering.store.sql.series_turn import Turn
from metering.store.sql.statements import execute_many, in_chunks, replace
from metering.store.sql.symbols import Known, Names

__all__ = ["Place", "Portion", "SeriesQueue"]

Place = tuple[int, int, Any]
"""Where a walk over all readings stands: numbers of meter and register, time."""

_COLUMNS = tuple(
    readings.c[name]
    for name in ("meter", "register", "measured_at", "value", "received_at", "telegram", "origin")
)
_ORDER = (readings.c.meter, readings.c.register, readings.c.measured_at)


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows of the queue, and what stands there now.

    Attributes:
        ids: the rows.
        gone: keys at which something was taken away or changed.
        readings: all that stands at the keys.
    """

    ids: Sequence[int]
    gone: Sequence[Key]
    readings: Sequence[Reading]


class SeriesQueue:
    """The queue of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Known()
        self._turn = Turn(database)

    def waiting(self) -> int:
        """Give how many changes are not sent yet."""
        with self._database.transaction(write=False) as connection:
            number: int = connection.execute(
                sa.select(sa.func.count()).select_from(series_queue)
            ).scalar_one()
            return number

    def last(self) -> int:
        """Give the number of the newest change, 0 if none waits."""
        with self._database.transaction(write=False) as connection:
            return connection.execute(sa.select(sa.func.max(series_queue.c.id))).scalar() or 0

    def portion(self, until: int, limit: int) -> Portion:
        """Give the oldest changes up to a number, and what stands at their keys, in one view."""
        with self._database.transaction(write=False) as connection:
            chosen = sa.select(series_queue).where(series_queue.c.id <= until).order_by(series_queue.c.id)
            rows = connection.execute(chosen.limit(limit)).all()
            if not rows:
                return Portion((), (), ())
            names = Names(connection, self._known)
            found = self._standing(connection, names, rows[0].id, rows[-1].id)
            gone = {
                (meter, register, moment) for _, meter, register, moment, gone in map(tuple, rows) if gone
            }
            portion = Portion([row[0] for row in rows], _keys(gone, names), found)
        names.keep()
        return portion

    def sent(self, ids: Sequence[int]) -> None:
        """Take changes away that were sent."""
        number = series_queue.c.id
        with self._database.transaction(write=True) as connection:
            if ids[-1] - ids[0] == len(ids) - 1:  # without a gap, as nearly always
                connection.execute(sa.delete(series_queue).where(number.between(ids[0], ids[-1])))
                return
            for chunk in in_chunks(ids):
                connection.execute(sa.delete(series_queue).where(number.in_(chunk)))

    def walk(self, after: Place | None, limit: int) -> tuple[Sequence[Reading], Place | None]:
        """Give readings of all meters from a place on, all values of a key together; and the next place."""
        with self._database.transaction(write=False) as connection:
            names = Names(connection, self._known)
            wanted = sa.select(*_COLUMNS).order_by(*_ORDER).limit(limit)
            if after is not None:
                wanted = wanted.where(
                    sa.tuple_(*_ORDER) > sa.tuple_(*map(sa.literal, after, (c.type for c in _ORDER)))
                )
            rows = connection.execute(wanted).all()
            if not rows:
                return (), None
            place: Place = tuple(rows[-1])[:3]
            rest = sa.select(*_COLUMNS).where(
                *(column == value for column, value in zip(_ORDER, place, strict=True))
            )
            whole = [row for row in rows if tuple(row)[:3] != place] + list(connection.execute(rest))
            found = _readings(whole, names)
        names.keep()
        return found, place

    def of_register(self, key: Key) -> Sequence[Reading]:
        """Give all readings of a register of a meter."""
        with self._database.transaction(write=False) as connection:
            names = Names(connection, self._known)
            wanted = (
                sa.select(*_COLUMNS)
                .where(readings.c.meter == names.meters.number(key.meter))
                .where(readings.c.register == names.registers.number(key.register))
            )
            found = _readings(connection.execute(wanted).all(), names)
        names.keep()
        return found

    def ask(self, keys: Collection[Key], *, gone: bool) -> None:
        """Have what stands at some keys sent again; if ``gone``, what stands there already goes first."""
        with self._database.transaction(write=True) as connection:
            names = Names(connection, self._known)
            meters = names.meters.ensure(key.meter for key in keys)
            registers = names.registers.ensure(key.register for key in keys)
            rows = [
                {
                    "meter": meters[key.meter],
                    "register": registers[key.register],
                    "measured_at": key.measured_at,
                    "gone": gone,
                }
                for key in keys
            ]
            execute_many(connection, sa.insert(series_queue), rows)
        names.keep()

    def number(self) -> int:
        """Give how many readings there are in all."""
        with self._database.transaction(write=False) as connection:
            number: int = connection.execute(sa.select(sa.func.count()).select_from(readings)).scalar_one()
            return number

    def since(self) -> datetime:
        """Give the time from which on readings are kept here; older ones may be in the series store alone."""
        with self._database.transaction(write=False) as connection:
            said = connection.execute(sa.select(marks.c.value).where(marks.c.name == READINGS_SINCE)).scalar()
        return datetime.fromisoformat(said) if said else datetime.min.replace(tzinfo=UTC)

    def place(self, name: str) -> Place | None:
        """Give where a walk of this name was interrupted, if it was."""
        with self._database.transaction(write=False) as connection:
            said = connection.execute(sa.select(marks.c.value).where(marks.c.name == name)).scalar()
        if not said:
            return None
        meter, register, time_us = map(int, said.split())
        return meter, register, from_microseconds(time_us)

    def remember(self, name: str, place: Place | None) -> None:
        """Remember how far a walk came; ``None`` when it has ended."""
        value = f"{place[0]} {place[1]} {microseconds(place[2])}" if place else ""
        with self._database.transaction(write=True) as connection:
            replace(connection, marks, [{"name": name, "value": value}])

    def turn(self) -> AbstractContextManager[None]:
        """Be the only sender; waits for another.

        Raises:
            StoreUnavailable: another is still at it.
        """
        return self._turn.taken()

    def enable(self) -> bool:
        """Note changes of readings from now on; false if that was so already."""
        return enable(self._database)

    def disable(self) -> None:
        """Note no changes any more, and drop what was noted."""
        disable(self._database)

    def enabled(self) -> bool:
        """Whether changes of readings are noted."""
        return enabled(self._database)

    def _standing(self, connection: sa.Connection, names: Names, first: int, last: int) -> list[Reading]:
        keys = (
            sa.select(series_queue.c.meter, series_queue.c.register, series_queue.c.measured_at)
            .where(series_queue.c.id.between(first, last))
            .distinct()
            .subquery()
        )
        same = sa.and_(*(column == keys.c[column.name] for column in _ORDER))
        return _readings(connection.execute(sa.select(*_COLUMNS).join(keys, same)).all(), names)


def _keys(gone: set[Place], names: Names) -> list[Key]:
    meters = names.meters.things({meter for meter, _, _ in gone})
    registers = names.registers.things({register for _, register, _ in gone})
    return [Key(meters[meter], registers[register], moment) for meter, register, moment in gone]


def _readings(rows: Sequence[sa.Row[Any]], names: Names) -> list[Reading]:
    meters = names.meters.things({row.meter for row in rows})
    registers = names.registers.things({row.register for row in rows})
    origins = names.origins.things({row.origin for row in rows})
    found = []
    for row in rows:
        meter, register, measured_at, value, received_at, telegram, origin = tuple(row)
        unit, way, quality, gateway, model, decoder = origins[origin]
        source = Provenance(telegram, gateway, model or None, decoder)
        where = meters[meter], registers[register]
        found.append(Reading(*where, value, unit, measured_at, received_at, way, quality, source))
    return found
