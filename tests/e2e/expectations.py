"""Expected values of the shared corpus that literally are a record, and the stored reading that is one.

The corpus gives, per telegram, fields by name (``total_m3``); the facts give, per meter model, from which
record a field comes. Only fields that are one record's value scaled by its own VIF are compared here:
sums, texts made of flags and values from manufacturer records belong to the meter models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from metering.reading import Detail, Reading, Register

UNITS: dict[str, dict[str, Decimal]] = {
    "m3": {"m3": Decimal(1)},
    "m3h": {"m3/h": Decimal(1)},
    "kwh": {"Wh": Decimal("0.001"), "J": Decimal(1) / 3_600_000},
    "kvarh": {"varh": Decimal("0.001"), "Wh": Decimal("0.001")},
    "kvah": {"VAh": Decimal("0.001"), "Wh": Decimal("0.001")},
    "kw": {"W": Decimal("0.001"), "J/h": Decimal(1) / 3_600_000},
    "c": {"°C": Decimal(1), "K": Decimal(1)},
    "v": {"V": Decimal(1)},
    "a": {"A": Decimal(1)},
    "hz": {"Hz": Decimal(1)},
    "bar": {"bar": Decimal(1)},
    "rh": {"%": Decimal(1)},
    "h": {"s": Decimal(1) / 3600},
    "s": {"s": Decimal(1)},
    "d": {"s": Decimal(1) / 86400},
    "hca": {"": Decimal(1), "HCA": Decimal(1)},
    "kg": {"kg": Decimal(1)},
}
"""Unit suffix of a field -> unit of a reading -> factor from reading to field."""

NO_VALUES = frozenset({-2147483648, -2147483.648, "1999-11-30", "2127-01-01"})
"""Expected by the corpus where the meter says there is no value: the most negative integer (EN 13757-3, type
B), a date of all zeros, a date with the year 127 ("every year")."""

HELD_WRONG = {
    "waterstarm": (
        "meter_datetime",
    ),  # the time's invalid bit (type F, IV) is set: the meter's clock is not valid
}
"""Expectations we hold to be wrong, by model."""

_FUNCTIONS = {"instantaneous": "instantaneous", "max": "maximum", "min": "minimum", "error": "error"}


@dataclass(frozen=True, slots=True)
class Literal:
    """An expected value that is a record's.

    Attributes:
        field: its name in the corpus.
        expected: number, or date text.
        unit: unit suffix.
        places: where the facts say it may stand; more than one where a model names alternatives.
    """

    field: str
    expected: Decimal | str
    unit: str
    places: tuple[dict[str, object], ...]

    def stands_in(self, register: Register) -> bool:
        """Whether a register is the one the facts describe."""
        return any(
            register.function == _FUNCTIONS[str(wanted["function"])]
            and all(
                _within(wanted[place], getattr(register, place)) for place in ("storage", "tariff", "subunit")
            )
            for wanted in self.places
        )

    def is_among(self, readings: Sequence[Reading], details: Sequence[Detail]) -> bool:
        """Whether a stored reading or detail is exactly this value."""
        if isinstance(self.expected, str):
            wanted = self.expected.replace(" ", "T")
            return any(d.text.startswith(wanted) for d in details if self.stands_in(d.register))
        places = Decimal("0.000001")  # the corpus prints six decimals
        for reading in readings:
            factor = UNITS[self.unit].get(reading.unit)
            if factor is None or not self.stands_in(reading.register):
                continue
            if (reading.value * factor).quantize(places) == self.expected.quantize(places):
                return True
        return False


def _within(wanted: object, number: int) -> bool:
    if isinstance(wanted, list):
        return wanted[0] <= number <= wanted[1]
    return wanted == number


@cache
def _models(facts: Path) -> dict[str, list[dict[str, object]]]:
    return {
        model["model"]: model["fields"] for model in json.loads((facts / "meter-models.json").read_text())
    }


def literals(line: dict[str, object], facts: Path) -> Iterator[Literal]:
    """Give the expected values of one corpus line that literally are a record's."""
    expected = line["expected"]
    assert isinstance(expected, dict)
    for name, value in expected.items():
        if value is None or name in HELD_WRONG.get(str(line["driver"]), ()) or value in NO_VALUES:
            continue
        fields = [field for field in _models(facts).get(str(line["driver"]), []) if _named(field, name)]
        if fields and all(map(_literal, fields)):
            unit = str(fields[0]["unit"])
            places = tuple(field["recognise"] for field in fields)
            yield Literal(name, value if isinstance(value, str) else Decimal(str(value)), unit, places)  # type: ignore[arg-type]


def _named(field: dict[str, object], name: str) -> bool:
    pattern = re.sub(r"\\\{.*?\\\}", r"\\d+", re.escape(str(field["name"])))
    return re.fullmatch(pattern, name) is not None


def _literal(field: dict[str, object]) -> bool:
    wanted = field["recognise"]
    if not isinstance(wanted, dict) or "function" not in wanted or field["calculate_words"]:
        return False
    return wanted["vife"] in ([], ["3C"], ["3B"]) and _comparable(field)


def _comparable(field: dict[str, object]) -> bool:
    if field["unit"] in ("date", "datetime"):
        return True
    return field["scale"] == "vif" and field["unit"] in UNITS
