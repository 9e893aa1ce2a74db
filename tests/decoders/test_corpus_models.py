"""Real telegrams: every expected field of every meter of standard records, name and value.

Compact frames are of layouts the models know. Left out are telegrams whose payload is the manufacturer's own
and telegrams that need an earlier one of the same meter.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from decoders import decode
from decoders.flat import Flat, flat
from decoders.meaning import fields
from decoders.models import by_name, detect
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Telegram

pytestmark = pytest.mark.shared

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RETIRED = {"izar", "qwater", "qheat", "hydroclima"}
"""Names whose telegrams go by the names of their successors."""


class Case(NamedTuple):
    """One line of the corpus."""

    model: str
    frame: bytes
    keys: Sequence[bytes]
    expected: Mapping[str, Any]

    def telegram(self) -> Telegram:
        return decode(self.frame, lambda _meter: self.keys, shipped_layouts())


def cases(folder: Path) -> Iterator[Case]:
    for line in (folder / "wmbus.jsonl").read_text().splitlines():
        row = json.loads(line)
        model = by_name(row["driver"]) if row["driver"] not in RETIRED else None
        proprietary = {"proprietary_driver", "mfct_ci"} & set(row["features"])
        if model is None or proprietary or row.get("depends_on_mfct_data") or not row.get("standalone_ok"):
            continue
        keys = [bytes.fromhex(row["key"])] if row["key"] else []
        yield Case(model.name, bytes.fromhex(row["telegram"]), keys, row["expected"])


def is_as_expected(told: Flat, name: str, expected: Any) -> bool:
    value = told.get(name, "missing")
    if isinstance(expected, int | float):
        return isinstance(value, Decimal) and value == Decimal(str(expected))
    return bool(value == expected)


def table(told: Counter[str], expected: Counter[str], telegrams: Counter[str]) -> str:
    lines = [
        f"{name:16} {telegrams[name]:3} {told[name]:4} of {expected[name]:4}" for name in sorted(expected)
    ]
    return "\n".join([*lines, f"{'all':16} {telegrams.total():3} {told.total():4} of {expected.total():4}"])


@pytest.mark.parametrize("way", ["detected", "named"])
def test_every_expected_field_is_told(shared_telegrams: Path, way: Literal["detected", "named"]):
    telegrams, expected, told = Counter[str](), Counter[str](), Counter[str]()
    for case in cases(shared_telegrams):
        telegram = case.telegram()
        model = detect(telegram) if way == "detected" else by_name(case.model)
        flat_fields = flat(telegram, model, received_at=NOON)
        telegrams[case.model] += 1
        expected[case.model] += len(case.expected)
        told[case.model] += sum(is_as_expected(flat_fields, *entry) for entry in case.expected.items())
    print(f"\n{way}\n{table(told, expected, telegrams)}")
    assert told == expected
    assert (telegrams.total(), expected.total()) == (175, 2332)


def test_the_model_detected_is_the_one_expected(shared_telegrams: Path):
    """But for one identity with two models whose telegrams are alike; the newer names are a superset."""
    other = Counter[tuple[str, str]]()
    for case in cases(shared_telegrams):
        found = detect(case.telegram())
        name = found.name if found else "none"
        other[case.model, name] += name != case.model
    assert +other == Counter({("ultrimis", "ultrimisv2"): 2})


def test_no_record_of_a_real_telegram_is_hidden(shared_telegrams: Path):
    """Told exactly, a telegram has a value for each record that no field took."""
    for case in cases(shared_telegrams):
        telegram = case.telegram()
        assert len(fields(telegram, by_name(case.model))) >= 1
        assert len(fields(telegram, None)) >= len(telegram.records)
