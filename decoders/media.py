"""What a device type measures, in words (EN 13757-7 and OMS Vol. 2, device type table)."""

from __future__ import annotations

from collections.abc import Mapping

from metering.meter import MeterId

__all__ = ["MEDIA", "medium"]

MEDIA: Mapping[str, str] = {
    "00": "other",
    "01": "oil",
    "02": "electricity",
    "03": "gas",
    "04": "heat",
    "05": "steam",
    "06": "warm water",
    "07": "water",
    "08": "heat cost allocation",
    "09": "compressed air",
    "0a": "cooling load volume at outlet",
    "0b": "cooling load volume at inlet",
    "0c": "heat volume at inlet",
    "0d": "heat/cooling load",
    "0e": "bus/system component",
    "0f": "unknown",
    "14": "calorific value",
    "15": "hot water",
    "16": "cold water",
    "17": "hot/cold water",
    "18": "pressure",
    "19": "a/d converter",
    "1a": "smoke detector",
    "1b": "room sensor",
    "1c": "gas detector",
    "1f": "sensor",
    "20": "breaker",
    "21": "valve",
    "25": "customer unit",
    "28": "waste water",
    "29": "garbage",
    "2a": "carbon dioxide",
    "30": "system device",
    "31": "communication controller",
    "32": "unidirectional repeater",
    "33": "bidirectional repeater",
    "36": "radio converter (system side)",
    "37": "radio converter (meter side)",
    "38": "wired adapter",
}
"""Device type (two hexadecimal digits, lower case) to medium; missing codes up to 3f are reserved."""

_PRIVATE: Mapping[tuple[str, str], str] = {
    ("TCH", "43"): "heat",
    ("TCH", "62"): "warm water",
    ("TCH", "72"): "cold water",
    ("TCH", "80"): "heat cost allocator",
    ("TCH", "c3"): "heat",
    ("TCH", "f0"): "smoke detector",
}
"""Codes a manufacturer made up beyond the table."""


def medium(meter: MeterId) -> str:
    """Name what a meter measures: ``water``, ``cold water``, ``heat``, ...

    A code of the table that has no meaning yet is ``reserved``, a code beyond the table ``unknown``.
    """
    if private := _PRIVATE.get((meter.manufacturer, meter.device_type)):
        return private
    beyond = "unknown" if int(meter.device_type, 16) > 0x3F else "reserved"
    return MEDIA.get(meter.device_type, beyond)
