"""Meters, where they hang and pulse inputs, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from metering.errors import StoreError
from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from metering.ports import Clock, MeterOverview
from metering.store.sql.editions import Edition
from metering.store.sql.overview import Overviews
from metering.store.sql.registered import registered
from metering.store.sql.schema import installations, meters, pulse_inputs, service_points
from metering.store.sql.statements import Row, in_chunks, replace, select_among
from metering.store.sql.symbols import Names
from metering.store.sql.unclaimed import ask_claiming
from metering.store.sql.upkeep import ask_mending

__all__ = ["SqlRegistry"]


class SqlRegistry:
    """:class:`metering.ports.Registry` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names, clock: Clock, edition: Edition) -> None:
        self._connection = connection
        self._names = names
        self._edition = edition
        self._overviews = Overviews(connection, names, clock)

    def edition(self) -> int:
        """Give a number that changes with every change of registered meters or of their keys."""
        return self._edition.number

    def renew(self) -> None:
        """Make a new edition: something else was changed that every process looks at when it sees one."""
        self._edition.renew()

    def meters(self, ids: Collection[MeterId]) -> Mapping[MeterId, Meter]:
        """Give those of the ids that are registered."""
        return self._edition.meters.find(ids, self._look_up)

    def _look_up(self, ids: Collection[MeterId]) -> Mapping[MeterId, Meter]:
        return registered(self._connection, self._names, ids)

    def service_points(self, ids: Collection[str]) -> Mapping[str, ServicePoint]:
        """Give those of the service points that are registered."""
        found: dict[str, ServicePoint] = {}
        for chunk in in_chunks(ids):
            wanted = sa.select(service_points).where(service_points.c.id.in_(chunk))
            for row in self._connection.execute(wanted):
                found[row.id] = ServicePoint(row.id, row.address, row.district, row.route)
        return found

    def put_meters(self, new: Iterable[Meter]) -> None:
        """Register meters or replace what is said of them.

        Waiting telegrams of those that are new, or get another model, are to be tried again.
        """
        said = list(new)
        before = self.meters([meter.id for meter in said])
        numbers = self._names.meters.ensure(meter.id for meter in said)
        rows: list[Row] = [
            {
                "meter": numbers[meter.id],
                "medium": meter.medium,
                "label": meter.label,
                "model": meter.model,
                "search": f"{meter.id}\n{meter.label}".casefold(),
            }
            for meter in said
        ]
        replace(self._connection, meters, rows)
        self._edition.renew()
        ask_claiming(self._connection)
        ask_mending(self._connection, {numbers[meter.id] for meter in said if _other(before, meter)})

    def put_service_points(self, points: Iterable[ServicePoint]) -> None:
        """Register service points or replace what is said of them."""
        rows: list[Row] = [
            {
                "id": point.id,
                "address": point.address,
                "district": point.district,
                "route": point.route,
                "search": f"{point.id}\n{point.address}".casefold(),
            }
            for point in points
        ]
        replace(self._connection, service_points, rows)

    def put_installations(self, new: Iterable[Installation]) -> None:
        """Record where meters hang; the same installation twice is one, and may be given its end later.

        Raises:
            StoreError: a service point is not registered.
        """
        said = list(new)
        points = {installation.service_point for installation in said}
        if unknown := sorted(points - self.service_points(points).keys()):
            raise StoreError(f"service point {unknown[0]!r} is not registered; register it before its meters")
        numbers = self._names.meters.ensure(installation.meter for installation in said)
        rows: list[Row] = [
            {
                "meter": numbers[installation.meter],
                "service_point": installation.service_point,
                "valid_from": installation.valid_from,
                "valid_to": installation.valid_to,
            }
            for installation in said
        ]
        replace(self._connection, installations, rows)

    def put_pulse_inputs(self, inputs: Iterable[PulseInput]) -> None:
        """Record pulse inputs; the same gateway, channel and start replaces."""
        said = list(inputs)
        numbers = self._names.meters.ensure(one.meter for one in said)
        rows: list[Row] = [
            {
                "gateway": one.gateway,
                "channel": one.channel,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
                "meter": numbers[one.meter],
                "litres_per_pulse": one.litres_per_pulse,
                "start_count": one.start_count,
                "start_index_m3": one.start_index_m3,
            }
            for one in said
        ]
        replace(self._connection, pulse_inputs, rows)
        ask_claiming(self._connection)

    def pulse_inputs(
        self, channels: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Sequence[PulseInput]]:
        """Give the pulse inputs of ``(gateway, channel)`` pairs, by start."""
        pair = (pulse_inputs.c.gateway, pulse_inputs.c.channel)
        rows = select_among(self._connection, sa.select(pulse_inputs), pair, list(channels))
        ids = self._names.meters.things(row.meter for row in rows)
        found: dict[tuple[str, str], list[PulseInput]] = {}
        for row in sorted(rows, key=lambda row: row.valid_from):
            one = PulseInput(
                gateway=row.gateway,
                channel=row.channel,
                meter=ids[row.meter],
                litres_per_pulse=row.litres_per_pulse,
                start_count=row.start_count,
                start_index_m3=row.start_index_m3,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
            found.setdefault((row.gateway, row.channel), []).append(one)
        return found

    def installations(self, ids: Collection[MeterId]) -> Mapping[MeterId, Sequence[Installation]]:
        """Give where meters hang and hung, by start; nothing for those that never did."""
        id_of = {number: meter for meter, number in self._names.meters.find(ids).items()}
        found: dict[MeterId, list[Installation]] = {}
        for chunk in in_chunks(id_of):
            wanted = sa.select(installations).where(installations.c.meter.in_(chunk))
            for row in self._connection.execute(wanted.order_by(installations.c.valid_from)):
                meter = id_of[row.meter]
                hung = Installation(meter, row.service_point, row.valid_from, row.valid_to)
                found.setdefault(meter, []).append(hung)
        return found

    def overview(
        self, *, search: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[Sequence[MeterOverview], int]:
        """Give a page of meters, by identity, and the number found in all.

        ``search`` looks in identity, label, service point and address, case-insensitively, and its
        characters are taken literally.
        """
        return self._overviews.page(search, offset, limit)

    def details_of(self, meter: MeterId) -> tuple[MeterOverview, Sequence[Installation]] | None:
        """Give one meter with its installations, by start."""
        number = self._names.meters.number(meter)
        if number is None or not (found := self._overviews.of([number])):
            return None
        return found[0], self.installations([meter]).get(meter, [])


def _other(before: Mapping[MeterId, Meter], meter: Meter) -> bool:
    """Whether telegrams of this meter are judged otherwise than before."""
    return meter.id not in before or before[meter.id].model != meter.model
