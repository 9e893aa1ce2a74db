"""``nurt decode`` as a co-process over every real telegram: what is told is what is expected, name and value.

What we hold to be wrong in the corpus stands in tables here, each with its reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.servers, pytest.mark.shared]

Line = dict[str, Any]

SUCCESSORS = {"izar": "izarv2", "qwater": "qwaterv2", "qheat": "qheatv2", "hydroclima": "hydroclimav2"}
"""Retired models and the ones that read their telegrams; fields of the old names are not compared."""
NOT_COMPARED = {"name", "timestamp"}
"""The user's name for the meter, and the time of reception."""


class CoProcess:
    """One ``nurt decode`` that is asked line by line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self, telegram: str, key: str | None, model: str | None = None) -> Line:
        """Give the answer to one telegram."""
        asked = {"telegram": telegram, "key": key} | ({"model": model} if model else {})
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        answer: Line = json.loads(self._process.stdout.readline(), parse_float=Decimal, parse_int=Decimal)
        return answer


@contextmanager
def co_process(style: str) -> Iterator[CoProcess]:
    command = [sys.executable, "-m", "service.cli", "decode", "--format", style]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield CoProcess(process)
        assert process.stdin
        process.stdin.close()


def lines(folder: Path, name: str) -> list[Line]:
    text = (folder / name).read_text(encoding="utf-8")
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in text.splitlines()]


# --- wmbus.jsonl ---------------------------------------------------------------------------------


def counts(row: Line) -> bool:
    """Whether the expectation stands alone, or as part of a sequence that is given in its order."""
    in_sequence = any(part["ok"] for part in row.get("sequence", ()))
    return bool(row["expected"]) and (bool(row.get("standalone_ok")) or in_sequence)


@pytest.mark.parametrize("way", ["detected", "named"])
def test_every_expected_field_of_every_telegram_is_told(shared_telegrams: Path, way: str):
    expected, told, water, wrong = Counter[str](), Counter[str](), set[str](), []
    with co_process("wmbusmeters") as decode:
        for row in lines(shared_telegrams, "wmbus.jsonl"):
            driver = row["driver"]
            model = SUCCESSORS.get(driver, driver)
            answer = decode.ask(row["telegram"], row["key"], model if way == "named" else None)
            if driver in SUCCESSORS or not counts(row):
                continue
            if row["meter_type"] == "WaterMeter":
                water.add(driver)
            for name, value in row["expected"].items():
                if name not in NOT_COMPARED:
                    good = answer.get(name, "missing") == value
                    expected[driver] += 1
                    told[driver] += good
                    wrong += [] if good else [(driver, name, value, answer.get(name, "missing"))]
    assert wrong == []
    assert {driver: told[driver] for driver in water} == {driver: expected[driver] for driver in water}
    assert told.total() >= Decimal("0.998") * expected.total()
    print(
        f"\n{way}: {told.total()} of {expected.total()} fields, {len(expected)} models, {len(water)} of water"
    )
    assert (expected.total(), len(expected)) == (3068, 107)


def test_telegrams_of_retired_models_are_read_by_their_successors(shared_telegrams: Path):
    """Detected and named: no error, and what both models call alike has the expected value."""
    same = Counter[str]()
    with co_process("wmbusmeters") as decode:
        for row in lines(shared_telegrams, "wmbus.jsonl"):
            model = SUCCESSORS.get(row["driver"])
            if model is None or not row.get("standalone_ok"):
                continue
            for named in (None, model):
                answer = decode.ask(row["telegram"], row["key"], named)
                assert answer["meter"] == model
                assert "error" not in answer
                for name in ("id", "media", "total_m3"):
                    if name in row["expected"] and name in answer:
                        same[model] += answer[name] == row["expected"][name]
    print(f"\nid, medium and total as expected: {dict(same)}")
    assert set(same) == {"izarv2", "qwaterv2", "hydroclimav2", "qheatv2"}


# --- wired.jsonl ---------------------------------------------------------------------------------

UNITS: Mapping[str, tuple[str, Decimal]] = {
    # unit of the corpus: ours, and how many of theirs one of ours is
    **{unit: (unit, Decimal(1)) for unit in ("Wh", "W", "K", "s", "V", "A", "%", "dBm")},
    "%RH": ("%RH", Decimal(1)),
    "m^3": ("m3", Decimal(1)),
    "l": ("m3", Decimal(1000)),
    "m^3/h": ("m3/h", Decimal(1)),
    "Â°C": ("°C", Decimal(1)),
    "C": ("°C", Decimal(1)),
    "seconds": ("s", Decimal(1)),
    "Volt": ("V", Decimal(1)),
    "Ampere": ("A", Decimal(1)),
    "Watt": ("W", Decimal(1)),
    "ReactiveWatt": ("var", Decimal(1)),
    "ApparentWatt": ("VA", Decimal(1)),
    "Watt*Hour": ("Wh", Decimal(1)),
    "ReactiveWatt*Hour": ("varh", Decimal(1)),
    "reserved but historic": ("m3", Decimal(1000)),  # the unit of the first counter, which is litres there
}
"""Others (``""``, ``-``, ``none``, ``Units for H.C.A.``) stand for no unit or for one in plain text."""

FUNCTIONS = {
    "Instantaneous value": "instantaneous",
    "Actual value": "instantaneous",
    "Maximum value": "maximum",
    "Minimum value": "minimum",
    "Value during error state": "error",
}

LENGTH_OF_A_DATE = 10

HELD_WRONG = {
    # record, data: why the corpus's value is not taken
    ("3C2B", "BDEBDDDD"): "the digits show an error (D, E, B); the other decoder reads them as numbers",
    ("3B3B", "BDEBDD"): "the digits show an error (D, E, B); the other decoder reads them as numbers",
    ("046D", "A115E917"): "the invalid bit is set; the corpus itself says no valid date by the year 1900",
    ("426C", "0000"): "day 0 of month 0 is no date",
    ("326C", "0000"): "day 0 of month 0 is no date",
    ("01FD71", "1E"): "the other decoder reads the code as -130 + 2n dBm; EN 13757-3 has plain dBm",
}


def is_same(expected: Any, told: Any, scale: Decimal) -> bool:
    """Whether two values agree; theirs are binary floats, or texts with blanks and zones."""
    if isinstance(expected, Decimal) and isinstance(told, str):
        return told.isdecimal() and Decimal(told) == expected
    if isinstance(expected, Decimal) and isinstance(told, Decimal):
        return abs(told * scale - expected) <= Decimal("0.000001") * max(1, abs(expected))
    theirs, ours = str(expected), str(told)
    moment = theirs.removesuffix("Z").replace(" ", "T")
    return theirs.strip() == ours.strip() or (len(ours) >= LENGTH_OF_A_DATE and moment.startswith(ours))


def test_every_record_of_a_wired_frame_is_told(shared_telegrams: Path):
    """Value, unit, storage, tariff, subunit and function."""
    seen, wrong = Counter[str](), []
    with co_process("json") as decode:
        for row in lines(shared_telegrams, "wired.jsonl"):
            expected = [one for one in row["expected"] or () if one.get("difvif") not in {"0F", "1F"}]
            if not expected:
                continue
            answer = decode.ask(row["telegram"], None)
            assert len(answer["records"]) == len(expected), row["name"]
            for one, told in zip(expected, answer["records"], strict=True):
                seen["records"] += 1
                if (one.get("difvif"), one.get("data")) in HELD_WRONG:
                    seen["held to be wrong"] += 1
                    continue
                wrong += [(row["name"], what, one, told) for what in differences(one, told)]
    print(f"\n{dict(seen)}")
    assert wrong == []
    assert seen == {"records": 556, "held to be wrong": 8}


def differences(expected: Line, told: Line) -> Iterator[str]:
    unit, scale = UNITS.get(expected["unit"], (told["unit"], Decimal(1)))
    if told["unit"] != unit and told["quantity"] != "plain_text":
        yield "unit"
    if expected["value"] is not None and not is_same(expected["value"], told["value"], scale):
        yield "value"
    for place, other in (("storage", "storage"), ("tariff", "tariff"), ("subunit", "device")):
        if expected.get(other) is not None and told[place] != expected[other]:
            yield place
    if expected["function"] is not None and FUNCTIONS[expected["function"]] != told["function"]:
        yield "function"


# --- independent.jsonl ---------------------------------------------------------------------------

REFUSED = {
    # name: the error we hold to be right
    "Decryption Test - Wrong Key": "wrong_key",
    "multical21 compact, AES-CTR": "wrong_key",  # its payload CRC is wrong as published
    "can_read_modec_ffb": "manufacturer_specific",  # a frame without sense behind its link layer
    "apator old style CI B6": "manufacturer_specific",  # its own project rejects it too
}
WITHOUT_MEANS = {
    # telegrams of a compact layout nobody published, of a key nobody gave, and one cut by its project
    ("Short Telegram Test #1", 0): "unknown_layout",
    ("test_vectors", 0): "missing_key",
    ("test_vectors", 2): "truncated_record",
}
"""By name and number of expected records."""

MISREAD = {
    # name, value: why it is not taken
    (
        "MESSAGE_148_HKV testHKV148",
        Decimal(258),
    ): "read one byte late; so read, another telegram of this form "
    "(`0F 9F29 2D00 5024 0400 11`) would say 4352 where the last season had 45",
    ("test_vectors", Decimal(16059000)): "VIF 0E counts megajoules (EN 13757-3: 10^nnn J), not kilojoules",
}

MEASUREMENTS = {
    "CURRENT_VOLUME": ("volume", "hca_units", "energy"),
    "PAST_VOLUME": ("volume", "hca_units", "energy"),
    "ROOM_TEMPERATURE": ("external_temperature",),
    "RADIATOR_TEMPERATURE": ("flow_temperature",),
}
"""Of Techem payloads; status, counters and monthly differences are not of our models."""

SCALES = {"kJ": Decimal(1000)}
ABOUT_THEIR_DECODER = {
    "battery_percent_pct", "battery_percent_raw", "empty_pipe_date", "error_bits_hex", "alarm_tamper",
    "msb_flags_hex", "status_perm_alarm", "access_number",
}  # fmt: skip
"""Fields of another decoder's own making."""


