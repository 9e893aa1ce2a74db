"""Real telegrams with payloads of the manufacturer's own: every expected field, name and value.

Left out are telegrams that need an earlier one of the same meter, or whose expectation is a user's own
calculation.
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

from decoders import SecurityError
from decoders.flat import flat
from decoders.models import by_name, models
from decoders.reading import Understood, read
from decoders.trace import trace

pytestmark = pytest.mark.shared

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

TELEGRAMS: Mapping[str, tuple[int, int]] = {
    # model: (telegrams, expected fields), all of which are told
    "apator08": (1, 3),
    "apator162": (14, 42),
    "apator172": (1, 3),
    "apatoreitn": (2, 20),
    "apatorna1": (6, 60),
    "bfw240radio": (4, 92),
    "compact5": (3, 15),
    "fhkvdataiii": (4, 32),
    "gwfwater": (2, 17),
    "hydroclimav2": (2, 38),
    "hydrodigit": (5, 61),
    "izarv2": (4, 41),
    "mkradio3": (3, 18),
    "mkradio3a": (1, 17),
    "mkradio4": (1, 4),
    "qcaloric": (8, 82),
    "qheatv2": (4, 64),
    "qwaterv2": (5, 74),
    "rfmtx1": (1, 4),
    "tsd2": (3, 12),
    "vario451": (1, 5),
    "zenner0b": (1, 5),
}

RETIRED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    # an older model's name: (its successor, older field name -> field name)
    "izar": (
        "izarv2",
        {
            "total_m3": "total_m3",
            "prefix": "prefix",
            "serial_number": "serial_number",
            "transmit_period_s": "transmit_period_s",
            "last_month_total_m3": "target_m3",
            "last_month_measure_date": "target_date",
            "remaining_battery_life_y": "battery_y",
            "manufacture_year": "manufacture_y",
        },
    ),
    "hydroclima": (
        "hydroclimav2",
        {
            "current_consumption_hca": "consumption_hca",
            "average_ambient_temperature_c": "average_ambient_temperature_c",
            "max_ambient_temperature_c": "max_ambient_temperature_c",
            "average_ambient_temperature_last_month_c": "average_ambient_temperature_last_month_c",
            "average_heater_temperature_last_month_c": "average_heater_temperature_last_month_c",
        },
    ),
    "qwater": (
        "qwaterv2",
        {
            "total_m3": "total_m3",
            "due_date_m3": "target_year_m3",
            "due_date": "target_year_date",
            "due_17_date_m3": "target_m3",
            "due_17_date": "target_date",
        },
    ),
}


class Case(NamedTuple):
    """One line of the corpus."""

    driver: str
    frame: bytes
    keys: Sequence[bytes]
    expected: Mapping[str, Any]

    def read(self, name: str | None = None) -> Understood:
        return read(self.frame, lambda _: self.keys, by_name(name) if name else None)


def cases(folder: Path, drivers: Mapping[str, object]) -> Iterator[Case]:
    for line in (folder / "wmbus.jsonl").read_text().splitlines():
        row = json.loads(line, parse_float=Decimal)
        if row["driver"] in drivers and row["standalone_ok"]:
            keys = [bytes.fromhex(row["key"])] if row["key"] else []
            yield Case(row["driver"], bytes.fromhex(row["telegram"]), keys, row["expected"])


@pytest.mark.parametrize("way", ["detected", "named"])
def test_every_expected_field_is_told(shared_telegrams: Path, way: Literal["detected", "named"]):
    telegrams, told = Counter[str](), Counter[str]()
    for case in cases(shared_telegrams, TELEGRAMS):
        found = case.read(case.driver if way == "named" else None)
        assert found.model is models()[case.driver]
        assert found.telegram.faults == ()
        values = flat(found.telegram, found.model, received_at=NOON)
        telegrams[case.driver] += 1
        told[case.driver] += sum(
            values.get(name, "missing") == value for name, value in case.expected.items()
        )
    print(f"\n{way}: {telegrams.total()} telegrams, {told.total()} fields", dict(told))
    assert {name: (telegrams[name], told[name]) for name in TELEGRAMS} == TELEGRAMS


def test_nothing_is_told_that_is_not_expected(shared_telegrams: Path):
    common = {"_", "meter", "name", "timestamp"}
    for case in cases(shared_telegrams, TELEGRAMS):
        found = case.read()
        values = flat(found.telegram, found.model, received_at=NOON)
        assert set(values) - common <= set(case.expected), case.driver


def test_telegrams_of_retired_names_are_read_by_their_successors(shared_telegrams: Path):
    """Under the newer names; flags are worded differently and are left out here."""
    told = Counter[str]()
    for case in cases(shared_telegrams, RETIRED):
        successor, names = RETIRED[case.driver]
        found = case.read()
        assert found.model is models()[successor]
        values = flat(found.telegram, found.model, received_at=NOON)
        for old, new in names.items():
            if old in case.expected:
                assert values[new] == case.expected[old], (case.driver, old)
                told[case.driver] += 1
    assert told == {"izar": 35, "hydroclima": 5, "qwater": 55}


def test_the_trace_of_a_real_payload_covers_it_and_ends_without_error(shared_telegrams: Path):
    for case in cases(shared_telegrams, TELEGRAMS):
        keys = case.keys
        traced = trace(case.frame, lambda _: keys)  # noqa: B023  called at once
        assert traced.error is None, case.driver
        assert b"".join(span.raw for span in traced.spans) == case.frame


def test_without_their_key_encrypted_ones_are_refused(shared_telegrams: Path):
    refused = Counter[str]()
    for case in cases(shared_telegrams, TELEGRAMS):
        if case.keys:
            with pytest.raises(SecurityError) as caught:
                case._replace(keys=()).read()
            assert caught.value.code == "missing_key"
            refused[case.driver] += 1
    assert refused == {"apator162": 1, "apatorna1": 6}
