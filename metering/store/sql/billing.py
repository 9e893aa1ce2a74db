"""Billing reads and what they are taken from, in SQL; the questions stand in ``billing_questions``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from metering.billing import KeptRead, ReadState
from metering.consumption import IndexPoint
from metering.meter import Installation, MeterId, ServicePoint
from metering.reading import Quality, Register
from metering.store.sql.among import among
from metering.store.sql.billing_questions import Questions
from metering.store.sql.day_edges import edges_of_days
from metering.store.sql.schema import billing_reads, installations, origins, readings, service_points
from metering.store.sql.statements import Row, insert_once
from metering.store.sql.symbols import Names

__all__ = ["SqlBillingBook"]

_COLUMNS = tuple(billing_reads.c)[1:]
_NO_CARRY = Decimal(0)
_EARLY = sa.case((readings.c.received_at < readings.c.measured_at, readings.c.received_at))
"""When a reading arrived, if before its time: only then does it matter, and times cost more than numbers."""
_POINT = (readings.c.meter, readings.c.measured_at, readings.c.value, _EARLY)
_BELIEVED = sa.select(origins.c.id).where(
    origins.c.unit == "m3", origins.c.quality.in_([Quality.RAW.value, Quality.CLOCK_UNSURE.value])
)
"""Numbers of the origins of which readings count: cubic metres the meter itself does not call wrong."""


class SqlBillingBook(Questions):
    """:class:`metering.billing.BillingBook` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        super().__init__(connection)
        self._names = names

    def routes(self) -> Sequence[str]:
        """Give the reading routes of service points with meters, by name; empty for those without route."""
        wanted = sa.select(service_points.c.route).where(_with_meters()).distinct()
        return sorted(self._connection.execute(wanted).scalars())

    def service_points(
        self, *, route: str | None = None, after: str = "", limit: int = 500
    ) -> Sequence[ServicePoint]:
        """Give service points where a meter hangs or hung, by id, behind ``after``."""
        table = service_points
        wanted = sa.select(table.c.id, table.c.address, table.c.district, table.c.route).where(
            _on(route), _with_meters(), table.c.id > after
        )
        rows = self._connection.execute(wanted.order_by(table.c.id).limit(limit))
        return [ServicePoint(*row) for row in rows]

    def count_service_points(self, *, route: str | None = None) -> int:
        """Count them."""
        wanted = sa.select(sa.func.count()).select_from(service_points).where(_on(route), _with_meters())
        return int(self._connection.execute(wanted).scalar_one())

    def installed_at(self, service_points: Collection[str]) -> Mapping[str, Sequence[Installation]]:
        """Give which meters hang and hung at service points, by begin."""
        table = installations
        wanted = sa.select(table.c.meter, table.c.service_point, table.c.valid_from, table.c.valid_to)
        rows = [
            row
            for these in among(self._connection, table.c.service_point, service_points)
            for row in self._connection.execute(wanted.where(these))
        ]
        meters = self._names.meters.things(row[0] for row in rows)
        found: dict[str, list[Installation]] = {}
        for meter, point, begin, end in sorted(rows, key=lambda row: row[2]):
            found.setdefault(point, []).append(Installation(meters[meter], point, begin, end))
        return found

    def index_points(
        self,
        meters: Collection[MeterId],
        register: Register,
        since: datetime,
        until: datetime,
        *,
        days: Sequence[datetime] = (),
    ) -> Mapping[MeterId, Sequence[IndexPoint]]:
        """Give the readings of a register in m3 of many meters, ``since <= t <= until``, by time."""
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        number = self._names.registers.number(register)
        if days and number is not None:
            inner = [since, *(one for one in days if since < one <= until), until + timedelta(microseconds=1)]
            rows = edges_of_days(self._connection, _POINT, _BELIEVED, meter_of, number, inner)
        else:
            of = (readings.c.register == number) & readings.c.origin.in_(_BELIEVED)
            of &= (readings.c.measured_at >= since) & (readings.c.measured_at <= until)
            rows = self._all(meter_of, of)
        found: dict[int, list[IndexPoint]] = {one: [] for one in meter_of}
        for meter, at, value, arrived in rows:
            found[meter].append(IndexPoint(at, value, _NO_CARRY, arrived))
        return {meter_of[one]: points for one, points in found.items() if points}

    def _all(self, meters: Collection[int], of: sa.ColumnElement[bool]) -> Iterator[Any]:
        wanted = sa.select(*_POINT).order_by(readings.c.meter, readings.c.measured_at)
        for mine in among(self._connection, readings.c.meter, meters):
            yield from self._connection.execute(wanted.where(of, mine)).all()

    def add_reads(self, reads: Sequence[KeptRead]) -> set[str]:
        """Keep billing reads, each key once; gives the keys that were new."""
        keys = {one.key: one for one in reversed(reads)}
        for these in among(self._connection, billing_reads.c.key, list(keys)):
            # writers queue up, so nobody comes in between
            known = sa.select(billing_reads.c.key).where(these)
            for key in self._connection.execute(known).scalars().all():
                del keys[key]
        insert_once(self._connection, billing_reads, [_row(one) for one in keys.values()])
        return set(keys)

    def set_state(
        self, key: str, before: Collection[ReadState], after: ReadState, record: bytes | None = None
    ) -> bool:
        """Change what became of a read, with what a person decided in its record if one is given."""
        mine = (billing_reads.c.key == key) & billing_reads.c.state.in_([one.value for one in before])
        said = {"state": after.value} if record is None else {"state": after.value, "record": record}
        changed = sa.update(billing_reads).where(mine).values(said)
        return self._connection.execute(changed).rowcount == 1

    def read(self, key: str) -> KeptRead | None:
        """Give one billing read."""
        return next(iter(self._reads(billing_reads.c.key == key)), None)

    def reads_at(
        self, service_points: Collection[str], since: datetime, until: datetime
    ) -> Mapping[str, Sequence[KeptRead]]:
        """Give reads of service points whose period ends within ``since < end <= until``."""
        within = (billing_reads.c.ends > since) & (billing_reads.c.ends <= until)
        found: dict[str, list[KeptRead]] = {}
        for these in among(self._connection, billing_reads.c.service_point, service_points):
            for one in self._reads(these & within):
                found.setdefault(one.service_point, []).append(one)
        return {point: sorted(reads, key=_by_end) for point, reads in found.items()}

    def reads_ending(
        self, since: datetime, until: datetime, *, after: str = "", limit: int = 1000
    ) -> Sequence[KeptRead]:
        """Give reads whose period ends within ``since < end <= until``, by key, behind ``after``."""
        within = (billing_reads.c.ends > since) & (billing_reads.c.ends <= until)
        wanted = sa.select(*_COLUMNS).where(within, billing_reads.c.key > after)
        rows = self._connection.execute(wanted.order_by(billing_reads.c.key).limit(limit))
        return [_kept(row) for row in rows]

    def counts(self, since: datetime, until: datetime) -> Mapping[tuple[str, str, ReadState], int]:
        """Count newest revisions by route, period and state."""
        newer = billing_reads.alias("newer")
        same = (newer.c[name] == billing_reads.c[name] for name in ("service_point", "register", "period"))
        later = sa.select(newer.c.id).where(*same, newer.c.revision > billing_reads.c.revision)
        what = (service_points.c.route, billing_reads.c.period, billing_reads.c.state)
        wanted = (
            sa.select(*what, sa.func.count())
            .join(service_points, service_points.c.id == billing_reads.c.service_point)
            .where(billing_reads.c.ends > since, billing_reads.c.ends <= until, ~sa.exists(later))
            .group_by(*what)
        )
        rows = self._connection.execute(wanted)
        return {(route, period, ReadState(state)): int(count) for route, period, state, count in rows}

    def _reads(self, wanted: sa.ColumnElement[bool]) -> list[KeptRead]:
        return [_kept(row) for row in self._connection.execute(sa.select(*_COLUMNS).where(wanted))]


def _with_meters() -> sa.ColumnElement[bool]:
    hung = sa.select(installations.c.meter).where(installations.c.service_point == service_points.c.id)
    return sa.exists(hung)


def _on(route: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if route is None else service_points.c.route == route


def _row(read: KeptRead) -> Row:
    return {
        "key": read.key,
        "tenant": read.tenant,
        "service_point": read.service_point,
        "register": read.register,
        "period": read.period,
        "starts": read.starts,
        "ends": read.ends,
        "cause": read.cause,
        "revision": read.revision,
        "state": read.state.value,
        "contract": read.contract,
        "volume": read.volume_m3,
        "actual": read.actual,
        "record": read.record,
        "taken_at": read.taken_at,
        "by": read.by,
    }


def _kept(row: sa.Row[Any]) -> KeptRead:
    said = list(row)
    said[9] = ReadState(said[9])
    said[13] = bytes(said[13])
    return KeptRead(*said)


def _by_end(read: KeptRead) -> tuple[datetime, str, int]:
    return read.ends, read.register, read.revision
