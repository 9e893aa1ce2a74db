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

from metering.reading import exact, utc
from metering.store.sql.types import Exact, FreeText, Moment, storable

__all__ = ["arrays", "copy_rows"]

_Texts = list[str | None]

_COPIED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def copy_rows(table: sa.Table, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> bytes:
    """Give rows in COPY's text format."""
    texts = [
        ["\\N" if text is None else text for text in _escaped(table.c[name], values, _COPIED)]
        for name, values in zip(names, columns, strict=True)
    ]
    return "".join([f"{row}\n" for row in map("\t".join, zip(*texts, strict=True))]).encode()


def arrays(kinds: Sequence[sa.Column[Any]], columns: Sequence[Sequence[Any]]) -> list[str]:
    """Give each column as the text of an array."""
    return [
        "{" + ",".join(_quoted(kind, _escaped(kind, values, _QUOTED))) + "}"
        for kind, values in zip(kinds, columns, strict=True)
    ]


def _quoted(kind: sa.Column[Any], texts: _Texts) -> list[str]:
    if isinstance(kind.type, sa.Text | FreeText | sa.LargeBinary | Moment):
        return ["NULL" if text is None else f'"{text}"' for text in texts]
    return ["NULL" if text is None else text for text in texts]


def _escaped(kind: sa.Column[Any], values: Sequence[Any], escapes: dict[int, str]) -> _Texts:
    texts = _texts(kind, values)
    if isinstance(kind.type, sa.LargeBinary):  # long, and nothing but the first sign is escaped
        return [None if text is None else f"\\{text}" for text in texts]
    if not isinstance(kind.type, sa.Text | FreeText):
        return texts
    return [None if text is None else text.translate(escapes) for text in texts]


def _texts(kind: sa.Column[Any], values: Sequence[Any]) -> _Texts:
    write = _writer(kind.type)
    if not isinstance(kind.type, Moment):
        return [None if value is None else write(value) for value in values]
    # the same object, as the time of a telegram is in all its readings, once
    distinct = {id(value): value for value in values}
    known = {key: None if value is None else write(value) for key, value in distinct.items()}
    return [known[id(value)] for value in values]


def _writer(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], str]:
    for types, write in _WRITERS:
        if isinstance(kind, types):
            return write
    return str


def _moment(moment: datetime) -> str:
    return utc(moment).isoformat()


def _bytes(value: bytes) -> str:
    return f"\\x{value.hex()}"


_WRITERS: Sequence[tuple[type | tuple[type, ...], Callable[[Any], str]]] = (
    (Moment, _moment),
    (Exact, lambda number: format(exact(number), "f")),
    ((FreeText, sa.Text), lambda text: storable(str(text))),
    (sa.LargeBinary, _bytes),
    (sa.Boolean, lambda said: "t" if said else "f"),
)
