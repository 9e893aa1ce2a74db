"""What the tables are made of: their metadata, and columns that come again and again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from metering.store.sql.types import FreeText, Moment, Number

__all__ = ["metadata", "moment", "number", "points_to", "text"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def number() -> sa.Column[Any]:
    """Give the surrogate key."""
    return sa.Column("id", Number, primary_key=True)


def points_to(name: str, target: str, *, key: bool = False, nullable: bool = False) -> sa.Column[Any]:
    """Give a column that refers to a surrogate key elsewhere."""
    return sa.Column(
        name, Number, sa.ForeignKey(target), primary_key=key, nullable=nullable, autoincrement=False
    )


def text(name: str) -> sa.Column[Any]:
    """Give a column of text from outside."""
    return sa.Column(name, FreeText, nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """Give a column of a time."""
    return sa.Column(name, Moment, nullable=nullable)
