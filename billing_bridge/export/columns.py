"""Columns of a file as a template says: which field, in which form, under which name.

::

    [file]
    delimiter = ";"        decimal = ","        header = true

    [[column]]
    name = "MRREASON"
    field = "reason"                              one of billing_bridge.export.rows.FIELDS
    values = { calendar = "01", exchange = "22" } what the receiver calls it
    form = "date:%Y%m%d" | "decimal:3" | "floor:0" | "text"
    width = 18                                    at most; longer is refused, never cut
    constant = "..."                              instead of a field

Text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from billing_bridge.boundary import How
from billing_bridge.export.rows import FIELDS, Cell, Row
from metering.errors import InvalidValue

__all__ = ["SHIPPED", "Column", "Template", "read_template", "shipped_template"]

SHIPPED = ("plain", "sap")
"""Templates that come with the program."""

_FILE_KEYS = {"delimiter", "decimal", "header", "line_end"}
_COLUMN_KEYS = {"name", "field", "constant", "values", "form", "width"}
_DELIMITERS = (";", ",", "\t", "|")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_DEFAULT_DATE = "%Y-%m-%dT%H:%M:%S%z"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as the header says.
        source: name of the field; empty for a constant.
        constant: what stands in every row.
        values: what the receiver calls the values of the field; empty = as they are.
        form: ``text``, ``date:FORMAT``, ``decimal:PLACES``, ``floor:PLACES``; empty = by the value.
        width: characters at most; 0 = any.
    """

    name: str
    source: str = ""
    constant: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """What a file looks like.

    Attributes:
        columns: in order.
        delimiter: between cells.
        decimal: between whole and part.
        header: whether the first line names the columns.
        line_end: after each line.
    """

    columns: tuple[Column, ...]
    delimiter: str = ";"
    decimal: str = "."
    header: bool = True
    line_end: str = "\r\n"

    def cells(self, row: Row, zone: ZoneInfo) -> list[str]:
        """Give the cells of a row.

        Raises:
            InvalidValue: a value the template has no name or no room for; which, and of which read.
        """
        return [self._cell(column, row, zone) for column in self.columns]

    def _cell(self, column: Column, row: Row, zone: ZoneInfo) -> str:
        if not column.source:
            return column.constant
        value = FIELDS[column.source](row)
        if column.values:
            value = _renamed(column, value, row)
        text = self._text(value, column.form, zone)
        if column.width and len(text) > column.width:
            of = row.read["key"]
            raise InvalidValue(f"{of}: {column.name} {text!r} is longer than {column.width} characters")
        return text

    def _text(self, value: Cell, form: str, zone: ZoneInfo) -> str:
        kind, _, how = form.partition(":")
        match value:
            case None:
                return ""
            case datetime():
                return value.astimezone(zone).strftime(how if kind == "date" else _DEFAULT_DATE)
            case Decimal():
                return _number(value, kind, how).replace(".", self.decimal)
            case int():
                return str(value)
            case _:
                return _harmless(value)


def _renamed(column: Column, value: Cell, row: Row) -> str:
    said = "" if value is None else str(value)
    named = column.values.get(said)
    if named is None and said in set(How):
        named = column.values.get(How(said).kind.value)  # a template may name who read it, not which way
    if named is None:
        raise InvalidValue(
            f"{row.read['key']}: the template has no {column.name} for {column.source} {value!r}"
        )
    return named


def _number(value: Decimal, kind: str, how: str) -> str:
    """Give a number: as exact as it is, or cut to places (an index is floored, never rounded up)."""
    if kind not in {"decimal", "floor"}:
        return format(value, "f")
    step = Decimal(1).scaleb(-int(how))
    with localcontext() as context:
        context.prec = 50
        cut = value.quantize(step, ROUND_FLOOR)
    if kind == "decimal" and cut != value:
        raise InvalidValue(f"{value} does not fit into {how} decimal places; 'floor:{how}' would cut it")
    return format(cut, "f")


