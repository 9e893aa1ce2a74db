"""``make decoder-report``: how far each meter model agrees with what is expected of real telegrams.

Prints the page ``docs/decoder-report.md``. Each telegram is decoded twice, with its model detected and with
it named, in the flat form; a field agrees if name and value are as expected.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from metering.clock import SystemClock
from service.decode_stream import DecodeStream

FOLDER = Path(os.environ.get("NURT_TELEGRAMS", Path(__file__).parents[2] / "shared/telegrams"))
SUCCESSORS = {"izar": "izarv2", "qwater": "qwaterv2", "qheat": "qheatv2", "hydroclima": "hydroclimav2"}
NOT_COMPARED = {"name", "timestamp"}

HEAD = """\
# How far the models agree with real telegrams

`make decoder-report`, {day}. The corpus is `wmbus.jsonl` of the shared telegrams: {telegrams} telegrams of
{models} models whose expectation stands alone or in a sequence. Compared are all expected fields by name and
value, but for the time of reception and the name a user gave; once with the model detected, once with it
named. Telegrams of {retired} are read by their successors, which name fields otherwise, and are not counted
here. `tests/e2e/test_judge.py` holds the table to this and says what we hold to be wrong in the other two
files.

| model | telegrams | expected fields | detected | named |
|---|---:|---:|---:|---:|
"""


class Tally:
    """What is counted for one model."""

    def __init__(self) -> None:
        self.telegrams = self.expected = 0
        self.told = Counter[str]()

    def row(self, name: str) -> str:
        """Write it as a row of the table."""
        cells = (name, self.telegrams, self.expected, self.told["detected"], self.told["named"])
        return f"| {' | '.join(map(str, cells))} |"


def rows() -> Iterator[dict[str, Any]]:
    for line in (FOLDER / "wmbus.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line, parse_float=Decimal, parse_int=Decimal)


def counts(row: dict[str, Any]) -> bool:
    in_sequence = any(part["ok"] for part in row.get("sequence", ()))
    return bool(row["expected"]) and bool(row.get("standalone_ok") or in_sequence)


def agreement(way: str, tallies: dict[str, Tally]) -> None:
    stream = DecodeStream(clock=SystemClock())
    for row in rows():
        model = SUCCESSORS.get(row["driver"], row["driver"]) if way == "named" else None
        line = json.dumps({"telegram": row["telegram"], "key": row["key"], "model": model}).encode()
        told = json.loads(stream.answer(line)[0], parse_float=Decimal, parse_int=Decimal)
        if row["driver"] in SUCCESSORS or not counts(row):
            continue
        expected = {name: value for name, value in row["expected"].items() if name not in NOT_COMPARED}
        tally = tallies[row["driver"]]
        tally.telegrams += way == "named"
        tally.expected += len(expected) * (way == "named")
        tally.told[way] += sum(told.get(name, "missing") == value for name, value in expected.items())


def total(tallies: Sequence[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.telegrams += tally.telegrams
        whole.expected += tally.expected
        whole.told += tally.told
    return whole


def main() -> int:
    if not FOLDER.is_dir():
        print(f"the shared telegrams are not at {FOLDER} (NURT_TELEGRAMS)", file=sys.stderr)
        return 1
    tallies: dict[str, Tally] = defaultdict(Tally)
    for way in ("detected", "named"):
        agreement(way, tallies)
    whole = total(list(tallies.values()))
    retired = ", ".join(SUCCESSORS)
    day = SystemClock().now().date()
    print(HEAD.format(day=day, telegrams=whole.telegrams, models=len(tallies), retired=retired), end="")
    print("\n".join([*(tallies[name].row(name) for name in sorted(tallies)), whole.row("**all**")]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
