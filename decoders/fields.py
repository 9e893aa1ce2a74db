"""Flat names with units for the records of a telegram whose meter has no model of its own.

The names people know (``total_m3``, ``target_date``) stand in a table; every other record gets a name made by
rule: ``[max_|min_]quantity[_qualifier...][_at_error][_tariff_n][_subunit_n][_storage_n][_k][_unit]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal

from decoders.telegram import Record, Telegram, Value
from decoders.wmbus.header import describe
from decoders.wmbus.vif import WIDE
from metering.reading import Function, exact

__all__ = ["field_name", "field_value", "fields"]

_NOW, _MAX, _MIN, _ERROR = Function.INSTANTANEOUS, Function.MAXIMUM, Function.MINIMUM, Function.ERROR

_KNOWN: Mapping[tuple[str, tuple[str, ...], Function, int], str] = {
    # quantity, qualifiers, function, storage: name before tariff, subunit and unit
    ("volume", (), _NOW, 0): "total",
    ("volume", (), _NOW, 1): "target",
    ("volume", ("forward",), _NOW, 0): "total_forward",
    ("volume", ("forward",), _NOW, 1): "target_forward",
    ("volume", ("backward",), _NOW, 0): "total_backward",
    ("volume", ("backward",), _NOW, 1): "target_backward",
    ("mass", (), _NOW, 0): "total",
    ("mass", (), _NOW, 1): "target",
    ("energy", (), _NOW, 0): "total_energy_consumption",
    ("energy", (), _NOW, 1): "target",
    ("energy", ("forward",), _NOW, 0): "total_energy_forward",
    ("energy", ("backward",), _NOW, 0): "total_energy_production",
    ("energy", ("backward",), _NOW, 1): "target_production",
    ("reactive_energy", (), _NOW, 0): "total_reactive_energy_consumption",
    ("reactive_energy", (), _NOW, 1): "target_reactive",
    ("reactive_energy", ("backward",), _NOW, 0): "total_reactive_energy_production",
    ("apparent_energy", (), _NOW, 0): "total_apparent_energy_consumption",
    ("apparent_energy", ("backward",), _NOW, 0): "total_apparent_energy_production",
    ("hca_units", (), _NOW, 0): "current_consumption_hca",
    ("hca_units", (), _NOW, 1): "consumption_at_set_date_hca",
    ("date", (), _NOW, 0): "meter_date",
    ("date", (), _NOW, 1): "target_date",
    ("date", ("future",), _NOW, 1): "next_target_date",
    ("date", (), _ERROR, 0): "error_date",
    ("datetime", (), _NOW, 0): "meter_datetime",
    ("datetime", (), _NOW, 1): "target_datetime",
    ("datetime", (), _ERROR, 0): "error_datetime",
}

_ONE = Decimal(1)

_SHORT: Mapping[str, str] = {
    "volume_flow": "flow",
    "fabrication_number": "fabrication_no",
    "enhanced_identification": "enhanced_id",
    "customer_location": "location",
    "hca_units": "consumption_hca",
}
"""Quantities shorter in field names than in the standard."""

_TOLD_BY_QUALIFIER = frozenset({"plain_text", "manufacturer_specific"})
"""Quantities left out of the name where a qualifier names the value better."""

_DISPLAY: Mapping[str, tuple[str, Decimal]] = {
    # unit of the record: (suffix, how many of the shown unit one of ours is)
    "m3": ("m3", _ONE),
    "m3/h": ("m3h", _ONE),
    "ft3": ("ft3", _ONE),
    "gal": ("gal", _ONE),
    "gal/h": ("galh", _ONE),
    "kg": ("kg", _ONE),
    "kg/h": ("kgh", _ONE),
    "Wh": ("kwh", Decimal("0.001")),
    "J": ("gj", Decimal("0.000000001")),
    "cal": ("mcal", Decimal("0.000001")),
    "W": ("kw", Decimal("0.001")),
    "J/h": ("mjh", Decimal("0.000001")),
    "var": ("kvar", Decimal("0.001")),
    "varh": ("kvarh", Decimal("0.001")),
    "VA": ("kva", Decimal("0.001")),
    "VAh": ("kvah", Decimal("0.001")),
    "°C": ("c", _ONE),
    "K": ("c", _ONE),
    "°F": ("f", _ONE),
    "bar": ("bar", _ONE),
    "V": ("v", _ONE),
    "A": ("a", _ONE),
    "Hz": ("hz", _ONE),
    "°": ("deg", _ONE),
    "%": ("pct", _ONE),
    "dBm": ("dbm", _ONE),
    "Bd": ("baud", _ONE),
    "s": ("s", _ONE),
    "month": ("month", _ONE),
    "year": ("y", _ONE),
}
"""Joules stay joules: a quotient by 3.6 has no exact decimal. Other units (plain text) get no suffix."""

_SUFFIX: Mapping[str, str] = {"relative_humidity": "rh"}
"""Quantities whose unit has a suffix of its own."""

_COARSE: Mapping[str, tuple[str, Decimal]] = {
    "on_time": ("h", Decimal(3600)),
    "operating_time": ("h", Decimal(3600)),
    "remaining_battery_life": ("d", Decimal(86400)),
}
"""Durations shown in hours or days where the meter counts whole ones, so that the quotient is exact."""


def fields(telegram: Telegram) -> dict[str, Value]:
    """Give every record of the telegram a unique, predictable name.

    Numbers are exact decimals in the unit of the name's suffix, dates ISO 8601 text in the meter's local
    time, bytes hex text; ``None`` = the meter says it has no valid value.
    """
    named: dict[str, Value] = {}
    for record in telegram.records:
        named[_unused(field_name(record), named)] = field_value(record)
    return named


def field_name(record: Record) -> str:
    """Return the name of one record, unit suffix included."""
    stem = _KNOWN.get((record.quantity, record.qualifiers, record.function, record.storage))
    places = [("tariff", record.tariff), ("subunit", record.subunit)]
    if stem is None:
        stem = _stem(record)
        places.append(("storage", record.storage))

    parts = [stem, *(f"{place}_{number}" for place, number in places if number)]
    if record.occurrence:
        parts.append(str(record.occurrence + 1))
    if suffix := _display(record)[0]:
        parts.append(suffix)
    return "_".join(parts)


def field_value(record: Record) -> Value:
    """Return the value of one record in the unit its name says."""
    value = record.value
    if isinstance(value, Decimal):
        _, factor, divisor = _display(record)
        return exact(WIDE.divide(WIDE.multiply(value, factor), divisor))
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex().upper() if isinstance(value, bytes) else value


def _stem(record: Record) -> str:
    """Name by rule: extreme, quantity, qualifiers."""
    quantity = _SHORT.get(record.quantity, record.quantity)
    if record.qualifiers and record.quantity in _TOLD_BY_QUALIFIER:
        quantity = ""
    before = {_MAX: "max", _MIN: "min"}.get(record.function, "")
    after = "at_error" if record.function is _ERROR else ""
    return "_".join(filter(None, (before, quantity, *record.qualifiers, after)))


def _display(record: Record) -> tuple[str, Decimal, Decimal]:
    """Return the suffix and what to multiply and divide the value by; the quotient is exact."""
    if isinstance(record.value, str):
        return "", _ONE, _ONE
    if _counts_coarsely(record):
        suffix, divisor = _COARSE[record.quantity]
        return suffix, _ONE, divisor
    suffix, factor = _DISPLAY.get(record.unit, ("", _ONE))
    return _SUFFIX.get(record.quantity, suffix), factor, _ONE


def _counts_coarsely(record: Record) -> bool:
    """Whether the VIF counts whole hours (days) of a duration people know in hours (days)."""
    if record.unit != "s" or record.quantity not in _COARSE:
        return False
    scale = describe(record.dib + record.vib).scale
    return not (scale.addend or scale.factor % _COARSE[record.quantity][1])


def _unused(name: str, taken: Mapping[str, Value]) -> str:
    """Return the name, numbered if two different registers would share it."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free
