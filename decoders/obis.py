"""The OBIS code of a record: what market and billing systems call a register (OMS Vol. 2, annex A).

::

    A-B:C.D.E*F     A medium, B channel, C quantity, D kind of value, E tariff, F 255 = now or not used

The mapping is data; a record that no row names has no code. Values of storage 2 and above have none either:
whether they are periodic or due-date values, and which past one, depends on the meter. Rows that public
sources do not agree upon are marked as not certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from decoders.telegram import Record
from metering.reading import Function

__all__ = ["Obis", "obis"]


class Obis(NamedTuple):
    """One code.

    Attributes:
        code: ``8-0:1.0.0*255``.
        certain: public sources agree on it.
    """

    code: str
    certain: bool = True


_Key = tuple[str, tuple[str, ...]]
"""Quantity and qualifiers."""

_MEDIA: Mapping[str, int] = {
    "02": 1,  # electricity
    "08": 4,  # heat cost allocator
    "0a": 5,  # cooling
    "0b": 5,
    "04": 6,  # heat
    "0c": 6,
    "0d": 6,  # heat and cooling: the heat side
    "03": 7,  # gas
    "16": 8,  # cold water
    "07": 8,
    "06": 9,  # warm and hot water
    "15": 9,
}
"""Device type -> A."""

_BY_TIME: Mapping[tuple[Function, int], int] = {
    (Function.INSTANTANEOUS, 0): 0,
    (Function.INSTANTANEOUS, 1): 2,
    (Function.MINIMUM, 0): 4,
    (Function.MAXIMUM, 0): 5,
}
"""Function and storage number -> D, for media 4, 5, 6, 8 and 9: now, due date, minimum, maximum."""

_WATER: Mapping[_Key, int] = {
    ("volume", ()): 1,
    ("volume_flow", ()): 2,
    ("flow_temperature", ()): 3,
    ("external_temperature", ()): 3,
}
_HEAT: Mapping[_Key, int] = {
    ("energy", ()): 1,
    ("volume", ()): 2,
    ("mass", ()): 3,
    ("power", ()): 8,
    ("volume_flow", ()): 9,
    ("flow_temperature", ()): 10,
    ("return_temperature", ()): 11,
    ("temperature_difference", ()): 12,
    ("pressure", ()): 13,
}
_ALLOCATOR: Mapping[_Key, int] = {("hca_units", ()): 1}
_C: Mapping[int, Mapping[_Key, int]] = {4: _ALLOCATOR, 5: _HEAT, 6: _HEAT, 8: _WATER, 9: _WATER}
"""A, then quantity -> C."""

_GAS: Mapping[_Key, str] = {
    ("volume", ("uncorrected",)): "3.0",
    ("volume", ()): "3.1",
    ("volume", ("at_base_conditions",)): "3.2",
    ("volume_flow", ()): "43.15",
}
_ELECTRICITY: Mapping[_Key, str] = {
    ("energy", ()): "1.8",
    ("energy", ("backward",)): "2.8",
    ("power", ()): "1.7",
    ("power", ("backward",)): "2.7",
    ("reactive_energy", ()): "3.8",
    ("reactive_energy", ("backward",)): "4.8",
    ("frequency", ()): "14.7",
    ("current", ("at_l1",)): "31.7",
    ("current", ("at_l2",)): "51.7",
    ("current", ("at_l3",)): "71.7",
    ("voltage", ("at_l1",)): "32.7",
    ("voltage", ("at_l2",)): "52.7",
    ("voltage", ("at_l3",)): "72.7",
}
_C_AND_D: Mapping[int, Mapping[_Key, str]] = {1: _ELECTRICITY, 7: _GAS}
"""A, then quantity -> C.D, where D says no time; values of now only."""

_OF_ANY_MEDIUM: Mapping[_Key, tuple[str, bool]] = {
    ("actuality_duration", ()): ("129-6:0.3.116*255", True),
    ("error_flags", ()): ("{a}-0:97.97.0*255", False),
    ("on_time", ()): ("{a}-0:96.8.0*255", False),
    ("operating_time", ()): ("{a}-0:96.8.0*255", False),
    ("datetime", ()): ("{a}-0:0.9.1*255", False),
    ("date", ()): ("{a}-0:0.9.2*255", False),
    ("fabrication_number", ()): ("{a}-0:96.1.0*255", False),
}
"""Values of now: the whole code, ``{a}`` being the medium, and whether it is certain."""

_DUE_DATE = "{a}-0:0.1.2*255"
_WATER_MEDIA = frozenset({8, 9})


def obis(record: Record, device_type: str) -> Obis | None:
    """Give the code of a record; ``None`` if the mapping has none.

    Args:
        record: as decoded.
        device_type: of the meter, two hexadecimal digits: the medium is not in the record.
    """
    medium = _MEDIA.get(device_type)
    if medium is None or record.subunit or record.occurrence:
        return None
    key = (record.quantity, record.qualifiers)
    if quantity := _C.get(medium, {}).get(key):
        kind = _BY_TIME.get((record.function, record.storage))
        return None if kind is None else Obis(f"{medium}-0:{quantity}.{kind}.{record.tariff}*255")
    if _is_now(record) and (both := _C_AND_D.get(medium, {}).get(key)):
        return Obis(f"{medium}-0:{both}.{record.tariff}*255")
    return None if record.tariff else _of_any_medium(record, medium, key)


def _of_any_medium(record: Record, medium: int, key: _Key) -> Obis | None:
    if medium in _WATER_MEDIA and _is_due_date(record):
        return Obis(_DUE_DATE.format(a=medium), certain=False)
    if not _is_now(record) or key not in _OF_ANY_MEDIUM:
        return None
    code, certain = _OF_ANY_MEDIUM[key]
    return Obis(code.format(a=medium), certain)


def _is_now(record: Record) -> bool:
    return record.function is Function.INSTANTANEOUS and record.storage == 0


def _is_due_date(record: Record) -> bool:
    return (
        record.quantity in {"date", "datetime"}
        and record.storage == 1
        and record.function is Function.INSTANTANEOUS
        and not record.qualifiers
    )
