"""What a series store still lacks: written by triggers in the transaction that changes readings.

Whatever writes, moves or deletes readings, each change leaves a row here and commits with it, so that no
crash can come between. A row names a register of a meter and a time; what stands there is read when it is
sent. A row is taken away after its sending; one sent twice changes nothing.

One sender at a time (:meth:`SeriesQueue.turn`), over all processes and hosts: a slow one could otherwise
write again what another has deleted meanwhile.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa

from metering.errors import StoreUnavailable
from metering.reading import Provenance, Reading
from metering.store.series.lines import Key
from metering.store.sql.engine import Database
from metering.store.sql.faults import sentence_of
from metering.store.sql.schema import readings, series_queue
from metering.store.sql.statements import in_chunks
from metering.store.sql.symbols import Known, Names

__all__ = ["Place", "Portion", "SeriesQueue"]

Place = tuple[int, int, Any]
"""Where a walk over all readings stands: numbers of meter and register, time."""

_TURN = 0x4E757275
"""Advisory lock of the one sender on PostgreSQL, beside that of the one writer."""

_LOOK_S = 0.02

_COLUMNS = tuple(
    readings.c[name]
    for name in ("meter", "register", "measured_at", "value", "received_at", "telegram", "origin")
)
_ORDER = (readings.c.meter, readings.c.register, readings.c.measured_at)

_EVENTS = {
    "insert": ("NEW", "0"),
    "delete": ("OLD", "1"),
}

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS series_{event} AFTER {event} ON readings BEGIN
    INSERT INTO series_queue (meter, register, measured_at, gone) {rows};
END
"""

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION series_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO series_queue (meter, register, measured_at, gone)
        VALUES (OLD.meter, OLD.register, OLD.measured_at, TRUE);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO series_queue (meter, register, measured_at, gone)
        VALUES (NEW.meter, NEW.register, NEW.measured_at, FALSE);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER series_note AFTER INSERT OR UPDATE OR DELETE ON readings
    FOR EACH ROW EXECUTE FUNCTION series_note()
"""


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
        self._mine = Lock()

    # --- on and off ------------------------------------------------------------------------------

    def enable(self) -> bool:
        """Note changes of readings from now on; false if that was so already."""
        if self.enabled():
            return False
        with self._database.transaction(write=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_POSTGRESQL)
            else:
                for event, rows in _sqlite_rows().items():
                    connection.exec_driver_sql(_SQLITE.format(event=event, rows=rows))
        return True

    def disable(self) -> None:
        """Note no changes any more, and drop what was noted."""
        with self._database.transaction(write=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("DROP TRIGGER IF EXISTS series_note ON readings")
            else:
                for event in _sqlite_rows():
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS series_{event}")
            connection.execute(sa.delete(series_queue))

    def enabled(self) -> bool:
        """Whether changes of readings are noted."""
        with self._database.transaction(write=False) as connection:
            if connection.dialect.name == "postgresql":
                found = (
                    "SELECT 1 FROM pg_trigger WHERE tgname = 'series_note' AND tgrelid = 'readings'::regclass"
                )
            else:
                found = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'series_delete'"
            return connection.exec_driver_sql(found).first() is not None

    # --- what waits ------------------------------------------------------------------------------

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
            keys = {row.id: (row.meter, row.register, row.measured_at) for row in rows}
            found = self._standing(connection, names, rows[0].id, rows[-1].id)
            gone = {keys[row.id] for row in rows if row.gone}
            portion = Portion(list(keys), _keys(gone, names), found)
        names.keep()
        return portion

    def sent(self, ids: Sequence[int]) -> None:
        """Take changes away that were sent."""
        with self._database.transaction(write=True) as connection:
            for chunk in in_chunks(ids):
                connection.execute(sa.delete(series_queue).where(series_queue.c.id.in_(chunk)))

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

    @contextmanager
    def turn(self, patience: float = 60.0) -> Iterator[None]:
        """Be the only sender; waits for another.

        Raises:
            StoreUnavailable: another is still at it.
        """
        until = time.monotonic() + patience
        if not self._mine.acquire(timeout=patience):
            raise _another()
        try:
            if self._database.path is not None:
                with self._file_lock(until):
                    yield
            elif self._database.engine.dialect.name == "postgresql":
                with self._advisory_lock(until):
                    yield
            else:
                yield
        finally:
            self._mine.release()

    @contextmanager
    def _file_lock(self, until: float) -> Iterator[None]:
        path = self._database.path
        assert path is not None  # noqa: S101  looked at by the caller
        with path.with_name(f"{path.name}.series").open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    _wait(until)
            yield  # closing lets go, and so does the end of the process

    @contextmanager
    def _advisory_lock(self, until: float) -> Iterator[None]:
        try:
            session = self._database.engine.raw_connection()
        except Exception as fault:
            raise sentence_of(fault, self._database.where) from fault
        try:
            while not self._asked(session, f"pg_try_advisory_lock({_TURN})"):
                _wait(until)
            yield
            self._asked(session, f"pg_advisory_unlock({_TURN})")
        finally:
            session.invalidate()  # a lock that was not given back goes with its connection

    def _asked(self, session: sa.PoolProxiedConnection, question: str) -> bool:
        try:
            cursor = session.cursor()
            cursor.execute(f"SELECT {question}")
            said = cursor.fetchone()
            session.commit()
        except Exception as fault:
            raise sentence_of(fault, self._database.where) from fault
        return bool(said and said[0])

    def _standing(self, connection: sa.Connection, names: Names, first: int, last: int) -> list[Reading]:
        keys = (
            sa.select(series_queue.c.meter, series_queue.c.register, series_queue.c.measured_at)
            .where(series_queue.c.id.between(first, last))
            .distinct()
            .subquery()
        )
        same = sa.and_(*(column == keys.c[column.name] for column in _ORDER))
        return _readings(connection.execute(sa.select(*_COLUMNS).join(keys, same)).all(), names)


def _sqlite_rows() -> dict[str, str]:
    new, old = (f"{row}.meter, {row}.register, {row}.measured_at" for row in ("NEW", "OLD"))
    return {
        "insert": f"VALUES ({new}, 0)",
        "update": f"VALUES ({old}, 1), ({new}, 0)",
        "delete": f"VALUES ({old}, 1)",
    }


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


def _wait(until: float) -> None:
    if time.monotonic() > until:
        raise _another()
    time.sleep(_LOOK_S)


def _another() -> StoreUnavailable:
    return StoreUnavailable("another process is writing to the series store; it is tried again")
