"""Who is read and who hears whom, in SQL, from daily counts: a few days of a city are read at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from metering.meter import MeterId
from metering.reading import Function, Quality, Register
from metering.store.sql.hearings import day_of
from metering.store.sql.schema import (
    gateways,
    hearings,
    identities,
    installations,
    latest,
    meters,
    origins,
    readings,
    registers,
    rhythms,
    service_points,
    telegrams,
)
from metering.store.sql.statements import replace
from metering.store.sql.symbols import Names, meter_of
from metering.upkeep import GatewayCoverage, Grouping, Lonely, Signal, Silent, Success

__all__ = ["SqlCoverage"]

_INDICES = frozenset({"volume", "energy", "mass", "hca_units", "reactive_energy", "apparent_energy"})
"""Quantities whose state is an index somebody bills by."""

_UNLEARNT_S = 86_400
"""A meter whose rhythm is not known yet is taken to send at least daily."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SqlCoverage:
    """:class:`metering.upkeep.Coverage` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def success(self, by: Grouping, since: datetime) -> Sequence[Success]:
        """Give how many registered meters have a valid reading since, by group."""
        newest = (
            sa.select(installations.c.service_point)
            .where(installations.c.meter == meters.c.meter)
            .order_by(installations.c.valid_from.desc())
            .limit(1)
            .correlate(meters)
            .scalar_subquery()
        )
        read = self._read(since)
        group = sa.func.coalesce(service_points.c[by.value], "")
        wanted = (
            sa.select(group, sa.func.count(), sa.func.count(read.c.meter))
            .select_from(meters)
            .outerjoin(service_points, service_points.c.id == newest)
            .outerjoin(read, read.c.meter == meters.c.meter)
            .group_by(group)
            .order_by(group)
        )
        return [Success(*row) for row in self._connection.execute(wanted)]

    def by_gateway(self, since: datetime) -> Sequence[GatewayCoverage]:
        """Give what each gateway contributes since the day of this time."""
        pairs, read = _pairs(since), self._read(since)
        alone = sa.func.sum(sa.case((pairs.c.gateways == 1, 1), else_=0))
        wanted = (
            sa.select(
                gateways.c.name,
                sa.func.count(),
                sa.func.count(read.c.meter),
                alone,
                sa.func.sum(pairs.c.rssi_sum),
                sa.func.sum(pairs.c.measured),
            )
            .select_from(pairs)
            .join(gateways, gateways.c.id == pairs.c.gateway)
            .outerjoin(read, read.c.meter == pairs.c.meter)
            .group_by(gateways.c.name)
            .order_by(gateways.c.name)
        )
        rows = self._connection.execute(wanted).all()
        return [GatewayCoverage(row[0], row[1], row[2], int(row[3]), _mean(row[4], row[5])) for row in rows]

    def lonely(self, since: datetime, *, gateway: str | None = None, limit: int = 50) -> Sequence[Lonely]:
        """Give registered meters only one gateway heard since the day of this time."""
        pairs = _pairs(since)
        wanted = (
            sa.select(identities.c.name, gateways.c.name, pairs.c.rssi_sum, pairs.c.measured)
            .select_from(pairs)
            .join(identities, identities.c.id == pairs.c.meter)
            .join(gateways, gateways.c.id == pairs.c.gateway)
            .where(pairs.c.gateways == 1)
            .order_by(identities.c.name)
            .limit(limit)
        )
        if gateway is not None:
            wanted = wanted.where(gateways.c.name == gateway)
        rows = self._connection.execute(wanted)
        return [Lonely(meter_of(row[0]), row[1], _mean(row[2], row[3])) for row in rows]

    def silent(self, now: datetime, patience: int, *, limit: int = 50) -> Sequence[Silent]:
        """Give registered meters not heard for ``patience`` intervals of theirs, longest silent first."""
        allowed = sa.func.coalesce(rhythms.c.interval_s, _UNLEARNT_S) * patience
        wanted = (
            sa.select(meters.c.meter, identities.c.last_heard, rhythms.c.interval_s)
            .select_from(meters)
            .join(identities, identities.c.id == meters.c.meter)
            .outerjoin(rhythms, rhythms.c.meter == meters.c.meter)
            .where(identities.c.last_heard.is_(None) | self._older(identities.c.last_heard, allowed, now))
            .order_by(identities.c.last_heard.asc().nulls_first(), identities.c.name)
            .limit(limit)
        )
        rows = self._connection.execute(wanted).all()
        ids = self._names.meters.things(row[0] for row in rows)
        return [Silent(ids[meter], heard, _interval(seconds)) for meter, heard, seconds in rows]

    def signal(self, meter: MeterId, since: datetime, until: datetime) -> Sequence[Signal]:
        """Give how a meter was heard, by day and gateway."""
        # each day by itself: the days of all meters lie together
        days = list(range(day_of(since), day_of(until) + 1))
        wanted = (
            sa.select(hearings, gateways.c.name)
            .join(gateways, gateways.c.id == hearings.c.gateway)
            .where(hearings.c.day.in_(days), hearings.c.meter == self._names.meters.number(meter))
            .order_by(hearings.c.day, gateways.c.name)
        )
        return [
            Signal(
                _EPOCH + timedelta(days=row.day),
                row.name,
                row.heard,
                _mean(row.rssi_sum, row.measured),
                row.rssi_min,
                row.rssi_max,
            )
            for row in self._connection.execute(wanted)
        ]

    def unlearnt(self, before: datetime, limit: int) -> Sequence[MeterId]:
        """Give registered meters whose rhythm was not learnt since a time."""
        wanted = (
            sa.select(meters.c.meter)
            .outerjoin(rhythms, rhythms.c.meter == meters.c.meter)
            .where(rhythms.c.meter.is_(None) | (rhythms.c.learnt_at < before))
            .limit(limit)
        )
        return list(self._names.meters.things(self._connection.scalars(wanted)).values())

    def heard_times(self, asked: Collection[MeterId], latest: int) -> Mapping[MeterId, Sequence[datetime]]:
        """Give when the newest telegrams of meters were heard, oldest first, at most ``latest`` each."""
        numbers = self._names.meters.find(asked)
        newest = (
            sa.select(telegrams.c.heard_at)
            .where(telegrams.c.meter == sa.bindparam("meter"))
            .order_by(telegrams.c.id.desc())
            .limit(latest)
        )
        return {
            meter: sorted(self._connection.scalars(newest, {"meter": number}))
            for meter, number in numbers.items()
        }

    def learn(self, learnt: Mapping[MeterId, timedelta | None], now: datetime) -> None:
        """Remember how often meters send; ``None`` = too little is known, not to be asked again soon."""
        numbers = self._names.meters.ensure(learnt)
        rows = [
            {
                "meter": numbers[meter],
                "interval_s": None if interval is None else round(interval.total_seconds()),
                "learnt_at": now,
            }
            for meter, interval in learnt.items()
        ]
        replace(self._connection, rhythms, rows)

    def _read(self, since: datetime) -> sa.Subquery:
        """Give the meters with a valid reading of an index since."""
        keys = self._connection.execute(sa.select(registers.c.id, registers.c.key)).all()
        indices = [number for number, key in keys if _is_index(Register.parse(key))]
        at = (readings.c.meter == latest.c.meter) & (readings.c.register == latest.c.register)
        valid = (
            sa.exists()
            .where(at, readings.c.measured_at >= since)
            .where(origins.c.id == readings.c.origin, origins.c.quality != Quality.METER_ERROR)
        )
        asked = sa.select(latest.c.meter).where(latest.c.register.in_(indices), valid)
        return asked.distinct().subquery()

    def _older(
        self, moment: sa.ColumnElement[datetime], seconds: sa.ColumnElement[int], now: datetime
    ) -> sa.ColumnElement[bool]:
        """Whether a time lies further back than so many seconds; times differ between the databases."""
        if self._connection.dialect.name == "postgresql":
            return moment + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds) < now
        micro = sa.type_coerce(moment, sa.BigInteger)
        return micro + seconds * 1_000_000 < sa.bindparam("now", now, type_=moment.type)


def _pairs(since: datetime) -> sa.Subquery:
    """Give registered meters and who hears them, with the number of gateways that hear the meter."""
    return (
        sa.select(
            hearings.c.meter,
            hearings.c.gateway,
            sa.func.sum(hearings.c.rssi_sum).label("rssi_sum"),
            sa.func.sum(hearings.c.measured).label("measured"),
            sa.func.count().over(partition_by=hearings.c.meter).label("gateways"),
        )
        .join(meters, meters.c.meter == hearings.c.meter)
        .where(hearings.c.day >= day_of(since))
        .group_by(hearings.c.meter, hearings.c.gateway)
        .subquery()
    )


def _is_index(register: Register) -> bool:
    return (
        register.quantity in _INDICES
        and register.function is Function.INSTANTANEOUS
        and register.storage == 0
    )


def _mean(total: Any, number: Any) -> int | None:
    return round(int(total) / int(number)) if number else None


def _interval(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
