"""JSON of wmbusmeters: a telegram already decoded, every number with its unit in its name.

::

    {"_":"telegram","media":"cold water","meter":"...","name":"...","id":"76348799","total_m3":6.408,
     "target_m3":6.2,"target_date":"2026-01-01","timestamp":"2026-01-02T03:04:05Z","rssi_dbm":-77}

Taken are the fields below and no others: names of the rest differ from driver to driver and from release to
release. ``id`` names the device; the identity's other three parts are not there, so the registry maps it.
``timestamp`` is when the telegram was received, in UTC by the host's clock; without the ``Z`` it is not used.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ingest.adapters.card import Card, without_options
from ingest.adapters.objects import Fields, number, read_objects, shown
from ingest.adapters.times import dated, rfc3339
from ingest.items import Delivery, Item
from metering.reading import Function, Register
from metering.uplink import BadUplink, ClockSource, MeterValue, Reception, ValueUplink

__all__ = ["CARD", "is_meter", "read", "values"]


class _Field(NamedTuple):
    register: Register
    unit: str
    factor: Decimal = Decimal(1)
    dates: tuple[str, ...] = ()


_DUE = ("target_datetime", "target_date")

_FIELDS: Mapping[str, _Field] = {
    "total_m3": _Field(Register("volume"), "m3"),
    "total_backward_m3": _Field(Register("volume", qualifiers=("backward",)), "m3"),
    "target_m3": _Field(Register("volume", storage=1), "m3", dates=_DUE),
    "volume_flow_m3h": _Field(Register("volume_flow"), "m3/h"),
    "max_flow_m3h": _Field(Register("volume_flow", Function.MAXIMUM), "m3/h"),
    "min_flow_m3h": _Field(Register("volume_flow", Function.MINIMUM), "m3/h"),
    "total_energy_consumption_kwh": _Field(Register("energy"), "Wh", Decimal(1000)),
    "flow_temperature_c": _Field(Register("flow_temperature"), "°C"),
    "external_temperature_c": _Field(Register("external_temperature"), "°C"),
}
"""Field -> register, unit of the store, factor to it, and the fields that may date it."""

_ID = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?", re.ASCII)
_MARKS = ("media", "meter", "id", "timestamp")


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of decoded telegrams."""
    return read_objects(delivery, name, values)


def is_meter(fields: Fields) -> bool:
    """Whether an object looks like a telegram of wmbusmeters; old releases write no ``_``."""
    return fields.get("_") == "telegram" or all(mark in fields for mark in _MARKS)


def values(fields: Fields, reception: Reception) -> Sequence[ValueUplink]:
    """Read one decoded telegram.

    Raises:
        BadUplink: ``decoder_error``, ``bad_field``, ``bad_number``, ``no_value``.
    """
    if fields.get("error"):
        raise BadUplink("decoder_error", f"wmbusmeters says: {shown(fields['error'])}")
    device = fields.get("id")
    if not isinstance(device, str) or not _ID.fullmatch(device):
        raise BadUplink("bad_field", f"id is {shown(device)}: expected eight digits")
    found = [_value(name, fields) for name in _FIELDS if fields.get(name) is not None]
    kept = tuple(value for value in found if value is not None)
    if not kept:
        raise BadUplink("no_value", f"none of the fields taken is there: {', '.join(_FIELDS)}")
    return [ValueUplink(_heard(fields, reception), device.upper(), kept)]


def _value(name: str, fields: Fields) -> MeterValue | None:
    """Read a field; a value of an earlier day whose day is not said has no time, and is left out."""
    known = _FIELDS[name]
    moment = next((said for key in known.dates if (said := _local(fields.get(key)))), None)
    if known.dates and moment is None:
        return None
    return MeterValue(known.register, number(fields[name], name) * known.factor, known.unit, moment)


def _local(value: object) -> datetime | None:
    """Read a date or a time by the meter's own clock."""
    if not isinstance(value, str) or not _LOCAL.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _heard(fields: Fields, reception: Reception) -> Reception:
    said, rssi = fields.get("timestamp"), fields.get("rssi_dbm")
    moment = rfc3339(said) if isinstance(said, str) else None
    strength = rssi if isinstance(rssi, int) and -200 <= rssi < 0 else None
    return dataclasses.replace(dated(reception, moment, ClockSource.RTC), rssi_dbm=strength)


CARD = Card(
    name="wmbusmeters",
    says="JSON of wmbusmeters: telegrams already decoded there; the registry maps the id to a meter.",
    topics=("wmbusmeters/+",),
    example=(
        "wmbusmeters/garden",
        (
            '{"_": "telegram", "media": "cold water", "meter": "kamwater", "id": "12345678", '
            '"total_m3": 7.71, "target_m3": 7.5, "target_date": "2026-01-01", "status": "OK", '
            '"timestamp": "2026-01-02T03:04:05Z", "rssi_dbm": -77}'
        ),
    ),
    make=without_options(read),
)
