"""Each field and each status word of the 120 described meters, asked for with a telegram made for it alone.

The real telegrams show some of a meter's fields. The description of the meters (NURT_FACTS) tells all of
them: which record, which storage, tariff and VIFE, which bit is which word. For each a telegram with that one
record is built here and read by the meter's model.
"""

from __future__ import annotations

import functools
import json
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from decoders.build import build
from metering.clock import FixedClock
from metering.meter import MeterId
from service.decode_stream import DecodeStream

pytestmark = pytest.mark.shared

Line = dict[str, Any]

RAW = 1234
DAY = bytes.fromhex("2F39")
"""2025-09-15 as date type G."""
NOON = bytes.fromhex("220C") + DAY
DATES = {"date": ("6C", 2, DAY), "datetime": ("6D", 4, NOON)}
NUMBERS: dict[str, tuple[str, Line]] = {
    "volume": ("13", {"m3": "0.001"}),
    "energy": ("05", dict.fromkeys(("kwh", "kvarh", "kvah"), "0.1")),
    "power": ("2D", dict.fromkeys(("kw", "kvar", "kva"), "0.1")),
    "power-w": ("2D", {"kw": "0.1"}),
    "flow": ("3B", {"m3h": "0.001"}),
    "t-flow": ("5A", {"c": "0.1"}),
    "t-return": ("5E", {"c": "0.1"}),
    "t-diff": ("62", {"c": "0.1"}),
    "t-ext": ("66", {"c": "0.1"}),
    "pressure": ("69", {"bar": "0.01"}),
    "hca": ("6E", {"hca": "1"}),
    "on-time": ("22", {"h": "1"}),
    "op-time": ("26", {"h": "1"}),
    "actuality": ("76", {"h": "1"}),
    "humidity": ("FB1A", {"rh": "0.1"}),
    "voltage": ("FD48", {"v": "0.1"}),
    "current": ("FD5A", {"a": "0.01"}),
    "cumul": ("FD61", {"counter": "1"}),
    "access-no": ("FD08", {"counter": "1"}),
}
"""Quantity -> VIF sent, and what its number is multiplied by in each unit."""
WORDS = {"err-flags": "FD17", "dig-out": "FD1A", "dig-in": "FD1B"}
FUNCTIONS = ("instantaneous", "max", "min", "error")
SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
"""Data field -> bytes; 5 is a real, 9 and more are BCD."""

ELSEWHERE = {
    "gwfwater": "read from a block of the manufacturer's own, not from a record",
    "hydrodigit": "read from a block of the manufacturer's own, not from a record",
}
STEPS = {"energy_delta_{storage}_kwh", "volume_delta_{storage}_m3"}
"""Of Qundis' block only: a plain record of that storage would be an index, and these are steps."""
SHADOWED = {
    ("aptmbusna", "P_DETECTOR_ERROR"),  # shares its bit with P_LEAK, which is told
    ("ei6500", ""),  # a word beside others that tell "not yet completed"
    ("ei6500", "HEAD_STATUS_10000"),
}


@dataclass(frozen=True)
class Case:
    """One record, and what must be told of it."""

    model: str
    meter: MeterId
    record: bytes
    name: str
    expected: object
    status: int = 0


@functools.cache
def described() -> list[Line]:
    default = Path(__file__).parents[2] / "../shared/facts"
    file = Path(os.environ.get("NURT_FACTS", default)).resolve() / "meter-models.json"
    if not file.is_file():
        pytest.skip(f"the description of the meters is not at {file} (NURT_FACTS)")
    models: list[Line] = json.loads(file.read_text(encoding="utf-8"))
    return [model for model in models if model["model"] not in ELSEWHERE]


def identity(model: Line) -> MeterId:
    manufacturer, version, kind = (model["triples"] or [("ABC", "01", "07")])[0]  # some are only named
    return MeterId(manufacturer, "12345678", version.lower() if len(version) == 2 else "01", kind.lower())


