"""What no table can say: small pure functions a model file names.

One hook is one file of this package, found by its name. There are two kinds:

- A *calculation* (``hook = "sum_of"`` in a ``[[field]]``) makes one value: the file has ``calculate``, a
  :class:`Calculation`. It takes the fields named by ``of``, the field's own record if it has one, and the
  number said by ``number``.
- A *payload reader* (``hook = "..."`` at the top of the file) turns what the manufacturer wrote in a form of
  its own into ordinary records: the file has ``read_payload``, a :class:`PayloadReader`, made of the parts in
  :mod:`decoders.payload`. Where the payload is a table, the file has ``read_table`` instead, a
  :class:`TableReader`, made of the parts in :mod:`decoders.rows`.

A calculation never raises for what a telegram holds: a value that cannot be told is ``None``. A payload
reader raises nothing but a :class:`~decoders.errors.DecodeError`.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from decoders.payload import Payload, Sent
from decoders.rows import Table, payload_of
from decoders.telegram import Record, Value

__all__ = [
    "Calculation",
    "Given",
    "PayloadReader",
    "TableReader",
    "calculation",
    "payload_reader",
    "table_reader",
]


@dataclass(frozen=True, slots=True)
class Given:
    """What a calculation takes.

    Attributes:
        operands: values of the fields named by ``of``, in that order; ``None`` for one that is not told.
        record: the field's record, if it has one.
        number: the number said by ``number``; 0 if none is.
    """

    operands: tuple[Value, ...] = ()
    record: Record | None = None
    number: int = 0


class Calculation(Protocol):
    """Makes one value out of others."""

    def __call__(self, given: Given, /) -> Value:
        """Return the value in the unit of the field's name; ``None`` = there is none."""
        ...


class PayloadReader(Protocol):
    """Reads what a manufacturer wrote in a form of its own."""

    def __call__(self, sent: Sent, /) -> Payload:
        """Return the payload's records; :data:`~decoders.payload.NOT_MINE` if it is not of this form.

        Raises:
            DecodeError: it ought to be of this form but is not, or a key is missing or wrong.
        """
        ...


class TableReader(Protocol):
    """Says where in what a manufacturer wrote in a form of its own which value stands."""

    def __call__(self, sent: Sent, /) -> Table:
        """Return the table; one without rows if the payload is not of this form.

        Raises:
            DecodeError: it ought to be of this form but is not, or a key is missing or wrong.
        """
        ...


@functools.cache
def calculation(name: str) -> Calculation:
    """Find a calculation.

    Raises:
        LookupError: there is no such hook.
    """
    return cast("Calculation", _hook(name, "calculate"))


@functools.cache
def payload_reader(name: str) -> PayloadReader:
    """Find a payload reader.

    Raises:
        LookupError: there is no such hook.
    """
    by_table = table_reader(name)
    if by_table is None:
        return cast("PayloadReader", _hook(name, "read_payload"))
    return lambda sent: payload_of(by_table(sent))


@functools.cache
def table_reader(name: str) -> TableReader | None:
    """Find a payload reader that works by table; ``None`` if this one does not."""
    try:
        return cast("TableReader", _hook(name, "read_table"))
    except LookupError:
        return None


def _hook(name: str, function: str) -> object:
    try:
        return getattr(importlib.import_module(f"decoders.hooks.{name}"), function)
    except (ImportError, AttributeError) as missing:
        raise LookupError(f"there is no decoders/hooks/{name}.py with {function}()") from missing
