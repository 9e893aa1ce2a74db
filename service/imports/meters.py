"""The meter list of a utility: what is there, where it hangs, what a pulse is worth.

=====================================  ======================================================================
columns                                what they say
=====================================  ======================================================================
``meter_id``                           ``KAM-76348799-1b-16``; or the four columns ``manufacturer``,
                                       ``serial``, ``version``, ``device_type``
``label`` ``medium`` ``model``         name for people; medium if not the device type's; meter model, if it
                                       is not to be found by the identity (`nurt models` lists them)
``service_point`` ``address``          where it hangs
``district`` ``route``                 metered area, reading route of that place
``installed_from``                     date (local midnight) or RFC 3339 time; today if empty
``gateway`` ``channel``                pulse input that counts for the meter
``device``                             name of a device whose decoded values are the meter's (a DevEUI, a
                                       serial number); behind ``gateway``, or behind any if that is empty
``litres_per_pulse`` ``start_count``   pulse weight; counter state and index on the dial (m3) at
``start_index_m3``                     ``installed_from``
=====================================  ======================================================================

Only the identity is needed. Empty cells say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from decoders.media import MEDIA
from decoders.models import by_name
from metering.device import ANY_GATEWAY, Device
from metering.meter import Meter, MeterId, PulseInput, ServicePoint
from service.imports.cells import IDENTITY_COLUMNS, count, exact_number, identity, name, text, when
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "MeterRow", "read_meters"]

_PLACE = ("address", "district", "route")
_PULSE = ("gateway", "channel", "litres_per_pulse", "start_count", "start_index_m3")

_LONGEST_DEVICE = 64

COLUMNS = (
    *IDENTITY_COLUMNS,
    "label",
    "medium",
    "model",
    "service_point",
    *_PLACE,
    "installed_from",
    "device",
    *_PULSE,
)


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One row, understood.

    Attributes:
        number: row number.
        meter: the meter; ``medium`` is empty if the row does not say.
        point: where it hangs, if said.
        since: since when, if said, UTC.
        pulse: its pulse input, if any; ``valid_from`` is ``since`` or the day of import.
        device: the device whose values are the meter's, if any; ``valid_from`` likewise.
    """

    number: int
    meter: Meter
    point: ServicePoint | None
    since: datetime | None
    pulse: PulseInput | None
    device: Device | None


def read_meters(raw: bytes, source: str, *, zone: ZoneInfo, today: datetime) -> list[MeterRow]:
    """Understand a meter list.

    Args:
        raw: the file.
        source: its name, for errors.
        zone: the utility's time zone, for dates.
        today: when what has no date begins, UTC.

    Raises:
        ImportRefused: with every fault of the file.
    """
    faults = Faults(source)
    reader = _Reader(zone, today, faults)
    needed = (IDENTITY_COLUMNS[:1], IDENTITY_COLUMNS[1:])
    understood = [reader.row(row) for row in read_table(raw, COLUMNS, faults, needed=needed)]
    rows = [row for row in understood if row is not None]
    _unique(rows, lambda row: row.meter.id, "meter_id", "the same meter is in row {}", faults)
    _unique(rows, _input, "channel", "the same pulse input is in row {}", faults)
    _unique(rows, _device_name, "device", "the same device is in row {}", faults)
    _agreeing_points(rows, faults)
    faults.refuse_if_any()
    return rows


@dataclass(frozen=True)
class _Reader:
    zone: ZoneInfo
    today: datetime
    faults: Faults

    def row(self, row: Row) -> MeterRow | None:
        meter = identity(row, self.faults)
        since = when(row, "installed_from", self.zone, self.faults)
        point = self._point(row)
        medium_, model, label = self._medium(row), self._model(row), text(row, "label", self.faults)
        pulse = self._pulse(row, meter, since or self.today)
        device = self._device(row, meter, since or self.today)
        if meter is None:
            return None
        return MeterRow(row.number, Meter(meter, medium_, label, model), point, since, pulse, device)

    def _medium(self, row: Row) -> str:
        said = row["medium"].lower()
        if said and said not in MEDIA.values():
            known = ", ".join(sorted(set(MEDIA.values())))
            self.faults.add(row.number, "medium", f"{said[:40]!r} is not one of {known}")
        return said

    def _model(self, row: Row) -> str | None:
        """Give the model by its name here, whatever name it was told by."""
        said = row["model"]
        if not said:
            return None
        if (found := by_name(said)) is None:
            sentence = f"{said[:40]!r} is no meter model of this release; `nurt models` lists them"
            self.faults.add(row.number, "model", sentence)
        return found.name if found else None

    def _point(self, row: Row) -> ServicePoint | None:
        if row["service_point"]:
            address, district, route = (text(row, column, self.faults) for column in _PLACE)
            return ServicePoint(text(row, "service_point", self.faults), address, district, route)
        for column in (*_PLACE, "installed_from"):
            if row[column] and not (column == "installed_from" and (row["gateway"] or row["device"])):
                self.faults.add(row.number, column, "given, but service_point is empty")
        return None

    def _device(self, row: Row, meter: MeterId | None, since: datetime) -> Device | None:
        if not row["device"]:
            return None
        gateway = name(row, "gateway", self.faults) if row["gateway"] else ANY_GATEWAY
        said = text(row, "device", self.faults)
        if len(said) > _LONGEST_DEVICE:
            self.faults.add(
                row.number, "device", f"{len(said)} characters; names have at most {_LONGEST_DEVICE}"
            )
        return Device(gateway, said, meter, since) if meter else None

    def _pulse(self, row: Row, meter: MeterId | None, since: datetime) -> PulseInput | None:
        if not any(row[column] for column in _PULSE[1:]) and (row["device"] or not row["gateway"]):
            return None
        gateway, channel = name(row, "gateway", self.faults), name(row, "channel", self.faults)
        weight = exact_number(row, "litres_per_pulse", self.faults)
        start_count = count(row, "start_count", self.faults)
        start_index = exact_number(row, "start_index_m3", self.faults)
        if weight is not None and not weight:
            self.faults.add(row.number, "litres_per_pulse", "a pulse must be worth something")
        if meter is None or not weight or start_count is None or start_index is None:
            return None
        return PulseInput(gateway, channel, meter, weight, start_count, start_index, since)


def _device_name(row: MeterRow) -> tuple[str, str] | None:
    return (row.device.gateway, row.device.name) if row.device else None


def _input(row: MeterRow) -> tuple[str, str] | None:
    return (row.pulse.gateway, row.pulse.channel) if row.pulse else None


def _unique(
    rows: Sequence[MeterRow],
    key: Callable[[MeterRow], Hashable],
    column: str,
    sentence: str,
    faults: Faults,
) -> None:
    first: dict[Hashable, int] = {}
    for row in rows:
        earlier = first.setdefault(key(row), row.number)
        if earlier != row.number and key(row) is not None:
            faults.add(row.number, column, sentence.format(earlier))


def _agreeing_points(rows: Sequence[MeterRow], faults: Faults) -> None:
    """Several meters may hang at one place, but the place has one address."""
    first: dict[str, tuple[int, ServicePoint]] = {}
    for row in rows:
        if row.point:
            earlier, point = first.setdefault(row.point.id, (row.number, row.point))
            if point != row.point:
                faults.add(
                    row.number, "service_point", f"address, district or route differ from row {earlier}"
                )
