"""Records of real telegrams against what others read out of them (shared corpus, see its README)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from decoders.decode import decode
from decoders.errors import DecodeError
from decoders.fields import fields
from decoders.telegram import Record, Telegram, Value
from decoders.wmbus.records import walk
from metering.reading import Function

pytestmark = pytest.mark.shared

UNITS = {
    "Wh": "Wh",
    "Watt*Hour": "Wh",
    "ReactiveWatt*Hour": "varh",
    "Watt": "W",
    "ReactiveWatt": "var",
    "ApparentWatt": "VA",
    "m^3": "m3",
    "m^3/h": "m3/h",
    "W": "W",
    "Â°C": "°C",
    "C": "°C",
    "K": "K",
    "s": "s",
    "seconds": "s",
    "V": "V",
    "Volt": "V",
    "A": "A",
    "Ampere": "A",
    "%": "%",
    "%RH": "%RH",
    "dBm": "dBm",
}
"""Unit of the corpus -> ours. Others ("", "-", "none", "l", ...) stand for no unit or a plain-text one."""

FUNCTIONS = {
    "Instantaneous value": Function.INSTANTANEOUS,
    "Actual value": Function.INSTANTANEOUS,
    "Maximum value": Function.MAXIMUM,
    "Minimum value": Function.MINIMUM,
    "Value during error state": Function.ERROR,
}

HELD_TO_BE_WRONG = {
    # value field, data: why the corpus's value is not taken
    ("3C2B", "BDEBDDDD"): "the digits show an error (D, E, B); the other decoder reads them as numbers",
    ("3B3B", "BDEBDD"): "the digits show an error (D, E, B); the other decoder reads them as numbers",
    ("046D", "A115E917"): "the invalid bit is set; the corpus itself says no valid date by the year 1900",
    ("426C", "0000"): "day 0 of month 0 is no date",
    ("326C", "0000"): "day 0 of month 0 is no date",
    ("01FD71", "1E"): "the other decoder reads the code as -130 + 2n dBm; table 14 has plain dBm",
}


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with (folder / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def wired_pairs(folder: Path) -> Iterator[tuple[dict[str, Any], Record]]:
    """Each expected record beside the one we read; a frame with another number of records fails."""
    for line in lines(folder, "wired.jsonl"):
        frame = bytes.fromhex(line["telegram"])
        if not line["expected"] or frame[6] != 0x72:  # errors, and the fixed structure of old meters
            continue
        expected = [r for r in line["expected"] if r["difvif"] not in {"0F", "1F"}]  # manufacturer data
        records = walk(frame[19:-2], 19).records
        assert len(records) == len(expected), line["name"]
        yield from zip(expected, records, strict=True)


def agrees(expected: Any, value: Value) -> bool:
    if isinstance(value, date):
        return str(expected).removesuffix("Z").replace(" ", "T").startswith(value.isoformat())
    if isinstance(value, str) and isinstance(expected, int | float):
        return value.isdecimal() and int(value) == expected
    if isinstance(value, Decimal) and isinstance(expected, int | float):
        return abs(float(value) - expected) <= 1e-6 * max(1, abs(expected))
    return str(expected).strip() == str(value).strip()


def test_wired_records_agree_with_other_decoders(shared_telegrams):
    """Every numeric or dated value, its unit and its place, but for the table of reasons."""
    compared, wrong = Counter(), []
    for expected, record in wired_pairs(shared_telegrams):
        if expected["value"] is None:
            continue
        key = (expected["difvif"], expected["data"])
        if key in HELD_TO_BE_WRONG:
            compared["held to be wrong"] += 1
        elif agrees(expected["value"], record.value):
            compared["agree"] += 1
        else:
            wrong.append((expected, record))
        if expected["storage"] is not None:
            assert (expected["storage"], expected["tariff"]) == (record.storage, record.tariff)
            assert expected.get("device", record.subunit) == record.subunit
        if expected["function"] is not None:
            assert FUNCTIONS[expected["function"]] is record.function
        if expected["unit"] in UNITS and record.quantity != "plain_text":
            assert UNITS[expected["unit"]] == record.unit
            compared["units"] += 1
    print(dict(compared))
    assert wrong == []
    assert compared["agree"] >= 545


def test_wired_descriptions_are_the_bytes_others_read(shared_telegrams):
    """The corpus leaves out the LVAR byte of variable data."""
    for expected, record in wired_pairs(shared_telegrams):
        content = record.data[1:] if record.dib[0] & 0x0F == 0x0D else record.data
        assert expected["difvif"] == record.difvif
        assert expected["data"] == content.hex().upper()


# --- wireless ------------------------------------------------------------------------------------

SUFFIXES = {
    # suffix of a field name: (unit of the record, how many of it the field's unit is)
    "m3": [("m3", Decimal(1))],
    "m3h": [("m3/h", Decimal(1))],
    "kwh": [("Wh", Decimal(1000)), ("J", Decimal(3_600_000))],
    "kvarh": [("varh", Decimal(1000)), ("Wh", Decimal(1000))],
    "kvah": [("VAh", Decimal(1000)), ("Wh", Decimal(1000))],
    "kw": [("W", Decimal(1000)), ("J/h", Decimal(3_600_000))],
    "c": [("°C", Decimal(1)), ("K", Decimal(1))],
    "v": [("V", Decimal(1))],
    "a": [("A", Decimal(1))],
    "hz": [("Hz", Decimal(1))],
    "bar": [("bar", Decimal(1))],
    "rh": [("%", Decimal(1)), ("%RH", Decimal(1))],
    "kg": [("kg", Decimal(1))],
    "h": [("s", Decimal(3600))],
    "s": [("s", Decimal(1))],
    "d": [("s", Decimal(86400))],
    "y": [("s", Decimal(31556952)), ("s", Decimal(31536000))],
    "hca": [("", Decimal(1))],
    "counter": [("", Decimal(1))],
}
ABOUT_THE_METER = {"media", "meter", "name", "id", "timestamp", "status"}


def standard(folder: Path) -> Iterator[tuple[dict[str, Any], Telegram | DecodeError]]:
    """Telegrams of standard records that stand alone, decoded or refused."""
    for line in lines(folder, "wmbus.jsonl"):
        own = {"mfct_ci", "proprietary_driver"} & set(line["features"]) or line.get("depends_on_mfct_data")
        if own or not line.get("standalone_ok") or not line["expected"]:
            continue
        key = line["key"]
        known = [bytes.fromhex(key)] if key else []
        try:
            yield line, decode(bytes.fromhex(line["telegram"]), lambda _meter, known=known: known)
        except DecodeError as error:
            yield line, error


REFUSED_ELSEWHERE = {"unsupported_mode", "unknown_layout"}
"""Codes of refusals that say nothing about records: another layer does not read these telegrams yet."""


def test_telegrams_of_standard_records_walk_to_their_end(shared_telegrams):
    """What can be decrypted and described walks without a fault."""
    seen, stray = Counter(), []
    for line, found in standard(shared_telegrams):
        faults = (found,) if isinstance(found, DecodeError) else found.faults
        assert not isinstance(found, Telegram) or found.records
        for fault in faults:
            if fault.code in REFUSED_ELSEWHERE:
                seen[fault.code] += 1
            else:
                stray.append((line["driver"], len(line["telegram"]) // 2 - fault.offset))
        seen["walked" if not faults else "not walked"] += 1
    print(dict(seen), stray)
    assert stray == []


def test_expected_values_are_values_of_records(shared_telegrams):
    """How many values people expect stand in a record as they are, after the unit of the field's name."""
    counted: Counter[str] = Counter()
    for line, found in standard(shared_telegrams):
        if isinstance(found, DecodeError):
            continue
        for name, expected in line["expected"].items():
            if name in ABOUT_THE_METER or expected is None or expected == "":
                continue
            literal = any(stands_in(name, expected, record) for record in found.records)
            counted["literal" if literal else "other"] += 1
    print(dict(counted))
    assert counted["literal"] >= 1383


def stands_in(name: str, expected: Any, record: Record) -> bool:
    value = record.value
    if isinstance(value, datetime):
        return str(expected) in {value.strftime("%Y-%m-%d %H:%M"), value.strftime("%Y-%m-%d %H:%M:%S")}
    if isinstance(value, date):
        return str(expected) == value.isoformat()
    if isinstance(value, Decimal) and isinstance(expected, int | float):
        ways = SUFFIXES.get(name.rsplit("_", 1)[-1], [])
        return any(
            record.unit == unit and abs(value / size - Decimal(str(expected))) <= Decimal("0.0000005")
            for unit, size in ways
        )
    return isinstance(value, str) and str(expected) == value


def test_field_names_are_unique_and_stable(shared_telegrams):
    """Every record has a name of its own, and two telegrams of one layout have the same names."""
    layouts: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for _line, found in standard(shared_telegrams):
        if isinstance(found, Telegram):
            named = fields(found)
            assert len(named) == len(found.records)
            layouts.setdefault(tuple(r.difvif for r in found.records), []).append(tuple(named))
    assert any(len(names) > 1 for names in layouts.values())
    assert all(one == other for names in layouts.values() for one, other in pairwise(names))
