"""Where the newest reading of a register is looked for: ``latest`` is a signpost, not the newest time itself.

A meter sends every few seconds or minutes. To move the signpost each time would be a third of all writing. It
is moved when the newest reading is an hour further; whoever wants the newest looks from the signpost onward,
which is one step in an index.

A store remembers, for every meter, where it set the signposts last and for which registers: two numbers per
meter. What is forgotten, or was set by another process, is set once more. What takes readings away makes a
new edition of the signposts, and all that was remembered is void.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, repeat
from typing import Any, NamedTuple

import sqlalchemy as sa

from metering.store.sql.schema import counters, latest, readings
from metering.store.sql.statements import insert

__all__ = ["Heads", "Moves", "Run", "Signposts", "newest_of", "void_signposts"]

_NAME = "latest"
_FURTHER_S = 3600
"""Seconds the newest reading may be behind a signpost."""
_MOST_METERS = 4_000_000
"""Meters remembered, 16 bytes each; those with higher numbers are written every time."""
_MOST_SHAPES = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Shape = tuple[object, ...]
"""The registers of a telegram; those dated otherwise than the newest each with its time."""


Run = tuple[int, Sequence[int], Sequence[datetime] | None, datetime]
"""Readings of one telegram: meter, registers, times (``None`` = all are the latest), the latest time."""


class Heads(NamedTuple):
    """Rows of ``latest``, by columns."""

    meters: list[int]
    registers: list[int]
    moments: list[datetime]


class Signposts:
    """What a store remembers between transactions."""

    def __init__(self) -> None:
        self.edition = -1
        self._forget()

    def begin(self, edition: int) -> None:
        """Forget all that is remembered of another edition."""
        if edition != self.edition:
            self.edition = edition
            self._forget()

    def stand(self, meter: int, shape: _Shape, second: int) -> bool:
        """Whether the signposts of these registers stand well for a reading of this time."""
        if meter >= len(self._shape_of) or self._shape_of[meter] != self._shapes.get(shape, -1):
            return False
        return second < self._set_at[meter] + _FURTHER_S

    def remember(self, meter: int, shape: _Shape, second: int) -> None:
        """Remember what was written and committed."""
        if meter >= _MOST_METERS:
            return
        if len(self._shapes) >= _MOST_SHAPES:
            self._forget()
        if meter >= len(self._shape_of):
            more = max(1024, meter + 1 - len(self._shape_of), len(self._shape_of) // 2)
            self._set_at.extend([0] * more)
            self._shape_of.extend([0] * more)
        number = self._shapes.setdefault(shape, len(self._shapes) + 1)
        if self._shape_of[meter] != number or self._set_at[meter] < second:
            self._shape_of[meter], self._set_at[meter] = number, second

    def _forget(self) -> None:
        self._set_at = array("q")
        self._shape_of = array("l")
        self._shapes: dict[_Shape, int] = {}


class Moves:
    """The signposts as one transaction sees them."""

    def __init__(self, connection: sa.Connection, known: Signposts) -> None:
        self._connection = connection
        self._known = known
        self._edition: int | None = None
        self._new: list[tuple[int, _Shape, int]] = []

    def of(
        self,
        meters: Sequence[int],
        registers: Sequence[int],
        moments: Sequence[datetime],
        telegrams: Sequence[int | None],
    ) -> Heads:
        """Say which signposts are to be set for new readings."""
        return self.of_runs(
            (meters[first], registers[first:last], moments[first:last], max(moments[first:last]))
            for first, last in _runs(telegrams)
        )

    def of_runs(self, runs: Iterable[Run]) -> Heads:
        """Say the same for readings a telegram at a time."""
        self._begin()
        newest: dict[tuple[int, int], datetime] = {}
        for meter, registers, moments, top in runs:
            shape = tuple(registers) if moments is None else _dated(registers, moments, top)
            second = (top - _EPOCH) // _SECOND
            if self._known.stand(meter, shape, second):
                continue
            self._new.append((meter, shape, second))
            for register, moment in zip(registers, moments or repeat(top), strict=moments is not None):
                if newest.setdefault((meter, register), moment) < moment:
                    newest[meter, register] = moment
        return Heads([meter for meter, _ in newest], [one for _, one in newest], list(newest.values()))

    def keep(self) -> None:
        """Remember what was set; to be called after the transaction ended well."""
        if self._edition == self._known.edition:  # else readings were taken away after our commit
            for one in self._new:
                self._known.remember(*one)

    def _begin(self) -> None:
        """Ask each time: this transaction may have taken readings away itself."""
        asked = sa.select(counters.c.value).where(counters.c.name == _NAME)
        edition = self._connection.execute(asked).scalar() or 0
        if edition != self._edition:
            self._edition = edition
            self._new.clear()
        self._known.begin(edition)


_SECOND = timedelta(seconds=1)


def _dated(registers: Sequence[int], moments: Sequence[datetime], top: datetime) -> _Shape:
    return tuple(
        register if moment == top else (register, moment)
        for register, moment in zip(registers, moments, strict=True)
    )


def _runs(telegrams: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Cut readings where the telegram changes; those without one are runs of their own."""
    first = 0
    for number, run in groupby(telegrams):
        size = sum(1 for _ in run)
        if number is None:
            yield from ((one, one + 1) for one in range(first, first + size))
        else:
            yield first, first + size
        first += size


def void_signposts(connection: sa.Connection) -> None:
    """Void what stores remember: readings were taken away."""
    first = insert(connection.dialect.name, counters).values(name=_NAME, value=1)
    raised = {"value": counters.c.value + 1}
    connection.execute(first.on_conflict_do_update(index_elements=counters.primary_key, set_=raised))


def newest_of(which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select meter, register and time of the newest reading, for some rows of ``latest``."""
    onward = readings.alias()
    newest = (
        sa.select(sa.func.max(onward.c.measured_at))
        .where(onward.c.meter == latest.c.meter, onward.c.register == latest.c.register)
        .where(onward.c.measured_at >= latest.c.measured_at)
        .correlate(latest)
        .scalar_subquery()
    )
    return sa.select(latest.c.meter, latest.c.register, newest).where(which)
