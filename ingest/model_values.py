"""Numbers only a meter model can tell: calculated from several records, or raw numbers it knows the unit of.

What a standard record says becomes a reading as it is; a model must not change it. What no record says by
itself is a reading too, its register named as the model's field is, unit suffix included (``total_kwh``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from decoders import Telegram
from decoders.matching import bind
from decoders.meaning import fields
from decoders.model import Field, Form, Model
from decoders.wmbus.profile import expand
from metering.reading import Register

__all__ = ["ModelValue", "model_values"]

_UNITS: Mapping[str, str] = {
    "m3": "m3",
    "m3h": "m3/h",
    "kg": "kg",
    "kwh": "kWh",
    "kvarh": "kvarh",
    "kvah": "kVAh",
    "kw": "kW",
    "kvar": "kvar",
    "kva": "kVA",
    "c": "°C",
    "v": "V",
    "a": "A",
    "hz": "Hz",
    "bar": "bar",
    "rh": "%",
    "pct": "%",
    "ppm": "ppm",
    "deg": "°",
    "s": "s",
    "h": "h",
    "d": "d",
    "y": "year",
}
"""Unit of a reading by the suffix of the field's name; counters, factors and the like have none."""


class ModelValue(NamedTuple):
    """A number only the model tells.

    Attributes:
        register: named as the field.
        value: exact.
        unit: as in :class:`metering.reading.Reading`.
        storage: storage number of the record it was read from, whose date it has; 0 = now.
    """

    register: Register
    value: Decimal
    unit: str
    storage: int


def model_values(telegram: Telegram, model: Model) -> Iterator[ModelValue]:
    """Give what only the model tells of a telegram."""
    own = _own(model)
    if not own.fields:
        return
    told = fields(telegram, own)
    records = expand(telegram.records)
    for binding in bind(own, records):
        value = told.get(binding.name)
        if _is_own(binding.field) and isinstance(value, Decimal):
            storage = 0 if binding.record is None else records[binding.record].storage
            yield ModelValue(Register(binding.name), value, _UNITS.get(binding.field.unit, ""), storage)


@functools.cache
def _own(model: Model) -> Model:
    """Give the model cut down to such fields and what they are calculated from."""
    own = [field for field in model.fields if _is_own(field)]
    operands = {name for field in own for name in field.of}
    return replace(
        model, fields=tuple(field for field in model.fields if field in own or field.name in operands)
    )


def _is_own(field: Field) -> bool:
    told = field.form is Form.NUMBER and not (field.hidden or field.deprecated)
    return told and bool(field.hook or field.raw or field.factor != 1)
