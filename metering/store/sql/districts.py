"""Districts in SQL: :class:`metering.districts.Districts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from metering.districts import DistrictHour, DistrictMeter, Member
from metering.reading import Register
from metering.store.sql.statements import replace
from metering.store.sql.symbols import Names
from metering.store.sql.tables_districts import district_hours, district_meters
from metering.store.sql.tables_registry import installations, service_points

__all__ = ["SqlDistricts"]

_HOUR = tuple(district_hours.c[name] for name in DistrictHour.__dataclass_fields__)


class SqlDistricts:
    """:class:`metering.districts.Districts` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def put_meters(self, meters: Sequence[DistrictMeter]) -> None:
        """Record meters at borders; the same district, meter, register and start replaces."""
        numbers = self._names.meters.ensure(one.meter for one in meters)
        rows = [
            {
                "district": one.district,
                "meter": numbers[one.meter],
                "register": one.register.key,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
                "sign": one.sign,
            }
            for one in meters
        ]
        replace(self._connection, district_meters, rows)

    def remove_meters(self, district: str) -> int:
        """Take all border meters of a district away, and its hours with them; gives how many meters."""
        self._connection.execute(sa.delete(district_hours).where(district_hours.c.district == district))
        these = district_meters.c.district == district
        return self._connection.execute(sa.delete(district_meters).where(these)).rowcount

    def meters(self) -> Mapping[str, Sequence[DistrictMeter]]:
        """Give the meters at the borders of every district that has some, by id and start."""
        order = (district_meters.c.district, district_meters.c.valid_from, district_meters.c.meter)
        rows = self._connection.execute(sa.select(district_meters).order_by(*order)).all()
        meters = self._names.meters.things({row.meter for row in rows})
        found = [
            DistrictMeter(
                row.district,
                meters[row.meter],
                row.sign,
                Register.parse(row.register),
                row.valid_from,
                row.valid_to,
            )
            for row in rows
        ]
        return {name: list(group) for name, group in groupby(found, lambda one: one.district)}

    def members(self, district: str) -> Sequence[Member]:
        """Give the meters that hang or hung at the service points of a district; those at borders not."""
        columns = (installations.c.meter, installations.c.valid_from, installations.c.valid_to)
        wanted = _hanging(sa.select(*columns), district).order_by(*columns[:2])
        rows = self._connection.execute(wanted).all()
        meters = self._names.meters.things({row.meter for row in rows})
        return [Member(meters[row.meter], row.valid_from, row.valid_to) for row in rows]

    def customers(self, district: str) -> int:
        """Count those meters."""
        counted = sa.select(sa.func.count(sa.distinct(installations.c.meter)))
        return self._connection.execute(_hanging(counted, district)).scalar() or 0

    def put_hours(self, hours: Sequence[DistrictHour]) -> None:
        """Keep hours; the same district and hour replaces."""
        replace(self._connection, district_hours, [asdict(one) for one in hours])

    def hours(self, district: str, since: datetime, until: datetime) -> Sequence[DistrictHour]:
        """Give the hours that begin in ``since <= hour < until``, by time."""
        these = (
            (district_hours.c.district == district)
            & (district_hours.c.hour >= since)
            & (district_hours.c.hour < until)
        )
        wanted = sa.select(*_HOUR).where(these).order_by(district_hours.c.hour)
        return [DistrictHour(*row) for row in self._connection.execute(wanted)]

    def newest(self, district: str) -> datetime | None:
        """Give the beginning of the newest hour kept."""
        wanted = sa.select(district_hours.c.hour).where(district_hours.c.district == district)
        return self._connection.execute(wanted.order_by(district_hours.c.hour.desc()).limit(1)).scalar()


def _hanging(wanted: sa.Select[Any], district: str) -> sa.Select[Any]:
    border = sa.select(district_meters.c.meter)
    return (
        wanted.select_from(installations)
        .join(service_points, service_points.c.id == installations.c.service_point)
        .where(service_points.c.district == district, installations.c.meter.not_in(border))
    )
