"""The decoded values of one batch: whose they are, and when they were true.

A device's values are of the meter its name is (an identity) or the registry maps it to, at the time the
values were heard. What the device dated in its own local time is taken in the utility's zone; a date that
cannot be (before 1980, ahead of the reception) refuses the whole item, for nobody could tell which of its
values are sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingest.books import Books
from ingest.local_dates import AHEAD, EARLIEST_YEAR, in_zone
from ingest.quality import quality_of
from ingest.registers import DECODER
from ingest.rules import Rules
from metering.device import Device
from metering.errors import InvalidValue
from metering.meter import Meter, MeterId
from metering.ports import Outcome, Transaction
from metering.reading import Provenance, Reading, Way
from metering.uplink import MeterValue, ValueUplink

__all__ = ["identity_of", "take_values"]


def take_values(
    uplinks: Mapping[int, ValueUplink], books: Books, transaction: Transaction, rules: Rules
) -> None:
    """Settle every item of values of a batch; ``uplinks`` by place."""
    if not uplinks:
        return
    identities = {place: identity_of(one.device) for place, one in uplinks.items()}
    meters = transaction.registry.meters({one for one in identities.values() if one is not None})
    devices = transaction.devices.named(
        {_name(one) for place, one in uplinks.items() if identities[place] is None}
    )
    for place, uplink in uplinks.items():
        known = devices.get(_name(uplink), ())
        _take(place, uplink, _meter(uplink, identities[place], meters, known), books, rules.zone)


def _name(uplink: ValueUplink) -> tuple[str, str]:
    return uplink.reception.gateway, uplink.device.lower()


def identity_of(device: str) -> MeterId | None:
    """Give the identity a device's name is, if it is one."""
    try:
        return MeterId.parse(device)
    except InvalidValue:
        return None


def _meter(
    uplink: ValueUplink,
    identity: MeterId | None,
    meters: Mapping[MeterId, Meter],
    devices: Sequence[Device],
) -> MeterId | None:
    if identity is not None:
        return identity if identity in meters else None
    at = uplink.reception.heard_at
    return next(
        (
            one.meter
            for one in devices
            if one.valid_from <= at and (one.valid_to is None or at < one.valid_to)
        ),
        None,
    )


def _take(place: int, uplink: ValueUplink, meter: MeterId | None, books: Books, zone: ZoneInfo) -> None:
    if meter is None:
        books.nobodys(place)
        return
    moments = [_moment(one, uplink, zone) for one in uplink.values]
    wrong = next((one for one, at in zip(uplink.values, moments, strict=True) if at is None), None)
    if wrong is not None:
        books.quarantine(
            place, "bad_time", f"{wrong.register.key} is dated {wrong.measured_at}: it cannot be"
        )
        return
    books.settle(place, Outcome.STORED)
    books.remember(place)
    books.keep(
        _reading(one, at, uplink, meter)
        for one, at in zip(uplink.values, moments, strict=True)
        if at is not None
    )


def _moment(value: MeterValue, uplink: ValueUplink, zone: ZoneInfo) -> datetime | None:
    """Give when a value was true, UTC; ``None`` if its date cannot be."""
    heard_at, said = uplink.reception.heard_at, value.measured_at
    if said is None:
        return heard_at
    if said.year < EARLIEST_YEAR:
        return None
    moment = in_zone(said, zone) if said.tzinfo is None else said.astimezone(UTC)
    return moment if moment is not None and moment <= heard_at + AHEAD else None


def _reading(value: MeterValue, at: datetime, uplink: ValueUplink, meter: MeterId) -> Reading:
    reception = uplink.reception
    return Reading(
        meter,
        value.register,
        value.value,
        value.unit,
        at,
        reception.received_at,
        Way.DECODED,
        quality_of(value.register.function, reception, dated=value.measured_at is not None),
        Provenance(None, reception.gateway, None, DECODER),
    )
