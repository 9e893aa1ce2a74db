"""Tables in files, Parquet or CSV, as columns: what each column is, and which row is wrong.

A file is what it begins with, not what it is called. CSV with ``;`` between cells has decimal commas.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from metering.errors import ImportRefused, RowFault

__all__ = ["NEVER", "TableRefused", "number_column", "read_columns", "seconds_column", "text_column"]

NEVER = np.iinfo(np.int64).min
"""What stands where there is no time."""
_SECONDS = pa.timestamp("s", tz="UTC")
_FINE = pa.timestamp("us", tz="UTC")
_MAGIC = b"PAR1"
_SHOWN = 60


class TableRefused(ImportRefused):
    """A file cannot be judged as a whole."""

    def __init__(self, source: str, faults: Sequence[RowFault]) -> None:
        super().__init__(source, faults)
        self.args = (f"{source}: cannot be judged",)


def read_columns(path: Path, needed: Collection[str], texts: Collection[str] = ()) -> pa.Table:
    """Read a table that has the needed columns; others may be there.

    Args:
        path: the file.
        needed: columns it must have.
        texts: columns that are texts also where they look like numbers: leading zeros count.

    Raises:
        TableRefused: it cannot be read, or a column is missing.
    """
    try:
        table = _read(path, texts)
    except (pa.ArrowException, OSError) as wrong:
        raise TableRefused(path.name, [RowFault(1, None, _why_not(path, wrong))]) from wrong
    missing = [column for column in needed if column not in table.column_names]
    if missing:
        there = ", ".join(table.column_names[:12]) or "none"
        faults = [RowFault(1, column, f"is missing; there are: {there}") for column in missing]
        raise TableRefused(path.name, faults)
    return table


def _read(path: Path, texts: Collection[str]) -> pa.Table:
    with path.open("rb") as file:
        begin = file.read(4096)
    if begin.startswith(_MAGIC) or path.suffix.lower() == ".parquet":
        return pa.parquet.read_table(path)
    header, _, rest = begin.partition(b"\n")
    semicolons = b";" in header
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(texts, pa.string()),
        strings_can_be_null=True,
        decimal_point="," if semicolons and b"," in rest else ".",
    )
    parse = pa.csv.ParseOptions(delimiter=";" if semicolons else ",")
    return pa.csv.read_csv(path, convert_options=convert, parse_options=parse)


def _why_not(path: Path, wrong: Exception) -> str:
    if isinstance(wrong, OSError) and not isinstance(wrong, pa.ArrowException) and wrong.strerror:
        return f"cannot be read: {wrong.strerror}"
    if path.suffix.lower() == ".parquet":
        return "cannot be read: this is no whole Parquet file"
    said = str(wrong).partition(". ")[0].partition("\n")[0]
    return f"cannot be read as CSV: {said[:200]}"


def text_column(table: pa.Table, name: str) -> pa.DictionaryArray:
    """Give texts as numbers into a list of them."""
    return table[name].cast(pa.string()).combine_chunks().dictionary_encode()


def seconds_column(table: pa.Table, name: str, path: Path) -> NDArray[np.int64]:
    """Give UTC seconds; times without a zone are UTC, as the column's name says. No time at all: NEVER.

    Raises:
        TableRefused: not times.
    """
    column = table[name]
    if pa.types.is_null(column.type):
        return np.full(len(column), NEVER, np.int64)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _cast(column, _FINE, name, path, "a time like 2026-01-31T06:00:00Z")
    elif pa.types.is_timestamp(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False), _FINE)
    elif pa.types.is_date(column.type):
        column = pc.cast(column, _FINE)
    else:
        raise TableRefused(path.name, [RowFault(1, name, f"holds no times but {column.type}")])
    seconds = pc.cast(pc.cast(column, _SECONDS, safe=False), pa.int64())
    return np.asarray(pc.fill_null(seconds, int(NEVER)).to_numpy(), np.int64)


def number_column(table: pa.Table, name: str, path: Path) -> NDArray[np.float64]:
    """Give binary floats; NaN where there is no number.

    Raises:
        TableRefused: not numbers.
    """
    column = table[name]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(_cast(column, pa.float64(), name, path, "a number").to_numpy(), np.float64)


def _cast(column: pa.ChunkedArray, kind: pa.DataType, name: str, path: Path, wanted: str) -> pa.ChunkedArray:
    try:
        return pc.cast(column, kind, safe=False)
    except pa.ArrowException as wrong:
        fault = _first_fault(column, kind, name, wanted)
        raise TableRefused(path.name, [fault]) from wrong


def _first_fault(column: pa.ChunkedArray, kind: pa.DataType, name: str, wanted: str) -> RowFault:
    """Find the first row that is wrong, by halves."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return RowFault(1, name, f"holds not {wanted} in each row but {column.type}")
    first, last = 0, len(column)
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (middle, last) if _fits(column.slice(first, middle - first), kind) else (first, middle)
    return RowFault(first + 2, name, f"{column[first].as_py()[:_SHOWN]!r} is not {wanted}")


def _fits(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        pc.cast(column, kind, safe=False)
    except pa.ArrowException:
        return False
    return True
