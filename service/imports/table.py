"""CSV as spreadsheets write it: UTF-8, comma or semicolon, a header row; every fault with its row.

Rows are numbered as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from metering.errors import ImportRefused, RowFault

__all__ = ["Faults", "Row", "read_table"]

_MOST_COLUMNS = 200
"""More are no table of ours: nobody is told a million times that a column is unknown."""


@dataclass
class Faults:
    """Collects what is wrong in a file, so that all of it can be told at once."""

    source: str
    found: list[RowFault] = field(default_factory=list)

    def add(self, row: int, column: str | None, sentence: str) -> None:
        """Note one fault."""
        self.found.append(RowFault(row, column, sentence))

    def refuse_if_any(self) -> None:
        """Refuse the file if anything was wrong.

        Raises:
            ImportRefused: with every fault, in row order.
        """
        if self.found:
            raise ImportRefused(self.source, sorted(self.found, key=lambda fault: fault.row))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number and its cells by column name, blanks around them removed."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Give a cell; empty if the file has no such column."""
        return self.cells.get(column, "")


def read_table(
    raw: bytes,
    columns: Collection[str],
    faults: Faults,
    *,
    needed: Sequence[Collection[str]],
    secret: bool = False,
) -> list[Row]:
    """Read a table with some of the known columns, in any order.

    Args:
        raw: the file.
        columns: names a header may have.
        faults: where wrong rows are noted.
        needed: sets of columns, one of which must be there.
        secret: never repeat what the file says, not even a header: it may be a key.

    Raises:
        ImportRefused: the file is not UTF-8, or its header is not understood; no row is looked at then.
    """
    numbered = _records(_text(raw, faults), faults)
    first = next(numbered, None)
    if first is None:
        faults.add(1, None, "the file is empty; its first row names the columns")
        faults.refuse_if_any()
        return []
    header = [name.strip().lower() for name in first[1]]
    _check_header(header, first[0], columns, faults, secret=secret)
    if not faults.found and not any(set(names) <= set(header) for names in needed):
        wanted = ", or ".join(" and ".join(names) for names in needed)
        faults.add(first[0], None, f"the header lacks {wanted}")
    faults.refuse_if_any()
    return [row for number, cells in numbered if (row := _row(number, cells, header, faults))]


def _text(raw: bytes, faults: Faults) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        row = raw.count(b"\n", 0, wrong.start) + 1
        faults.add(
            row,
            None,
            f"byte {raw[wrong.start]:#04x} is not UTF-8 text; save the file as UTF-8"
            " (in spreadsheets: 'CSV UTF-8'), not as Windows-1250 or Unicode",
        )
        faults.refuse_if_any()
        raise


def _records(text: str, faults: Faults) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the rows that are not blank, with their numbers."""
    number = 0
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True):
            number += 1
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as wrong:
        faults.add(number + 1, None, f"not a table row: {wrong}")


def _delimiter(text: str) -> str:
    """Take the sign the header is divided by; its names hold neither."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def _check_header(
    header: Sequence[str], row: int, columns: Collection[str], faults: Faults, *, secret: bool
) -> None:
    if len(header) > _MOST_COLUMNS:
        faults.add(row, None, f"{len(header)} columns; is this a table with a header row, one row a line?")
        return
    for position, name in enumerate(header):
        if name not in columns:
            said = f"number {position + 1}" if secret else repr(name[:40])
            faults.add(row, None, f"unknown column {said}; {_known(name, columns)}")
        elif name in header[:position]:
            faults.add(row, None, f"column {name} is there twice")


def _known(name: str, columns: Collection[str]) -> str:
    close = difflib.get_close_matches(name, columns, n=1)
    return f"did you mean {close[0]}?" if close else f"known columns: {', '.join(columns)}"


def _row(number: int, cells: Sequence[str], header: Sequence[str], faults: Faults) -> Row | None:
    if len(cells) != len(header):
        faults.add(number, None, f"{len(cells)} cells where the header has {len(header)}")
        return None
    return Row(number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
