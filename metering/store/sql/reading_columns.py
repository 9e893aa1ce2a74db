"""Rows of readings -> columns of numbers, without an object a reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from metering.columns import Digest, RegisterColumns
from metering.meter import MeterId
from metering.reading import Register
from metering.store.sql.schema import latest, readings
from metering.store.sql.statements import in_chunks
from metering.store.sql.symbols import Names

__all__ = ["SqlColumns"]


def _seconds(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger)


_RAW: dict[str, list[sa.ColumnElement[Any]]] = {
    "sqlite": [
        sa.type_coerce(readings.c.measured_at, sa.BigInteger()),
        sa.type_coerce(readings.c.value, sa.Text()),
        sa.type_coerce(readings.c.received_at, sa.BigInteger()),
        sa.func.coalesce(readings.c.telegram, -1),
        readings.c.origin,
    ],
    "postgresql": [
        _seconds(readings.c.measured_at),
        sa.cast(sa.type_coerce(readings.c.value, sa.Numeric()), sa.Double()),
        _seconds(readings.c.received_at),
        sa.func.coalesce(readings.c.telegram, -1),
        readings.c.origin,
    ],
}
"""Times in microseconds, values as the driver gives them quickest."""

_SUMMED: dict[str, list[sa.ColumnElement[Any]]] = {
    dialect: [
        sa.func.count(),
        sa.func.max(readings.c.measured_at),
        sa.func.max(readings.c.received_at),
        sa.func.sum(value),
    ]
    for dialect, value in (
        ("sqlite", sa.cast(sa.type_coerce(readings.c.value, sa.Text()), sa.Double())),
        ("postgresql", sa.type_coerce(readings.c.value, sa.Numeric())),
    )
}


def _digest(rows: Sequence[Any]) -> Digest:
    text = ";".join(" ".join(map(str, row[1:])) for row in rows)
    return Digest(sum(row[2] for row in rows), max(row[3] for row in rows), max(row[4] for row in rows), text)


class SqlColumns:
    """:class:`metering.columns.Columns` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        self._numbers: dict[Register, int | None] = {}

    def of(
        self, meter: MeterId, register: Register, unit: str, since: datetime, until: datetime
    ) -> RegisterColumns:
        """Give the values with ``since <= measured_at < until`` that have this unit."""
        if register not in self._numbers:
            self._numbers[register] = self._names.registers.number(register)
        these = (
            (readings.c.meter == self._names.meters.number(meter))
            & (readings.c.register == self._numbers[register])
            & (readings.c.measured_at >= since)
            & (readings.c.measured_at < until)
        )
        wanted = sa.select(*_RAW[self._connection.dialect.name]).where(these).order_by(readings.c.measured_at)
        with self._connection.execute(wanted) as found:
            rows = found.cursor.fetchall()  # without SQLAlchemy's object a row
        return self._columns(rows, unit)

    def digests(
        self, meters: Collection[MeterId], registers: Collection[Register], since: datetime, until: datetime
    ) -> Mapping[MeterId, Digest]:
        """Sum up registers of each of some meters without reading them; nothing for those without values."""
        numbers = {number: meter for meter, number in self._names.meters.find(meters).items()}
        wanted = list(self._names.registers.find(registers).values())
        rows: list[Any] = []
        for chunk in in_chunks(numbers):
            these = (
                readings.c.meter.in_(chunk)
                & readings.c.register.in_(wanted)
                & (readings.c.measured_at >= since)
                & (readings.c.measured_at < until)
            )
            group = (readings.c.meter, readings.c.register)
            summed = sa.select(*group, *_SUMMED[self._connection.dialect.name]).where(these).group_by(*group)
            rows += self._connection.execute(summed.order_by(*group))
        return {numbers[meter]: _digest(list(group)) for meter, group in groupby(rows, lambda row: row[0])}

    def registers(self, meters: Collection[MeterId]) -> Mapping[MeterId, set[Register]]:
        """Give the registers each of some meters has values of; nothing for those that have none."""
        numbers = {number: meter for meter, number in self._names.meters.find(meters).items()}
        pairs: list[tuple[int, int]] = []
        for chunk in in_chunks(numbers):
            wanted = sa.select(latest.c.meter, latest.c.register).where(latest.c.meter.in_(chunk))
            pairs += [(row.meter, row.register) for row in self._connection.execute(wanted)]
        named = self._names.registers.things({register for _, register in pairs})
        found: dict[MeterId, set[Register]] = {}
        for meter, register in pairs:
            found.setdefault(numbers[meter], set()).add(named[register])
        return found

    def _columns(self, rows: Sequence[Any], unit: str) -> RegisterColumns:
        at, value, arrived, telegram, origin = zip(*rows, strict=True) if rows else ((),) * 5
        micro, number = np.array(at, np.int64), np.array(list(map(float, value)), np.float64)
        kinds, kind = np.unique(np.array(origin, np.int64), return_inverse=True)
        origins = self._names.origins.things(kinds.tolist())
        known = [origins[one] for one in kinds.tolist()]
        order = np.lexsort((number, micro))
        kept = order[np.array([one.unit == unit for one in known], np.bool_)[kind[order]]] if rows else order
        return RegisterColumns(
            micro[kept] // 1_000_000,
            number[kept],
            np.array(arrived, np.int64)[kept],
            np.array(telegram, np.int64)[kept],
            kind[kept],
            tuple(one.gateway for one in known),
        )
