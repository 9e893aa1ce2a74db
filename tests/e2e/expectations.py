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

_FUNCTIONS = {"instantaneous": "instantaneous", "max": "maximum", "min": "minimum", "error": "error"}


@dataclass(frozen=True, slots=True)
class Literal:
    """An expected value that is a record's.

    Attributes:
        field: its name in the corpus.
        expected: number, or date text.
        unit: unit suffix.
        recognise: where the facts say it stands.
    """

    field: str
    expected: Decimal | str
    unit: str
    recognise: dict[str, object]

    def stands_in(self, register: Register) -> bool:
        """Whether a register is the one the facts describe."""
        wanted = self.recognise
        return register.function == _FUNCTIONS[str(wanted["function"])] and all(
            _within(wanted[place], getattr(register, place)) for place in ("storage", "tariff", "subunit")
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
    for field in _models(facts).get(str(line["driver"]), []):
        wanted = field["recognise"]
        if not isinstance(wanted, dict) or "function" not in wanted or field["calculate_words"]:
            continue
        if wanted["vife"] not in ([], ["3C"], ["3B"]) or not _comparable(field):
            continue
        pattern = re.compile(re.sub(r"\\\{.*?\\\}", r"\\d+", re.escape(str(field["name"]))))
        for name, value in expected.items():
            if pattern.fullmatch(name) and value is not None:
                yield Literal(
                    name, value if isinstance(value, str) else Decimal(str(value)), str(field["unit"]), wanted
                )


def _comparable(field: dict[str, object]) -> bool:
    if field["unit"] in ("date", "datetime"):
        return True
    return field["scale"] == "vif" and field["unit"] in UNITS
