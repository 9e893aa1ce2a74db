"""Files of readings and of meters, Parquet or CSV, as columns for the anomaly scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from anomaly.series import MeterClass, MeterFacts, Series
from metering.errors import ImportRefused, RowFault

__all__ = ["number_column", "read_facts", "read_series", "seconds_column"]

_READINGS = ("meter_id", "ts_utc", "index_l")
_SECONDS = pa.timestamp("s", tz="UTC")
_FINE = pa.timestamp("us", tz="UTC")
_NEVER = np.iinfo(np.int64).min


def read_series(path: Path, facts: Mapping[str, MeterFacts] | None = None) -> Iterator[Series]:
    """Read ``meter_id, ts_utc, index_l [, seq]`` and give the series of each meter, by meter id.

    What is no time or no number stays in the series and is refused by the gate, not here.

    Raises:
        ImportRefused: not a file of readings.
    """
    table = _table(path, _READINGS)
    meters = table["meter_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    code = np.asarray(meters.indices.fill_null(-1))
    names = meters.dictionary.to_pylist()
    at, index = seconds_column(table["ts_utc"], path), _litres(table["index_l"], path)
    seq = number_column(table["seq"], path) if "seq" in table.column_names else None
    order = np.lexsort((np.arange(len(code)) if seq is None else seq, code))
    edges = np.searchsorted(code[order], np.arange(len(names) + 1))
    known = facts or {}
    for number in sorted(range(len(names)), key=names.__getitem__):
        rows = order[edges[number] : edges[number + 1]]
        yield Series.arrived(known.get(names[number], MeterFacts(names[number])), at[rows], index[rows])


def read_facts(path: Path) -> dict[str, MeterFacts]:
    """Read ``meter_id [, class, q3_m3h, digits, resolution_l]``.

    Raises:
        ImportRefused: not a file of meters, or a value that cannot be; every fault is told.
    """
    faults: list[RowFault] = []
    facts: dict[str, MeterFacts] = {}
    for number, row in enumerate(_table(path, ("meter_id",)).to_pylist(), start=2):
        try:
            told = _facts(row)
        except ValueError as wrong:
            faults.append(RowFault(number, None, str(wrong)))
        else:
            facts[told.meter] = told
    if faults:
        raise ImportRefused(path.name, faults)
    return facts


def _facts(row: Mapping[str, object]) -> MeterFacts:
    digits = _positive(row, "digits")
    return MeterFacts(
        meter=str(row["meter_id"]),
        kind=MeterClass(str(row.get("class") or MeterClass.RESIDENTIAL)),
        q3_m3h=_positive(row, "q3_m3h"),
        digits=None if digits is None else int(digits),
        resolution_l=_positive(row, "resolution_l"),
    )


def _positive(row: Mapping[str, object], column: str) -> float | None:
    given = row.get(column)
    if given is None or given == "":
        return None
    number = float(str(given))
    if not 0 < number < float("inf"):
        raise ValueError(f"{column} is {given}; it must be a number above zero")
    return number


def _table(path: Path, needed: tuple[str, ...]) -> pa.Table:
    try:
        table = _read_csv(path) if path.suffix.lower() == ".csv" else pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as wrong:
        raise ImportRefused(path.name, [RowFault(1, None, f"cannot be read: {wrong}")]) from wrong
    missing = [column for column in needed if column not in table.column_names]
    if missing:
        raise ImportRefused(path.name, [RowFault(1, column, "is missing") for column in missing])
    return table


def _read_csv(path: Path) -> pa.Table:
    """Ids are texts, also where they look like numbers: leading zeros count."""
    convert = pa.csv.ConvertOptions(column_types={"meter_id": pa.string()}, strings_can_be_null=True)
    return pa.csv.read_csv(path, convert_options=convert)


def seconds_column(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Give UTC seconds; times without a zone are UTC, as the column's name says. No time at all: far past."""
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.cast(column, _FINE)
        elif pa.types.is_timestamp(column.type):
            column = pc.cast(pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False), _FINE)
        else:
            raise ImportRefused(path.name, [RowFault(1, "ts_utc", f"is no time but {column.type}")])
        seconds = pc.cast(pc.cast(column, _SECONDS, safe=False), pa.int64())
    except pa.ArrowInvalid as wrong:
        raise ImportRefused(path.name, [RowFault(1, "ts_utc", str(wrong))]) from wrong
    return np.asarray(pc.fill_null(seconds, int(_NEVER)).to_numpy(), np.int64)


def _litres(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(number_column(column, path), np.float64)


def number_column(column: pa.ChunkedArray, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Give binary floats.

    Raises:
        ImportRefused: not numbers.
    """
    try:
        return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), np.float64)
    except pa.ArrowException as wrong:
        raise ImportRefused(path.name, [RowFault(1, None, str(wrong))]) from wrong
