"""Files of readings and of meters, Parquet or CSV, as columns for the anomaly scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from anomaly.series import MeterClass, MeterFacts, Series
from metering.errors import RowFault
from service.table_files import TableRefused, number_column, read_columns, seconds_column, text_column

__all__ = ["read_facts", "read_series"]

_READINGS = ("meter_id", "ts_utc", "index_l")


def read_series(path: Path, facts: Mapping[str, MeterFacts] | None = None) -> Iterator[Series]:
    """Read ``meter_id, ts_utc, index_l [, seq]`` and give the series of each meter, by meter id.

    What is no time or no number stays in the series and is refused by the gate, not here.

    Raises:
        TableRefused: not a file of readings.
    """
    table = read_columns(path, _READINGS, ("meter_id",))
    meters = text_column(table, "meter_id")
    code = np.asarray(meters.indices.fill_null(-1))
    names = meters.dictionary.to_pylist()
    at, index = seconds_column(table, "ts_utc", path), number_column(table, "index_l", path)
    seq = number_column(table, "seq", path) if "seq" in table.column_names else None
    order = np.lexsort((np.arange(len(code)) if seq is None else seq, code))
    edges = np.searchsorted(code[order], np.arange(len(names) + 1))
    known = facts or {}
    for number in sorted(range(len(names)), key=names.__getitem__):
        rows = order[edges[number] : edges[number + 1]]
        yield Series.arrived(known.get(names[number], MeterFacts(names[number])), at[rows], index[rows])


def read_facts(path: Path) -> dict[str, MeterFacts]:
    """Read ``meter_id [, class, q3_m3h, digits, resolution_l]``.

    Raises:
        TableRefused: not a file of meters, or a value that cannot be; every fault is told.
    """
    faults: list[RowFault] = []
    facts: dict[str, MeterFacts] = {}
    for number, row in enumerate(read_columns(path, ("meter_id",), ("meter_id",)).to_pylist(), start=2):
        try:
            told = _facts(row)
        except ValueError as wrong:
            faults.append(RowFault(number, None, str(wrong)))
            continue
        if told.meter in facts and facts[told.meter] != told:
            faults.append(
                RowFault(number, "meter_id", f"{told.meter} stands in an earlier row with other facts")
            )
        facts.setdefault(told.meter, told)
    if faults:
        raise TableRefused(path.name, faults)
    return facts


def _facts(row: Mapping[str, object]) -> MeterFacts:
    digits = _positive(row, "digits")
    if row["meter_id"] is None:
        raise ValueError("meter_id is empty")
    return MeterFacts(
        meter=str(row["meter_id"]),
        kind=_class(str(row.get("class") or MeterClass.RESIDENTIAL)),
        q3_m3h=_positive(row, "q3_m3h"),
        digits=None if digits is None else int(digits),
        resolution_l=_positive(row, "resolution_l"),
    )


def _class(name: str) -> MeterClass:
    if name not in set(MeterClass):
        raise ValueError(f"class is {name}; it must be one of {', '.join(MeterClass)}")
    return MeterClass(name)


def _positive(row: Mapping[str, object], column: str) -> float | None:
    given = row.get(column)
    if given is None or given == "":
        return None
    try:
        number = float(str(given).replace(",", "."))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"{column} is {given}; it must be a number above zero")
    return number
