"""What a store remembers of registry and keyring, and the number that tells when it no longer holds.

Each transaction that changes registered meters or their keys makes a new edition. What a transaction reads
under an edition is true for all transactions that find the same one, in whatever process the change was
made. A transaction that makes a new edition itself remembers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa

from metering.meter import Meter, MeterId
from metering.store.sql.schema import counters
from metering.store.sql.statements import insert

__all__ = ["Edition", "Standing", "new_edition"]

V = TypeVar("V")

_NAME = "registry"
_REMEMBERED = 100_000
"""Meters remembered, some 50 MB; then it starts anew."""

_ASKED = sa.select(counters.c.value).where(counters.c.name == _NAME)


class _Memory(Generic[V]):
    """What was found of meters, ``None`` if nothing was."""

    def __init__(self) -> None:
        self._known: dict[MeterId, V | None] = {}

    def find(
        self, asked: Collection[MeterId], look_up: Callable[[Collection[MeterId]], Mapping[MeterId, V]]
    ) -> dict[MeterId, V]:
        """Give what there is of meters; what is not remembered is looked up."""
        known = self._known
        if unknown := [meter for meter in asked if meter not in known]:
            found = look_up(unknown)
            if len(known) > _REMEMBERED:
                known = self._known = {one: known.get(one) for one in asked if one in known}
            known.update((meter, found.get(meter)) for meter in unknown)
        return {meter: one for meter in asked if (one := known[meter]) is not None}


class _Contents:
    """What is remembered of one edition."""

    def __init__(self, number: int) -> None:
        self.number: Final = number
        self.meters: Final = _Memory[Meter]()
        self.keys: Final = _Memory[list[sa.Row[Any]]]()


class Standing:
    """What a store remembers between transactions: the contents of the edition seen last."""

    def __init__(self) -> None:
        self.contents = _Contents(-1)


class Edition:
    """Registry and keyring as one transaction sees them."""

    def __init__(self, connection: sa.Connection, standing: Standing) -> None:
        self._connection = connection
        self._standing = standing
        self._contents: _Contents | None = None

    @property
    def number(self) -> int:
        """The number of the edition."""
        return self._now.number

    @property
    def meters(self) -> _Memory[Meter]:
        """The registered meters."""
        return self._now.meters

    @property
    def keys(self) -> _Memory[list[sa.Row[Any]]]:
        """Meter keys as they stand in the database, sealed."""
        return self._now.keys

    def renew(self) -> None:
        """Make a new edition: meters or keys were changed."""
        self._contents = _Contents(new_edition(self._connection))

    @property
    def _now(self) -> _Contents:
        if self._contents is None:
            number = self._connection.execute(_ASKED).scalar() or 0
            if self._standing.contents.number != number:
                self._standing.contents = _Contents(number)
            self._contents = self._standing.contents
        return self._contents


def new_edition(connection: sa.Connection) -> int:
    """Make a new edition; gives its number."""
    first = insert(connection.dialect.name, counters).values(name=_NAME, value=1)
    raised = first.on_conflict_do_update(
        index_elements=counters.primary_key, set_={"value": counters.c.value + 1}
    )
    number: int = connection.execute(raised.returning(counters.c.value)).scalar_one()
    return number
