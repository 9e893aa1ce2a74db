"""How each driver takes the values of a row: for rows that are made by thousands and not column by column.

The same time and the same text, as many rows of a batch have them, are converted once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from metering.reading import utc
from metering.store.sql.types import Moment, plain_text, storable

__all__ = ["Forms", "forms_of"]


class Forms(NamedTuple):
    """What writes values; for one batch.

    Attributes:
        moment: a time.
        numbers: exact decimals in their canonical form.
        text: a text from outside.
    """

    moment: Callable[[datetime], Any]
    numbers: Callable[[Sequence[Decimal]], Sequence[Any]]
    text: Callable[[str | None], str | None]


def forms_of(dialect: sa.Dialect) -> Forms:
    """Give what writes values for a driver."""
    moment, numbers = _FORMS[dialect.name](dialect)
    return Forms(moment, numbers, _Texts({None: None}).__getitem__)


class _Texts(dict[str | None, str | None]):
    """Texts as they are kept, by what was said."""

    def __missing__(self, said: str | None) -> str | None:
        self[said] = kept = storable(str(said))
        return kept


_Both = tuple[Callable[[datetime], Any], Callable[[Sequence[Decimal]], Sequence[Any]]]


def _sqlite(dialect: sa.Dialect) -> _Both:
    write = Moment().bind_processor(dialect)
    written: dict[int, tuple[datetime, Any]] = {}  # by object, which is kept so that it stays the same one

    def moment(said: datetime) -> Any:
        found = written.get(id(said))
        if found is None:
            found = written[id(said)] = said, write(said)
        return found[1]

    return moment, lambda values: [plain_text(value) for value in values]


def _postgresql(_dialect: sa.Dialect) -> _Both:
    return utc, lambda values: values


_FORMS: Mapping[str, Callable[[sa.Dialect], _Both]] = {"sqlite": _sqlite, "postgresql": _postgresql}
