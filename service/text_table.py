"""Rows as a table of plain text, for terminals and logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["text_table"]


def text_table(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Give the lines: names of the columns, then the rows, each column as wide as it must be."""
    if not rows:
        return
    columns = list(rows[0])
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[number]) for line in lines) for number in range(len(columns))]
    for line in lines:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == "" else str(value)
