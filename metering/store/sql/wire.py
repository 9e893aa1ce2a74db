"""Values for PostgreSQL, a whole column at a time: for COPY, and as arrays in text.

COPY takes them in binary, which the driver's own code writes and the server reads without parsing. A
statement takes a column as the text of one array: value by value, the driver takes longer to prepare a batch
than the server to store it. Source: PostgreSQL manual, 8.15.2 (array input syntax).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from metering.reading import utc
from metering.store.sql.types import Exact, FreeText, Moment, plain_text, storable

__all__ = ["arrays", "for_copy"]

_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def for_copy(kind: sa.types.TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Give a column as the driver is to have it."""
    if isinstance(kind, Moment):
        return values if {value.tzinfo for value in values} == {UTC} else list(map(utc, values))
    if isinstance(kind, FreeText | sa.Text):
        known = {value: None if value is None else storable(str(value)) for value in set(values)}
        return list(map(known.__getitem__, values))
    return values


def arrays(kinds: Sequence[sa.Column[Any]], columns: Sequence[Sequence[Any]]) -> list[str]:
    """Give each column as the text of an array."""
    return [
        "{" + ",".join(_texts(kind.type, values, "NULL", lambda text: f'"{text.translate(_QUOTED)}"')) + "}"
        for kind, values in zip(kinds, columns, strict=True)
    ]


def _texts(
    kind: sa.types.TypeEngine[Any], values: Sequence[Any], null: str, safe: Callable[[str], str]
) -> list[str]:
    """Write the values of a column; equal texts and the same time, which come again and again, once."""
    if isinstance(kind, sa.Integer):
        return (
            [null if value is None else str(value) for value in values]
            if None in values
            else list(map(str, values))
        )
    if isinstance(kind, sa.LargeBinary):
        begins, _digit, ends = safe("\\x0").partition("0")  # digits need no care: only what is around them
        return [null if value is None else f"{begins}{value.hex()}{ends}" for value in values]
    write = _writer(kind)
    if isinstance(kind, Exact | sa.Boolean):
        return [null if value is None else write(value) for value in values]
    if isinstance(kind, Moment):
        keys = list(map(id, values))
        distinct = dict(zip(keys, values, strict=True))
        moments = {key: null if value is None else safe(write(value)) for key, value in distinct.items()}
        return list(map(moments.__getitem__, keys))
    known = {value: null if value is None else safe(write(value)) for value in set(values)}
    return [known[value] for value in values]


def _writer(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], str]:
    for types, write in _WRITERS:
        if isinstance(kind, types):
            return write
    return str


def _moment(moment: datetime) -> str:
    return utc(moment).isoformat()


_WRITERS: Sequence[tuple[type | tuple[type, ...], Callable[[Any], str]]] = (
    (Moment, _moment),
    (Exact, plain_text),
    ((FreeText, sa.Text), lambda text: storable(str(text))),
    (sa.Boolean, lambda said: "t" if said else "f"),
)
