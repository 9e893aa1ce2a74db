"""Requests of wmbusmeters' co-process form that ask for no telegram: ``{"_": "list_drivers"}``.

Answered where ``nurt decode --format wmbusmeters`` reads lines, so that a program that drives the one can
drive the other. Names and aliases are those of our models; types are the words such programs know.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from decoders.model import Model
from decoders.models import models

__all__ = ["answered"]

_TYPES: Mapping[str, str] = {
    "water": "WaterMeter",
    "heat and cooling": "HeatMeter",
    "heat cost allocators": "HeatCostAllocationMeter",
    "electricity": "ElectricityMeter",
    "gas": "GasMeter",
}
_SENSORS: Mapping[str, str] = {
    "smoke detector": "SmokeDetector",
    "room sensor": "TempHygroMeter",
    "pressure": "PressureSensor",
}
_OTHER = "UnknownMeter"
_UNKNOWN = {"error": "unknown command, expected 'decode' or 'list_drivers'"}


def answered(line: bytes) -> bytes | None:
    """Answer a request that is for no telegram, line end included; ``None`` if it is not one."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    command = said.get("_", "decode") if isinstance(said, dict) else "decode"
    if command == "decode" or "telegram" in said:
        return None
    told = {"drivers": list(map(_driver, models().values()))} if command == "list_drivers" else _UNKNOWN
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _driver(model: Model) -> Mapping[str, object]:
    medium = model.media[0] if model.media else ""
    kind = _TYPES.get(model.group) or _SENSORS.get(medium, _OTHER)
    return {"name": model.name, "type": kind, "aliases": list(model.aliases)}
