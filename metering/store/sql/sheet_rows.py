"""Sheets -> rows of readings, as each driver takes them.

Thousands of rows are made inside a transaction others wait for: what a telegram's rows have in common is
converted once for all of them, and the rest is written as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from metering.reading import Way
from metering.sheets import Line, Sheet
from metering.store.sql.bulk import Load
from metering.store.sql.forms import forms_of
from metering.store.sql.heads import Run
from metering.store.sql.schema import readings
from metering.store.sql.symbols import Names, Origin

__all__ = ["Rows", "rows_of"]

_NAMES = ("meter", "register", "measured_at", "value", "received_at", "telegram", "origin")

_PLACE = itemgetter(0, 1)
"""Meter and register: where readings lie."""

_Kind = tuple[tuple[Line, ...], int, str, str | None, str]
"""What decides the numbers of a sheet's lines; ways by object: the hash of an enumeration is Python."""

_Numbers = tuple[Sequence[int], Sequence[int]]
"""Of the registers, and of the origins, of a sheet's lines."""


class Rows(NamedTuple):
    """The rows of some sheets.

    Attributes:
        heard: as of when the telegram was heard: new if it is.
        dated: dated by the meter, which says the same again in its next telegrams.
        runs: what :meth:`metering.store.sql.heads.Moves.of_runs` asks for.
    """

    heard: Load
    dated: Load
    runs: Sequence[Run]


def rows_of(dialect: sa.Dialect, names: Names, sheets: Sequence[tuple[int, Sheet]]) -> Rows:
    """Give the rows of sheets, each with the number of its telegram."""
    forms = forms_of(dialect)
    meters = names.meters.numbers_of([sheet.meter for _, sheet in sheets])
    known: dict[_Kind, _Numbers] = {}
    heard: list[tuple[Any, ...]] = []
    dated: list[tuple[Any, ...]] = []
    runs: list[Run] = []
    for meter, (telegram, sheet) in zip(meters, sheets, strict=True):
        registers, origins = _numbers(sheet, known, names)
        received, moments = forms.moment(sheet.received_at), sheet.moments
        values = forms.numbers(sheet.values)
        top = sheet.heard_at if moments is None else max(moments)
        runs.append((meter, registers, moments, top))
        at = forms.moment(sheet.heard_at)
        if moments is None:
            heard += [
                (meter, register, at, value, received, telegram, origin)
                for register, value, origin in zip(registers, values, origins, strict=True)
            ]
            continue
        for register, moment, value, origin in zip(registers, moments, values, origins, strict=True):
            rows = heard if moment == sheet.heard_at else dated
            rows.append((meter, register, forms.moment(moment), value, received, telegram, origin))
    if dialect.name == "sqlite":
        heard.sort(key=_PLACE)  # page by page; stable, so that the first telegram stays the first
    return Rows(
        Load(readings, _NAMES, heard, [sheet.heard_at for _, sheet in sheets]),
        Load(readings, _NAMES, dated, [moment for _, sheet in sheets for moment in sheet.moments or ()]),
        runs,
    )


def _numbers(sheet: Sheet, known: dict[_Kind, _Numbers], names: Names) -> _Numbers:
    kind = (sheet.lines, id(sheet.way), sheet.gateway, sheet.model, sheet.decoder)
    found = known.get(kind)
    if found is None:
        registers = names.registers.numbers_of([line.register for line in sheet.lines])
        origins = names.origins.numbers_of([_origin(sheet, line) for line in sheet.lines])
        found = known[kind] = tuple(registers), tuple(origins)
    return found


def _origin(sheet: Sheet, line: Line) -> Origin:
    way: Way = sheet.way
    return Origin(line.unit, way, line.quality, sheet.gateway, sheet.model or "", sheet.decoder)
