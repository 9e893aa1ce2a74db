"""Rows of readings -> readings, thousands at a time: a year of hours is one page.

The driver's own values are converted here column by column; SQLAlchemy would ask the column types value by
value, which takes as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from metering.quick_readings import quick_provenance, quick_reading
from metering.reading import Reading, exact, utc
from metering.resting import collector_rests
from metering.store.sql.schema import readings
from metering.store.sql.symbols import Names

__all__ = ["in_order", "read"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RAW = {
    "sqlite": [
        readings.c.meter,
        readings.c.register,
        sa.type_coerce(readings.c.measured_at, sa.BigInteger()),
        sa.type_coerce(readings.c.value, sa.Text()),
        sa.type_coerce(readings.c.received_at, sa.BigInteger()),
        readings.c.telegram,
        readings.c.origin,
    ],
    "postgresql": [
        readings.c.meter,
        readings.c.register,
        sa.type_coerce(readings.c.measured_at, sa.TIMESTAMP(timezone=True)),
        sa.type_coerce(readings.c.value, sa.Numeric()),
        sa.type_coerce(readings.c.received_at, sa.TIMESTAMP(timezone=True)),
        readings.c.telegram,
        readings.c.origin,
    ],
}
"""The columns, with values as the driver gives them."""


def read(
    connection: sa.Connection, names: Names, which: Callable[[sa.Select[Any]], sa.Select[Any]]
) -> list[Reading]:
    """Read readings; ``which`` completes the SELECT that is given to it."""
    with collector_rests():
        rows = connection.execute(which(sa.select(*_RAW[connection.dialect.name]))).all()
        return _made(rows, names, connection.dialect.name) if rows else []


def _made(rows: Sequence[sa.Row[Any]], names: Names, dialect: str) -> list[Reading]:
    moments, numbers = (_moments, _decimals) if dialect == "sqlite" else (_in_utc, _canonical)
    meters, registers, measured, values, received, telegrams, origins = zip(*rows, strict=True)
    meter_of, register_of = names.meters.things(meters), names.registers.things(registers)
    origin_of = names.origins.things(origins)
    source_of = {number: (one.gateway, one.model or None, one.decoder) for number, one in origin_of.items()}
    said_of = {number: (one.unit, one.way, one.quality) for number, one in origin_of.items()}
    made = []
    for meter, register, value, at, came, telegram, origin in zip(
        meters,
        registers,
        numbers(values),
        moments(measured),
        moments(received),
        telegrams,
        origins,
        strict=True,
    ):
        unit, way, quality = said_of[origin]
        source = quick_provenance(telegram, *source_of[origin])
        made.append(
            quick_reading(meter_of[meter], register_of[register], value, unit, at, came, way, quality, source)
        )
    return made


def in_order(found: list[Reading]) -> list[Reading]:
    """Put readings that come by time in order by time, then value."""
    times = [one.measured_at for one in found]
    if all(map(datetime.__lt__, times, times[1:])):
        return found
    return sorted(found, key=lambda one: (one.measured_at, one.value))


def _moments(microseconds: Iterable[int]) -> list[datetime]:
    return [_EPOCH + timedelta(0, 0, one) for one in microseconds]


def _decimals(texts: Iterable[str]) -> list[Decimal]:
    return list(map(Decimal, texts))


def _in_utc(moments: Iterable[datetime]) -> list[datetime]:
    return list(map(utc, moments))


def _canonical(numbers: Sequence[Decimal]) -> list[Decimal]:
    return list(map(exact, numbers))
