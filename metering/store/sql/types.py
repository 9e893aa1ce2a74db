"""Column types: the same value goes in and comes out on SQLite and on PostgreSQL.

::

    type       SQLite                              PostgreSQL
    Moment     INTEGER, microseconds since 1970    TIMESTAMP WITH TIME ZONE
    Exact      TEXT, canonical decimal             NUMERIC
    FreeText   TEXT                                TEXT
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

from metering.reading import exact, utc

__all__ = ["Exact", "FreeText", "Moment", "Name", "Number", "plain_text", "storable"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A surrogate key: 64 bits on both; SQLite makes only the very word INTEGER its row id."""

Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""A text that is ordered by its bytes on both; PostgreSQL's default order depends on its locale."""


class Moment(TypeDecorator[datetime]):
    """A time in UTC, to the microsecond; a time without zone is refused (InvalidValue)."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Give the column type of this database."""
        kind: TypeEngine[Any] = sa.TIMESTAMP(timezone=True) if _postgresql(dialect) else sa.BigInteger()
        return dialect.type_descriptor(kind)

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Give what writes a time."""
        return _optional(utc) if _postgresql(dialect) else _microseconds

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002  SQLAlchemy's signature
        """Give what reads a time."""
        return _optional(utc if _postgresql(dialect) else _moment)


class Exact(TypeDecorator[Decimal]):
    """An exact decimal in its canonical form, so that equal numbers are equal keys.

    SQLite has no exact decimal: its NUMERIC would turn ``0.1`` into a binary float, therefore text.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Give the column type of this database."""
        kind: TypeEngine[Any] = sa.Numeric() if _postgresql(dialect) else sa.Text()
        return dialect.type_descriptor(kind)

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Give what writes a number."""
        return _optional(exact) if _postgresql(dialect) else _optional_text

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002  SQLAlchemy's signature
        """Give what reads a number; canonical again, because NUMERIC may come back with zeros at its end."""
        return _optional(exact if _postgresql(dialect) else Decimal)


class FreeText(TypeDecorator[str]):
    """Text from outside: what no database can hold is replaced by U+FFFD.

    A NUL (PostgreSQL) or half a surrogate pair (both) would otherwise refuse the whole batch it came with,
    each time the broker brings it again.
    """

    impl = sa.Text
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:  # noqa: ARG002  alike on both
        """Give what writes a text."""
        return _optional(storable)


def _postgresql(dialect: sa.Dialect) -> bool:
    return dialect.name == "postgresql"


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """NULL stays NULL."""

    def process(value: Any) -> Any:
        return None if value is None else convert(value)

    return process


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    # integer arithmetic: a float has no room for the microseconds
    since = (moment if moment.tzinfo is UTC else utc(moment)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _optional_text(number: Decimal | None) -> str | None:
    return None if number is None else plain_text(number)


def plain_text(number: Decimal) -> str:
    """Give a number as :class:`Exact` keeps it in text: canonical, without exponent."""
    text = str(number)
    if text.isdecimal() or (text[-1] in "123456789" and "E" not in text and "N" not in text):
        return text  # canonical as it stands, as nearly always
    return format(exact(number), "f")


def storable(text: str) -> str:
    """Give the text as :class:`FreeText` keeps it."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