def _harmless(text: str) -> str:
    line = " ".join(text.split()) if text.strip() != text or re.search(r"[\r\n\t]", text) else text
    return f"'{line}" if line.startswith(_DANGEROUS) else line


# --- reading templates ---------------------------------------------------------------------------


def shipped_template(name: str) -> Template:
    """Give a template that comes with the program.

    Raises:
        InvalidValue: none of that name.
    """
    if name not in SHIPPED:
        raise InvalidValue(f"there is no template {name!r}; shipped are {', '.join(SHIPPED)}, or name a file")
    text = files("billing_bridge.export").joinpath("templates", f"{name}.toml").read_text("utf-8")
    return read_template(text, f"{name}.toml")


def read_template(text: str, where: str) -> Template:
    """Read a template.

    Args:
        text: TOML.
        where: name of the file, for what is wrong with it.

    Raises:
        InvalidValue: what is wrong, with file and line.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise InvalidValue(f"{where}: {wrong}") from None
    fault = _Faults(text, where)
    fault.unknown(told, {"file", "column"}, "")
    general = told.get("file", {})
    fault.unknown(general, _FILE_KEYS, "[file]")
    if not isinstance(general.get("header", True), bool):
        raise fault.at("header", "header is true or false")
    rows = told.get("column", [])
    if not isinstance(rows, list) or not rows:
        raise InvalidValue(f"{where}: no [[column]] in it")
    made = Template(columns=tuple(_column(row, fault) for row in rows), **general)
    if made.delimiter not in _DELIMITERS:
        raise fault.at("delimiter", f"the delimiter is one of {' '.join(map(repr, _DELIMITERS))}")
    if made.decimal not in {".", ","} or made.decimal == made.delimiter:
        raise fault.at("decimal", "decimal is '.' or ',', and not the delimiter")
    names = [column.name for column in made.columns]
    for name in names:
        if names.count(name) > 1:
            raise fault.at(name, f"two columns are called {name}")
    return made


@dataclass(frozen=True, slots=True)
class _Faults:
    """Says where in the file something is wrong."""

    text: str
    where: str

    def at(self, word: str, sentence: str) -> InvalidValue:
        lines = self.text.splitlines()
        found = next((number for number, line in enumerate(lines, 1) if word in line), None)
        return InvalidValue(f"{self.where}{f' line {found}' if found else ''}: {sentence}")

    def unknown(self, table: Mapping[str, Any], known: set[str], of: str) -> None:
        for key in table:
            if key not in known:
                raise self.at(
                    key, f"{key} is nothing {of or 'a template'} has; it has {', '.join(sorted(known))}"
                )


def _column(row: Mapping[str, Any], fault: _Faults) -> Column:
    fault.unknown(row, _COLUMN_KEYS, "[[column]]")
    name = row.get("name")
    if not isinstance(name, str) or not name:
        raise fault.at("[[column]]", "a column has no name")
    source, constant = row.get("field", ""), row.get("constant")
    if bool(source) == (constant is not None):
        raise fault.at(name, f"column {name} has either a field or a constant")
    if source and source not in FIELDS:
        raise fault.at(f'"{source}"', f"there is no field {source}; there are {', '.join(sorted(FIELDS))}")
    form = str(row.get("form", ""))
    if not re.fullmatch(r"|text|date:.+|(decimal|floor):\d{1,2}", form):
        raise fault.at(form, f"form {form!r} is none of text, date:%Y%m%d, decimal:3, floor:0")
    width, values = row.get("width", 0), row.get("values", {})
    if not isinstance(width, int) or width < 0:
        raise fault.at("width", "width is a whole number of characters")
    if not isinstance(values, dict):
        raise fault.at("values", 'values is a table: { calendar = "01" }')
    named = {str(key): str(value) for key, value in values.items()}
    return Column(name, str(source), str(constant or ""), named, form, width)
