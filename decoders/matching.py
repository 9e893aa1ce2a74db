"""Which field of a model takes which record.

Only headers are looked at, never data: a meter repeats its layout for years, so the answer for one layout is
kept and used again. What the data say is :mod:`decoders.meaning`'s part.

A field by meaning takes the n-th record of its quantity, function, numbers and qualifiers; one with a range
of numbers takes every such record. A field by exact bytes takes the first record with these bytes. A status
text by meaning that finds nothing takes the first word of the same quantity, storage and tariff, whatever
its function, subunit and qualifiers, because a fault must not be lost over a detail.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from decoders.model import RECORD_ERROR, Field, Form, Join, Model, Where, numbered
from decoders.telegram import Record
from decoders.units import ratio
from decoders.wmbus.header import Description, describe
from decoders.wmbus.values import Scale
from decoders.wmbus.vib import meaning
from decoders.wmbus.vif_tables import TABLES
from metering.reading import Register

__all__ = ["Binding", "Plain", "bind", "plain"]


class Binding(NamedTuple):
    """One value to be told.

    Attributes:
        field: the field.
        name: its name with the record's numbers.
        record: place of its record among the records; ``None`` = it has none.
        number: the record's number a calculation takes; 0 if none.
    """

    field: Field
    name: str
    record: int | None
    number: int


class Plain(NamedTuple):
    """What the VIF alone says, before VIFEs turn the value into something else (a duration, a date).

    Attributes:
        unit: unit of the VIF's value.
        scale: raw number to value, corrections of VIFEs included.
        error: the VIFE says there is no valid value.
    """

    unit: str
    scale: Scale
    error: bool


@functools.lru_cache(maxsize=4096)
def plain(vib: bytes) -> Plain:
    """Say what the VIF of a VIB means alone."""
    said = meaning(vib)
    depth = 0
    while vib[: depth + 1] in TABLES:
        depth += 1
    alone = meaning(vib[:depth] + bytes((vib[depth] & 0x7F,))) if vib[depth] & 0x7F < 0x7C else said
    scale = said.scale if said.unit == alone.unit else alone.scale
    return Plain(alone.unit, scale, bool(said.error))


def bind(model: Model, records: Sequence[Record]) -> tuple[Binding, ...]:
    """Say for each field of a model which records it takes, in the order the values are told."""
    return _bind(model, tuple(record.dib + record.vib for record in records))


@functools.lru_cache(maxsize=1024)
def _bind(model: Model, headers: tuple[bytes, ...]) -> tuple[Binding, ...]:
    layout = [describe(header) for header in headers]
    return tuple(binding for field in model.fields for binding in _bindings(field, layout))


def _bindings(field: Field, layout: Sequence[Description]) -> Iterator[Binding]:
    places = _places(field, field.where, layout) if field.where else []
    for place in places:
        register = layout[place].register
        yield Binding(field, _named(field.name, register), place, _number(field, register))
    if not places and _told_without_record(field):
        yield Binding(field, field.name, None, 0)


def _told_without_record(field: Field) -> bool:
    joins_tpl = field.join in {Join.TPL, Join.TPL_IN_ORDER}
    return field.where is None or field.always or joins_tpl


def _places(field: Field, where: Where, layout: Sequence[Description]) -> list[int]:
    if where.header:
        return [place for place, said in enumerate(layout) if said.dib + said.vib == where.header][:1]
    found = [place for place, said in enumerate(layout) if _fits(field, where, said)]
    if where.is_range:
        return found
    if not found and field.join in {Join.TPL, Join.TPL_IN_ORDER}:
        found = [place for place, said in enumerate(layout) if _nearly(where, said.register)]
    return found[where.nth - 1 : where.nth]


def _fits(field: Field, where: Where, said: Description) -> bool:
    register = said.register
    if register.quantity != where.quantity or register.function is not where.function:
        return False
    if not (
        register.storage in where.storage
        and register.tariff in where.tariff
        and register.subunit in where.subunit
    ):
        return False
    alone = plain(said.vib)
    qualifiers = {*register.qualifiers, RECORD_ERROR} if alone.error else set(register.qualifiers)
    return qualifiers == where.qualifiers and _convertible(field, alone.unit)


def _convertible(field: Field, unit: str) -> bool:
    """Whether a number in this unit can be told in the field's; texts, dates and raw numbers always can."""
    return field.form is not Form.NUMBER or field.raw or ratio(unit, field.unit) is not None


def _nearly(where: Where, register: Register) -> bool:
    return (
        register.quantity == where.quantity
        and register.storage in where.storage
        and register.tariff in where.tariff
    )


def _numbers(register: Register) -> dict[str, int]:
    return {"storage": register.storage, "tariff": register.tariff, "subunit": register.subunit}


def _named(template: str, register: Register) -> str:
    return numbered(template, _numbers(register)) if "{" in template else template


def _number(field: Field, register: Register) -> int:
    return int(_named(f"{{{field.number}}}", register)) if field.number else 0
