"""Values as PostgreSQL reads them in text: for COPY, and as arrays that hold a whole column.

A row at a time, the driver takes longer to prepare a batch than the server to store it; so whole columns
are written at once, as text, which the server reads quickly. Sources: PostgreSQL manual, COPY (text format)
and 8.15.2 (array input syntax).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from metering.reading import utc
from metering.store.sql.types import Exact, FreeText, Moment, plain_text, storable

__all__ = ["arrays", "copy_rows"]

_COPIED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def copy_rows(table: sa.Table, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> bytes:
    """Give rows in COPY's text format."""
    texts = [
        _texts(table.c[name].type, values, "\\N", lambda text: text.translate(_COPIED))
        for name, values in zip(names, columns, strict=True)
    ]
    return "".join([f"{row}\n" for row in map("\t".join, zip(*texts, strict=True))]).encode()


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