def dib(function: str, storage: int, tariff: int, subunit: int, field: int) -> bytes:
    found = [field | FUNCTIONS.index(function) << 4 | (storage & 1) << 6]
    storage >>= 1
    while storage or tariff or subunit:
        found[-1] |= 0x80
        found.append(storage & 0xF | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage, tariff, subunit = storage >> 4, tariff >> 2, subunit >> 1
    return bytes(found)


def vib(vif: str, vifes: list[str]) -> bytes:
    found = bytearray.fromhex(vif + "".join(one.split("-", maxsplit=1)[0] for one in vifes))
    for place in range(len(found) - 1):
        found[place] |= 0x80
    return bytes(found)


def places(record: Line) -> Iterator[tuple[int, int, int]]:
    """Give storage, tariff and subunit; of ranges both ends."""

    def ends(told: int | list[int]) -> list[int]:
        return sorted(set(told)) if isinstance(told, list) else [told]

    for storage in ends(record["storage"]):
        for tariff in ends(record["tariff"]):
            for subunit in ends(record["subunit"]):
                yield storage, tariff, subunit


def named(template: str, place: tuple[int, int, int]) -> str:
    numbers = dict(zip(("storage", "tariff", "subunit"), place, strict=True))

    def number(found: re.Match[str]) -> str:
        sides = [int(numbers.get(side, side)) for side in found[1].split("-")]
        return str(sides[0] - sum(sides[1:]))

    return re.sub(r"\{([^}]*)\}", number, template)


def factor(field: Line, by_vif: str) -> Decimal:
    """Say what the number sent is multiplied by: by its VIF, or as the description says."""
    if not field["scale"].startswith("raw"):
        return Decimal(by_vif)
    over, _, under = field["scale"].removeprefix("raw").lstrip("*").partition("/")
    return Decimal(over or 1) / Decimal(under or 1)


# --- fields --------------------------------------------------------------------------------------


def is_date(field: Line) -> bool:
    return field["unit"] in DATES or field.get("text") in DATES


def by_meaning(model: Line, field: Line) -> Iterator[Case]:
    record = field["recognise"]
    if is_date(field) and record["vif"] in DATES:
        vif, size, data = DATES[record["vif"]]
    elif record["vif"] in NUMBERS and field["unit"] in NUMBERS[record["vif"]][1] and not field.get("text"):
        vif, size, data = NUMBERS[record["vif"]][0], 4, RAW.to_bytes(4, "little")
    else:
        return
    for place in places(record):
        header = dib(record["function"], *place, size) + vib(vif, record["vife"])
        earlier = (header + bytes(size)) * (record["nth"] - 1)
        expected: object = "2025-09-15"
        if not is_date(field):
            expected = RAW * factor(field, NUMBERS[record["vif"]][1][field["unit"]])
        name = named(field["name"], place)
        yield Case(model["model"], identity(model), earlier + header + data, name, expected)


def by_bytes(model: Line, field: Line) -> Iterator[Case]:
    header = bytes.fromhex(field["recognise"]["dif_vif"])
    kind = header[0] & 0xF
    if kind not in SIZES or not str(field["scale"]).startswith("raw"):
        return
    number = 12 if SIZES[kind] == 1 else RAW
    if kind == 5:
        data = struct.pack("<f", number)
    else:
        data = (int(str(number), 16) if kind >= 9 else number).to_bytes(SIZES[kind], "little")
    expected = number * factor(field, "1")
    yield Case(model["model"], identity(model), header + data, field["name"], expected)


def fields() -> Iterator[Case]:
    for model in described():
        for field in model["fields"]:
            record = field["recognise"]
            if not record or not field["emitted"] or field["calculate_words"] or field["name"] in STEPS:
                continue
            if "dif_vif" in record:
                yield from by_bytes(model, field)
            elif "PROFILE" not in record["vife"]:
                yield from by_meaning(model, field)


# --- words ---------------------------------------------------------------------------------------


def bits(flags: Line) -> Iterator[tuple[int, str]]:
    """Give each bit that has a word, and the first that has none."""
    names = [(int(entry[0], 16), entry[1]) for entry in flags["map"] if len(entry) == 2]
    yield from names
    if flags["method"] == "bits":
        without = int(flags["mask"], 16) & ~functools.reduce(lambda all_, one: all_ | one[0], names, 0)
        if without:
            yield without & -without, f"{flags['fallback_name']}_{without & -without:X}"


def sent(record: Line, value: int) -> tuple[bytes, tuple[int, int, int]] | None:
    """Build the record that tells the bit; ``None`` if it is too wide for it."""
    if "dif_vif" in record:
        header, place = bytes.fromhex(record["dif_vif"]), (0, 0, 0)
        size = SIZES.get(header[0] & 0xF, 0)
    else:
        place = next(places(record))
        kind, size = next((kind, size) for kind, size in SIZES.items() if value < 1 << 8 * size and kind != 5)
        header = dib(record["function"], *place, kind) + vib(WORDS[record["vif"]], record["vife"])
    return (header + value.to_bytes(size, "little"), place) if value < 1 << 8 * size else None


def words() -> Iterator[Case]:
    for model in described():
        for flags in model["flags"]:
            record, target = flags["record"], flags.get("joined_into") or flags["field"]
            if not isinstance(record, dict) or not ("dif_vif" in record or record["vif"] in WORDS):
                continue
            for value, word in bits(flags):
                built = sent(record, value)
                if built and (model["model"], word) not in SHADOWED:
                    yield Case(model["model"], identity(model), built[0], named(target, built[1]), word)


def status_words() -> Iterator[Case]:
    """Words of the manufacturer's bits of the status byte."""
    for model in described():
        for flags in model["flags"]:
            if isinstance(flags["record"], str):
                for value, word in bits(flags):
                    target = flags.get("joined_into") or flags["field"]
                    yield Case(model["model"], identity(model), b"", target, word, status=value)


# --- what is told --------------------------------------------------------------------------------


def told(case: Case, stream: DecodeStream) -> object:
    frame = build(case.meter, case.record, status=case.status)
    line = stream.answer(json.dumps({"telegram": frame.hex(), "model": case.model}).encode())[0]
    return json.loads(line, parse_float=Decimal, parse_int=Decimal).get(case.name)


def agrees(case: Case, value: object) -> bool:
    if isinstance(case.expected, Decimal):
        return isinstance(value, Decimal) and round(value, 6) == round(case.expected, 6)
    if case.expected == "2025-09-15":
        return str(value).startswith("2025-09-15")
    return value == case.expected or set(str(case.expected).split()) <= set(str(value).split())


def differing(cases: Iterator[Case]) -> tuple[int, list[str]]:
    """Count the cases, and say which are told otherwise."""
    stream = DecodeStream(clock=FixedClock(datetime(2026, 1, 2, tzinfo=UTC)))
    asked, wrong = 0, []
    for case in cases:
        asked += 1
        if not agrees(case, value := told(case, stream)):
            wrong.append(f"{case.model} {case.name}: {value}, not {case.expected} of {case.record.hex()}")
    return asked, wrong


def test_each_described_field_is_told_with_its_value():
    asked, wrong = differing(fields())
    assert wrong == []
    assert asked > 900


def test_each_described_status_word_is_told():
    asked, wrong = differing(words())
    assert wrong == []
    assert asked > 450


def test_each_described_word_of_the_status_byte_is_told():
    asked, wrong = differing(status_words())
    assert wrong == []
    assert asked > 20
