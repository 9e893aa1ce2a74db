"""The meter list: one page of a hundred thousand meters."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from metering.meter import Meter, MeterId, ServicePoint
from metering.ports import Clock, MeterOverview
from metering.reading import Reading, Register
from metering.store.sql.readings import newest_readings
from metering.store.sql.schema import (
    identities,
    installations,
    latest,
    meters,
    service_points,
    telegrams,
)
from metering.store.sql.symbols import Names

__all__ = ["Overviews"]

_MAIN_INDEX = Register("volume")

_HELD = telegrams.c.state == sa.literal_column("'held'")
"""Literal, not bound: only so may SQLite use the index of held telegrams."""


class Overviews:
    """Rows of the meter list: first which meters, then what is said of those few."""

    def __init__(self, connection: sa.Connection, names: Names, clock: Clock) -> None:
        self._connection = connection
        self._names = names
        self._clock = clock

    def page(self, search: str, offset: int, limit: int) -> tuple[list[MeterOverview], int]:
        """Give a page of meters by identity, and the number found in all."""
        wanted = self._matching(search.strip().casefold())
        number = sa.select(sa.func.count()).select_from(meters).where(wanted)
        statement = (
            sa.select(meters.c.meter)
            .join(identities, identities.c.id == meters.c.meter)
            .where(wanted)
            .order_by(identities.c.name)
            .offset(offset)
            .limit(limit)
        )
        count: int = self._connection.execute(number).scalar_one()
        return self.of(self._connection.scalars(statement).all()), count

    def of(self, numbers: Sequence[int]) -> list[MeterOverview]:
        """Give the rows of these meters, as far as registered, in this order."""
        if not numbers:
            return []
        statement = (
            sa.select(meters, identities.c.last_heard)
            .join(identities, identities.c.id == meters.c.meter)
            .where(meters.c.meter.in_(numbers))
        )
        rows = {row.meter: row for row in self._connection.execute(statement)}
        ids = self._names.meters.things(rows)
        points, newest, held = self._points(numbers), self._newest(numbers), self._held(numbers)
        return [
            MeterOverview(
                meter=Meter(ids[number], rows[number].medium, rows[number].label, rows[number].model),
                service_point=points.get(number),
                last_reading=newest.get(ids[number]),
                last_heard=rows[number].last_heard,
                held=held.get(number, 0),
            )
            for number in numbers
            if number in rows
        ]

    def _matching(self, needle: str) -> sa.ColumnElement[bool]:
        if not needle:
            return sa.true()
        hanging = (
            sa.select(installations.c.meter)
            .join(service_points, service_points.c.id == installations.c.service_point)
            .where(self._today())
            .where(service_points.c.search.contains(needle, autoescape=True))
        )
        return meters.c.search.contains(needle, autoescape=True) | meters.c.meter.in_(hanging)

    def _today(self) -> sa.ColumnElement[bool]:
        now = self._clock.now()
        over = installations.c.valid_to.is_not(None) & (installations.c.valid_to <= now)
        return (installations.c.valid_from <= now) & ~over

    def _points(self, numbers: Sequence[int]) -> dict[int, ServicePoint]:
        statement = (
            sa.select(installations.c.meter, service_points)
            .join(service_points, service_points.c.id == installations.c.service_point)
            .where(installations.c.meter.in_(numbers))
            .where(self._today())
            .order_by(installations.c.valid_from)
        )
        return {
            row.meter: ServicePoint(row.id, row.address, row.district, row.route)
            for row in self._connection.execute(statement)
        }

    def _newest(self, numbers: Sequence[int]) -> dict[MeterId, Reading]:
        main = self._names.registers.number(_MAIN_INDEX)
        which = latest.c.meter.in_(numbers) & (latest.c.register == main)
        return {reading.meter: reading for reading in newest_readings(self._connection, self._names, which)}

    def _held(self, numbers: Sequence[int]) -> dict[int, int]:
        statement = (
            sa.select(telegrams.c.meter, sa.func.count().label("number"))
            .where(telegrams.c.meter.in_(numbers))
            .where(_HELD)
            .group_by(telegrams.c.meter)
        )
        return {row.meter: row.number for row in self._connection.execute(statement)}
