"""Meter keys as the manufacturer delivers them: ``meter_id,key``. What a key cell says is never repeated.

``valid_from`` and ``valid_to`` (a time, or a date for the beginning of that local day) say of which telegrams
a key is, where the key of a meter was changed; it may then stand in several rows.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from decoders.wmbus.diehl import DEFAULT_AES_KEY, PUBLISHED_KEYS
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.ports import KeyPeriod
from service.imports.cells import when
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "KeyRow", "doubts", "doubts_of_key", "read_keys"]

COLUMNS = ("meter_id", "key", "valid_from", "valid_to")
_NEEDED = ("meter_id", "key")
_UTC = ZoneInfo("UTC")

_HEX = set(string.hexdigits)
_DIGITS = frozenset({32, 16})
_DES = 8
_PUBLISHED = frozenset({*PUBLISHED_KEYS, DEFAULT_AES_KEY})


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row, understood. The key is 16 bytes (AES) or 8 (DES) and never shown."""

    number: int
    meter: MeterId
    key: bytes = field(repr=False)
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def dated(self) -> bool:
        """Whether the row says when the key is valid."""
        return self.valid_from is not None or self.valid_to is not None

    @property
    def period(self) -> KeyPeriod:
        """The key with its validity."""
        return KeyPeriod(self.key, self.valid_from, self.valid_to)


def read_keys(raw: bytes, source: str, zone: ZoneInfo = _UTC) -> list[KeyRow]:
    """Understand a key list.

    Raises:
        ImportRefused: with every fault of the file, none of which repeats a key.
    """
    faults = Faults(source)
    table = read_table(raw, COLUMNS, faults, needed=(_NEEDED,), secret=True)
    understood = [_row(row, faults, zone) for row in table]
    rows = [row for row in understood if row is not None]
    first: dict[MeterId, KeyRow] = {}
    for row in rows:
        earlier = first.setdefault(row.meter, row)
        if earlier is not row and not (row.dated and earlier.dated):
            faults.add(row.number, "meter_id", f"the same meter is in row {earlier.number}")
    faults.refuse_if_any()
    return rows


def doubts(rows: Sequence[KeyRow]) -> list[str]:
    """Say what is allowed but seldom meant: a key shared by many meters, of zeros, published, for DES."""
    sharing: dict[bytes, list[int]] = defaultdict(list)
    doubtful: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if any(row.key):
            sharing[row.key].append(row.number)
        for doubt in doubts_of_key(row):
            doubtful[doubt].append(row.number)
    said = [f"{_rows(numbers)}: {doubt}" for doubt, numbers in doubtful.items()]
    shared = [numbers for numbers in sharing.values() if len(numbers) > 1]
    return said + [f"{_rows(numbers)}: {len(numbers)} meters share one key" for numbers in shared]


def doubts_of_key(row: KeyRow) -> Iterator[str]:
    """Say what is seldom meant about one key."""
    if not any(row.key):
        yield "the key is all zeros; is it a placeholder?"
    elif row.key in _PUBLISHED:
        yield "the key is published; everybody can read these meters"
    elif _is_regular(row.key):
        yield "the key counts up or repeats one byte; is it a placeholder?"
    elif len(row.key) == _DES:
        yield "a key of 16 digits fits only meters with DES; were digits lost?"


def _is_regular(key: bytes) -> bool:
    """Whether each byte is the same step from the one before: no random key is."""
    return len({(later - earlier) % 256 for earlier, later in pairwise(key)}) == 1


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return f"row{'s' * (len(numbers) > 1)} {shown}{', ...' * (len(numbers) > 5)}"


def _row(row: Row, faults: Faults, zone: ZoneInfo) -> KeyRow | None:
    meter, key = _meter(row, faults), _key(row, faults)
    since, until = (when(row, column, zone, faults) for column in ("valid_from", "valid_to"))
    if since and until and until <= since:
        faults.add(row.number, "valid_to", "must be behind valid_from")
    return KeyRow(row.number, meter, key, since, until) if meter and key else None


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
