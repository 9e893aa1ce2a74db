"""A meter list, understood, into the registry: what is new, what changes, what cannot be.

What a row does not say is left as it is. A meter that hangs elsewhere than before is moved: the old
installation ends where the new one begins. The same file again changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from decoders.media import medium
from metering.device import Device, Devices
from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from metering.ports import Registry
from service.imports.meters import MeterRow
from service.imports.table import Faults

__all__ = ["Summary", "register"]

_CHUNK = 500
"""Rows per question to the registry."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many rows were new, changed something, or said what was known."""

    new: int
    changed: int
    same: int


@dataclass
class _Changes:
    """What is to be written for some rows."""

    meters: list[Meter] = field(default_factory=list)
    points: list[ServicePoint] = field(default_factory=list)
    installations: list[Installation] = field(default_factory=list)
    pulses: list[PulseInput] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)

    def size(self) -> int:
        places = len(self.points) + len(self.installations)
        return len(self.meters) + places + len(self.pulses) + len(self.devices)

    def write(self, registry: Registry, devices: Devices) -> None:
        registry.put_meters(self.meters)
        registry.put_service_points(self.points)
        registry.put_installations(self.installations)
        registry.put_pulse_inputs(self.pulses)
        devices.put(self.devices)


def register(  # noqa: PLR0913  a registry, its devices, and what is said of them
    registry: Registry,
    devices: Devices,
    rows: Sequence[MeterRow],
    source: str,
    *,
    today: datetime,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Summary:
    """Write a meter list, inside a transaction of the caller's.

    Args:
        registry: of a writing transaction; the caller rolls back if this raises.
        devices: of the same.
        rows: from :func:`service.imports.meters.read_meters`.
        source: the file's name, for errors.
        today: when an installation without a date begins, UTC.
        progress: told the number of rows done, now and then.

    Raises:
        ImportRefused: rows contradict what the registry knows.
    """
    faults = Faults(source)
    new = changed = 0
    for chunk in _chunks(rows):
        known = _Known.of(chunk, registry, devices, today, faults)
        changes = _Changes()
        for row in chunk:
            before = changes.size()
            known.compare(row, changes)
            new += row.meter.id not in known.meters
            changed += row.meter.id in known.meters and changes.size() > before
        changes.write(registry, devices)
        progress(len(chunk))
    faults.refuse_if_any()
    return Summary(new, changed, len(rows) - new - changed)


def _chunks(rows: Sequence[MeterRow]) -> Iterator[Sequence[MeterRow]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


@dataclass(frozen=True)
class _Known:
    """What the registry knows about the meters, places and inputs of some rows."""

    meters: Mapping[MeterId, Meter]
    installations: Mapping[MeterId, Sequence[Installation]]
    points: Mapping[str, ServicePoint]
    inputs: Mapping[tuple[str, str], Sequence[PulseInput]]
    devices: Mapping[tuple[str, str], Sequence[Device]]
    today: datetime
    faults: Faults

    @classmethod
    def of(
        cls,
        rows: Sequence[MeterRow],
        registry: Registry,
        devices: Devices,
        today: datetime,
        faults: Faults,
    ) -> _Known:
        return cls(
            registry.meters([row.meter.id for row in rows]),
            registry.installations([row.meter.id for row in rows]),
            registry.service_points([row.point.id for row in rows if row.point]),
            registry.pulse_inputs([(row.pulse.gateway, row.pulse.channel) for row in rows if row.pulse]),
            devices.named([(row.device.gateway, row.device.name) for row in rows if row.device]),
            today,
            faults,
        )

    def compare(self, row: MeterRow, changes: _Changes) -> None:
        """Add what a row changes."""
        before = self.meters.get(row.meter.id)
        if (meter := _merged_meter(row.meter, before)) != before:
            changes.meters.append(meter)
        if row.point:
            place = self.points.get(row.point.id)
            if (point := _merged_point(row.point, place)) != place:
                changes.points.append(point)
            changes.installations += self._moves(row, row.point)
        if row.pulse:
            changes.pulses += self._pulse(row, row.pulse)
        if row.device:
            changes.devices += self._device(row, row.device)

    def _moves(self, row: MeterRow, point: ServicePoint) -> list[Installation]:
        hanging = [one for one in self.installations.get(row.meter.id, ()) if one.valid_to is None]
        since = row.since or self.today
        for one in hanging:
            here = one.service_point == point.id
            if here and row.since in {None, one.valid_from}:
                return []
            if here or one.valid_from >= since:
                said = f"hangs at {one.service_point} since {_minute(one.valid_from)} already"
                self.faults.add(row.number, "installed_from", said)
                return []
        ended = [dataclasses.replace(one, valid_to=since) for one in hanging]
        return [*ended, Installation(row.meter.id, point.id, since)]

    def _pulse(self, row: MeterRow, said: PulseInput) -> list[PulseInput]:
        counting = [one for one in self.inputs.get((said.gateway, said.channel), ()) if one.valid_to is None]
        for one in counting:
            dated = said if row.since else dataclasses.replace(said, valid_from=one.valid_from)
            if dated == one:
                return []
            if one.valid_from > said.valid_from:
                since = _minute(one.valid_from)
                sentence = (
                    f"input {one.channel} of {one.gateway} counts for {one.meter} since {since} already"
                )
                self.faults.add(row.number, "installed_from", sentence)
                return []
        ended = [
            dataclasses.replace(one, valid_to=said.valid_from)
            for one in counting
            if one.valid_from < said.valid_from
        ]
        return [*ended, said]

    def _device(self, row: MeterRow, said: Device) -> list[Device]:
        known = self.devices.get((said.gateway, said.name), ())
        standing = [one for one in known if one.gateway == said.gateway and one.valid_to is None]
        for one in standing:
            if one.meter == said.meter and row.since in {None, one.valid_from}:
                return []
            if one.valid_from > said.valid_from:
                sentence = f"device {one.name} is {one.meter} since {_minute(one.valid_from)} already"
                self.faults.add(row.number, "installed_from", sentence)
                return []
        ended = [
            dataclasses.replace(one, valid_to=said.valid_from)
            for one in standing
            if one.valid_from < said.valid_from
        ]
        return [*ended, said]


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _merged_meter(said: Meter, before: Meter | None) -> Meter:
    if before is None:
        return dataclasses.replace(said, medium=said.medium or medium(said.id))
    return Meter(
        said.id, said.medium or before.medium, said.label or before.label, said.model or before.model
    )


def _merged_point(said: ServicePoint, before: ServicePoint | None) -> ServicePoint:
    if before is None:
        return said
    return ServicePoint(
        said.id,
        said.address or before.address,
        said.district or before.district,
        said.route or before.route,
    )
