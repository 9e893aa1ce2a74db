"""Readings in SQL: clustered by meter, register and time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase

from metering.meter import MeterId
from metering.reading import Detail, Reading, Register, Way
from metering.sheets import Sheet
from metering.store.sql.forgetting import forget_details, forget_readings
from metering.store.sql.heads import Heads, Moves, newest_of
from metering.store.sql.heard import note_heard
from metering.store.sql.reading_rows import in_order, read
from metering.store.sql.schema import details, latest, readings
from metering.store.sql.sheet_rows import rows_of
from metering.store.sql.statements import (
    Columns,
    Row,
    execute_columns,
    in_chunks,
    insert,
    insert_columns,
    insert_once,
    insert_rows,
)
from metering.store.sql.symbols import Names, Origin

__all__ = ["SqlReadings", "newest_readings", "write_readings"]

_UNFRAMED = frozenset({Way.PULSE, Way.DECODED})
"""Ways without a telegram that would tell when the meter was heard."""
_KEY = ("meter", "register", "measured_at", "value")


class SqlReadings:
    """:class:`metering.ports.ReadingStore` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names, moves: Moves) -> None:
        self._connection = connection
        self._names = names
        self._moves = moves

    def add(self, new: Sequence[Reading]) -> int:
        """Store readings, those equal in meter, register, time and value once; gives how many were new."""
        if not new:
            return 0
        meters = self._names.meters.numbers_of([reading.meter for reading in new])
        registers = self._names.registers.numbers_of([reading.register for reading in new])
        origins = self._names.origins.numbers_of(Origin.of_all(new))
        unframed = [
            (meter, reading.measured_at)
            for reading, meter in zip(new, meters, strict=True)
            if reading.way in _UNFRAMED
        ]
        note_heard(self._connection, unframed)
        columns: Columns = {
            "meter": meters,
            "register": registers,
            "measured_at": [reading.measured_at for reading in new],
            "value": [reading.value for reading in new],
            "received_at": [reading.received_at for reading in new],
            "telegram": [reading.provenance.telegram for reading in new],
            "origin": origins,
        }
        return write_readings(self._connection, columns, self._moves)

    def add_sheets(self, new: Sequence[tuple[int, Sheet]]) -> int:
        """Store the readings of new telegrams, each with its number, as :meth:`add` does."""
        if not new:
            return 0
        rows = rows_of(self._connection.dialect, self._names, new)
        _set_signposts(self._connection, self._moves.of_runs(rows.runs))
        added = insert_rows(self._connection, rows.heard, expected_new=True)
        added += insert_rows(self._connection, rows.dated)
        self.add_details([detail for telegram, sheet in new for detail in sheet.details(telegram)])
        return added

    def add_details(self, new: Sequence[Detail]) -> None:
        """Store what was said besides numbers; repeats are stored once."""
        meter_of = self._names.meters.ensure(detail.meter for detail in new)
        register_of = self._names.registers.ensure(detail.register for detail in new)
        rows: list[Row] = [
            {
                "meter": meter_of[detail.meter],
                "register": register_of[detail.register],
                "measured_at": detail.measured_at,
                "text": detail.text,
                "telegram": detail.telegram,
            }
            for detail in new
        ]
        insert_once(self._connection, details, rows)

    def series(
        self,
        meter: MeterId,
        register: Register,
        since: datetime,
        until: datetime,
        *,
        limit: int | None = None,
    ) -> Sequence[Reading]:
        """Give readings with ``since <= measured_at < until``, by time, then value."""
        within = (readings.c.measured_at >= since) & (readings.c.measured_at < until)
        found = self._of_register(meter, register, within, limit)
        if limit is None or len(found) < limit or not found:
            return found
        # SQLite orders decimals as text: where the cut falls among values of one time, choose by number.
        last = found[-1].measured_at
        earlier = [reading for reading in found if reading.measured_at < last]
        return (earlier + self._of_register(meter, register, readings.c.measured_at == last))[:limit]

    def registers(self, meter: MeterId) -> Sequence[tuple[Register, str]]:
        """Give the registers a meter has readings for, each with its unit, by key."""
        return [(reading.register, reading.unit) for reading in self.latest(meter)]

    def latest(self, meter: MeterId) -> Sequence[Reading]:
        """Give the newest reading of each register of a meter, by register key."""
        number = self._names.meters.number(meter)
        if number is None:
            return []
        newest = newest_readings(self._connection, self._names, latest.c.meter == number)
        return sorted(newest, key=lambda reading: reading.register.key)

    def before(self, meter: MeterId, register: Register, moment: datetime) -> Reading | None:
        """Give the last reading before a moment (the opening index of a chart)."""
        earlier = readings.alias()
        last = (
            sa.select(sa.func.max(earlier.c.measured_at))
            .where(earlier.c.meter == self._names.meters.number(meter))
            .where(earlier.c.register == self._names.registers.number(register))
            .where(earlier.c.measured_at < moment)
            .scalar_subquery()
        )
        found = self._of_register(meter, register, readings.c.measured_at == last)
        return found[-1] if found else None

    def of_telegram(self, telegram: int) -> tuple[Sequence[Reading], Sequence[Detail]]:
        """Give what one telegram gave rise to, by register key."""
        found = self._read(lambda wanted: wanted.where(readings.c.telegram == telegram))
        said = self._connection.execute(sa.select(details).where(details.c.telegram == telegram)).all()
        return (
            sorted(found, key=lambda reading: (reading.register.key, reading.measured_at, reading.value)),
            sorted(_details_of(said, self._names), key=lambda detail: (detail.register.key, detail.text)),
        )

    def of_telegrams(
        self, telegrams: Collection[int]
    ) -> Mapping[int, tuple[Sequence[Reading], Sequence[Detail]]]:
        """Give what each of some telegrams gave rise to; nothing for those that gave nothing."""
        found: dict[int, tuple[list[Reading], list[Detail]]] = {}
        for chunk in in_chunks(telegrams):
            of_these = readings.c.telegram.in_(chunk)
            for reading in self._read(lambda wanted, these=of_these: wanted.where(these)):  # type: ignore[misc]  # bound now
                found.setdefault(reading.provenance.telegram or 0, ([], []))[0].append(reading)
            said = self._connection.execute(sa.select(details).where(details.c.telegram.in_(chunk)))
            for detail in _details_of(said, self._names):
                found.setdefault(detail.telegram or 0, ([], []))[1].append(detail)
        return found

    def known(self, asked: Sequence[Reading]) -> Sequence[bool]:
        """Say of each whether the same value of the register at that time is stored, from anywhere."""
        meter_of = self._names.meters.find(reading.meter for reading in asked)
        register_of = self._names.registers.find(reading.register for reading in asked)
        here = sa.select(readings.c.meter).where(*(readings.c[name] == sa.bindparam(name) for name in _KEY))
        return [
            reading.meter in meter_of
            and reading.register in register_of
            and self._connection.execute(here, _key_of(reading, meter_of, register_of)).first() is not None
            for reading in asked
        ]

    def remove(self, old: Sequence[Reading], said: Sequence[Detail] = ()) -> None:
        """Delete exactly these readings and details, as far as they are there."""
        named: Sequence[Reading | Detail] = (*old, *said)
        meter_of = self._names.meters.find(one.meter for one in named)
        register_of = self._names.registers.find(one.register for one in named)
        rows = [_key_of(one, meter_of, register_of) for one in old]
        forget_readings(self._connection, rows)
        texts = [
            {
                "meter": meter_of[one.meter],
                "register": register_of[one.register],
                "measured_at": one.measured_at,
                "text": one.text,
                "telegram": one.telegram,
            }
            for one in said
        ]
        forget_details(self._connection, texts)

    def _of_register(
        self, meter: MeterId, register: Register, within: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[Reading]:
        these = (
            (readings.c.meter == self._names.meters.number(meter))
            & (readings.c.register == self._names.registers.number(register))
            & within
        )
        found = self._read(lambda wanted: wanted.where(these).order_by(readings.c.measured_at).limit(limit))
        return in_order(found)

    def _read(self, which: Callable[[sa.Select[Any]], sa.Select[Any]]) -> list[Reading]:
        return read(self._connection, self._names, which)


def _key_of(reading: Reading, meter_of: Mapping[MeterId, int], register_of: Mapping[Register, int]) -> Row:
    return {
        "meter": meter_of[reading.meter],
        "register": register_of[reading.register],
        "measured_at": reading.measured_at,
        "value": reading.value,
    }


def write_readings(connection: sa.Connection, columns: Columns, moves: Moves) -> int:
    """Write readings, and where the newest are looked for; gives how many were new."""
    if not columns["meter"]:
        return 0
    said = [columns[name] for name in ("meter", "register", "measured_at", "telegram")]
    _set_signposts(connection, moves.of(*said))
    return insert_columns(connection, readings, columns)


def _set_signposts(connection: sa.Connection, heads: Heads) -> None:
    columns: Columns = dict(zip(("meter", "register", "measured_at"), heads, strict=True))
    execute_columns(connection, _newer(connection.dialect.name), columns)


@lru_cache
def _newer(dialect: str) -> UpdateBase:
    statement = insert(dialect, latest)
    return statement.on_conflict_do_update(
        index_elements=latest.primary_key,
        set_={"measured_at": statement.excluded.measured_at},
        where=latest.c.measured_at < statement.excluded.measured_at,
    )


def newest_readings(connection: sa.Connection, names: Names, which: sa.ColumnElement[bool]) -> list[Reading]:
    """Read the newest readings of some rows of ``latest``; of several values at one time the highest."""
    heads = newest_of(which)
    key = sa.tuple_(readings.c.meter, readings.c.register, readings.c.measured_at)
    found = read(connection, names, lambda wanted: wanted.where(key.in_(heads)))
    best = {(reading.meter, reading.register): reading for reading in sorted(found, key=_by_value)}
    return list(best.values())


def _details_of(rows: Iterable[sa.Row[Any]], names: Names) -> list[Detail]:
    """Make details of rows of the table, all its columns in order."""
    plain = [tuple(row) for row in rows]
    meters = names.meters.things({row[1] for row in plain})
    registers = names.registers.things({row[2] for row in plain})
    return [
        Detail(meters[meter], registers[register], text, measured_at, telegram)
        for _, meter, register, measured_at, text, telegram in plain
    ]


def _by_value(reading: Reading) -> Decimal:
    return reading.value