def test_every_telegram_of_other_projects_is_told(shared_telegrams: Path):
    """Identity, records and values where a project states them; the error we hold to be right elsewhere."""
    seen = Counter[str]()
    with co_process("json") as decode:
        for row in lines(shared_telegrams, "independent.jsonl"):
            answer = decode.ask(row["telegram"], row["key"])
            expected = row["expected"] or {}
            if "asserts" not in expected and "cc" not in expected:
                seen["values"] += check(expected, answer, row["name"])
            assert (answer["error"] or {}).get("code") == refusal(row["name"], expected), row["name"]
            seen["telegrams"] += 1
    print(f"\n{dict(seen)}")
    assert seen == {"telegrams": 34, "values": 42}


def refusal(name: str, expected: Line) -> str | None:
    records = expected.get("records", expected.get("data_records", ()))
    return REFUSED.get(name) or WITHOUT_MEANS.get((name, len(records)))


def check(expected: Line, answer: Line, name: str) -> int:
    """Compare what is stated; return how many values were."""
    values = [record["value"] for record in answer["records"]]
    device = {"Id": "serial", "Manufacturer": "manufacturer"}
    for theirs, told in expected.get("device", {}).items():
        if theirs in device:
            assert answer[device[theirs]] == told, name
    if "record_count" in expected:
        assert len(values) == expected["record_count"], name
    stated = [
        (int(number), one["value"]) for number, one in expected.get("records", {}).items() if "value" in one
    ]
    for number, value in stated:
        assert is_same(value, values[number], Decimal(1)), (name, number)
    others = [*scaled(expected), *fields_of(expected)]
    for kinds, value in [*others, *measured(expected)]:
        assert (name, value) in MISREAD or any(
            is_value(value, record, kinds, answer) for record in answer["records"]
        ), (name, value)
    return len(stated) + len(others) + len(measured(expected))


def scaled(expected: Line) -> list[tuple[tuple[str, ...], Any]]:
    return [
        ((), one["value"] * Decimal(10) ** one["exponent"] * SCALES.get(one["unit"], Decimal(1)))
        for one in expected.get("data_records", ())
    ]


def fields_of(expected: Line) -> list[tuple[tuple[str, ...], Any]]:
    return [((), expected["total_m3"])] if "total_m3" in expected else []


def measured(expected: Line) -> list[tuple[tuple[str, ...], Any]]:
    return [
        (MEASUREMENTS[one["type"]], one["value"])
        for one in expected.get("measurements", ())
        if one["type"] in MEASUREMENTS
    ]


def is_value(value: Any, record: Line, kinds: tuple[str, ...], answer: Line) -> bool:
    """Whether the record holds the value, or the total where a project tells the part since the due date."""
    if kinds and record["quantity"] not in kinds:
        return False
    scale = Decimal(1000) if record["unit"] == "Wh" else Decimal(1)
    told = record["value"]
    due = [one["value"] for one in answer["records"] if one["storage"] == 1 and one["unit"] == record["unit"]]
    if not isinstance(told, Decimal):
        return False
    return value in {told, told / scale, *(told - one for one in due if isinstance(one, Decimal))}
