"""Meter keys as the manufacturer delivers them: ``meter_id,key``. What a key cell says is never repeated."""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from metering.errors import InvalidValue
from metering.meter import MeterId
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "KeyRow", "doubts", "read_keys"]

COLUMNS = ("meter_id", "key")

_HEX = set(string.hexdigits)
_DIGITS = frozenset({32, 16})
_DES = 8


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row, understood. The key is 16 bytes (AES) or 8 (DES) and never shown."""

    number: int
    meter: MeterId
    key: bytes = field(repr=False)


def read_keys(raw: bytes, source: str) -> list[KeyRow]:
    """Understand a key list.

    Raises:
        ImportRefused: with every fault of the file, none of which repeats a key.
    """
    faults = Faults(source)
    table = read_table(raw, COLUMNS, faults, needed=(COLUMNS,), secret=True)
    understood = [_row(row, faults) for row in table]
    rows = [row for row in understood if row is not None]
    first: dict[MeterId, int] = {}
    for row in rows:
        if (earlier := first.setdefault(row.meter, row.number)) != row.number:
            faults.add(row.number, "meter_id", f"the same meter is in row {earlier}")
    faults.refuse_if_any()
    return rows


def doubts(rows: Sequence[KeyRow]) -> list[str]:
    """Say what is allowed but seldom meant: a key shared by many meters, of zeros, or for DES."""
    sharing: dict[bytes, list[int]] = defaultdict(list)
    for row in rows:
        sharing[row.key].append(row.number)
    zeros = [number for key in [*sharing] if not any(key) for number in sharing.pop(key)]
    said = [f"{_rows(zeros)}: the key is all zeros; is it a placeholder?"] if zeros else []
    if short := [row.number for row in rows if len(row.key) == _DES]:
        said.append(f"{_rows(short)}: a key of 16 digits fits only meters with DES; were digits lost?")
    shared = [numbers for numbers in sharing.values() if len(numbers) > 1]
    return said + [f"{_rows(numbers)}: {len(numbers)} meters share one key" for numbers in shared]


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return f"row{'s' * (len(numbers) > 1)} {shown}{', ...' * (len(numbers) > 5)}"


def _row(row: Row, faults: Faults) -> KeyRow | None:
    meter, key = _meter(row, faults), _key(row, faults)
    return KeyRow(row.number, meter, key) if meter and key else None


def _meter(row: Row, faults: Faults) -> MeterId | None:
    try:
        return MeterId.parse(row["meter_id"])
    except InvalidValue:
        faults.add(row.number, "meter_id", "not a meter id like KAM-76348799-1b-16")
        return None


def _key(row: Row, faults: Faults) -> bytes | None:
    digits = "".join(row["key"].split())
    if not _HEX.issuperset(digits):
        faults.add(row.number, "key", f"holds other signs than hexadecimal digits ({len(digits)} signs)")
    elif len(digits) not in _DIGITS:
        said = f"{len(digits)} hexadecimal digits where a key has 32 (16 for meters with DES)"
        faults.add(row.number, "key", said)
    else:
        return bytes.fromhex(digits)
    return None
