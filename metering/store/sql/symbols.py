"""Small numbers for texts: identities, registers, gateways and origins of readings.

Millions of rows refer to a few thousand texts. Each such table is a symbol table; what committed
transactions have seen of it is remembered for the life of the store, because a number never changes its
meaning. A transaction keeps what it sees to itself until it ends well: a number that is rolled back may
be given to something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from metering.meter import MeterId
from metering.reading import Quality, Reading, Register, Way
from metering.store.sql import schema
from metering.store.sql.statements import in_chunks, insert_once, select_among
from metering.store.sql.types import storable

__all__ = ["Known", "Names", "Origin", "Symbols", "meter_of"]

K = TypeVar("K")

_REMEMBERED = 200_000
"""Things remembered per table, some 100 MB at the very most; then it starts anew."""


class Origin(NamedTuple):
    """What the readings of one gateway, model and register have in common."""

    unit: str
    way: Way
    quality: Quality
    gateway: str
    model: str
    decoder: str

    @classmethod
    def of(cls, reading: Reading) -> Origin:
        """Take it from a reading."""
        source = reading.provenance
        return cls(
            reading.unit, reading.way, reading.quality, source.gateway, source.model or "", source.decoder
        )

    @classmethod
    def of_all(cls, readings: Iterable[Reading]) -> list[Origin]:
        """Take them from readings; equal ones are one object."""
        known: dict[tuple[object, ...], Origin] = {}
        found = []
        for one in readings:
            source = one.provenance
            # enumerations by object: their hash is computed in Python
            key = (one.unit, id(one.way), id(one.quality), source.gateway, source.model, source.decoder)
            origin = known.get(key)
            if origin is None:
                origin = known[key] = cls.of(one)
            found.append(origin)
        return found


@dataclass(frozen=True, slots=True)
class Kind(Generic[K]):
    """How things of one kind are written in their table.

    Attributes:
        table: with ``id`` and the natural key.
        columns: the natural key.
        write: thing to natural key.
        read: natural key to thing.
    """

    table: sa.Table
    columns: Sequence[str]
    write: Callable[[K], tuple[str, ...]]
    read: Callable[..., K]


def meter_of(name: str) -> MeterId:
    """Read an identity as the database has it."""
    # not MeterId.parse: a name that was heard on the air may be stranger than one a person may type
    return MeterId(*name.rsplit("-", 3))


def _origin_row(origin: Origin) -> tuple[str, ...]:
    return tuple(storable(text) for text in origin)


def _origin_of(unit: str, way: str, quality: str, *source: str) -> Origin:
    return Origin(unit, Way(way), Quality(quality), *source)


_METERS: Kind[MeterId] = Kind(schema.identities, ("name",), lambda meter: (str(meter),), meter_of)
_REGISTERS: Kind[Register] = Kind(
    schema.registers, ("key",), lambda register: (register.key,), Register.parse
)
_GATEWAYS: Kind[str] = Kind(schema.gateways, ("name",), lambda name: (storable(name),), str)
_ORIGINS: Kind[Origin] = Kind(schema.origins, Origin._fields, _origin_row, _origin_of)


@dataclass(slots=True)
class Seen(Generic[K]):
    """Numbers of things and things of numbers."""

    numbers: dict[K, int] = field(default_factory=dict)
    things: dict[int, K] = field(default_factory=dict)

    def update(self, other: Seen[K]) -> None:
        """Remember all that another has; start anew when it would be too much."""
        if max(len(self.numbers), len(self.things)) > _REMEMBERED:
            self.numbers, self.things = {}, {}
        self.numbers.update(other.numbers)
        self.things.update(other.things)


class Symbols(Generic[K]):
    """One symbol table as one transaction sees it."""

    def __init__(self, connection: sa.Connection, kind: Kind[K], known: Seen[K]) -> None:
        self._connection = connection
        self._kind = kind
        self._known = known
        self._fresh: Seen[K] = Seen()
        table = kind.table
        self._columns = [table.c[name] for name in kind.columns]
        self._select = sa.select(table.c.id, *self._columns)

    def number(self, thing: K) -> int | None:
        """Give the number of a thing, ``None`` if it has none yet."""
        return self.find((thing,)).get(thing)

    def find(self, things: Iterable[K]) -> dict[K, int]:
        """Give the numbers of those things that have one."""
        found, unknown = self._remembered(things)
        return found | self._look_up(unknown)

    def ensure(self, things: Iterable[K]) -> dict[K, int]:
        """Give the numbers of things; those that have none get one."""
        found, unknown = self._remembered(things)
        if not unknown:
            return found
        found |= self._look_up(unknown)
        if new := [thing for thing in unknown if thing not in found]:
            rows = [dict(zip(self._kind.columns, self._kind.write(thing), strict=True)) for thing in new]
            insert_once(self._connection, self._kind.table, rows)
            found |= self._look_up(new)
        return found

    def numbers_of(self, things: Sequence[K]) -> list[int]:
        """Give the number of each thing, in order; those that have none get one.

        Each object is hashed once, however often it comes: a batch has thousands of readings of a few hundred
        meters and a dozen registers.
        """
        keys = list(map(id, things))
        distinct = dict(zip(keys, things, strict=True))
        number_of = self.ensure(distinct.values())
        by_object = {key: number_of[thing] for key, thing in distinct.items()}
        return list(map(by_object.__getitem__, keys))

    def learn(self, numbers: Mapping[K, int]) -> None:
        """Take numbers that were found on the way to something else."""
        self._fresh.numbers.update(numbers)

    def things(self, numbers: Iterable[int]) -> dict[int, K]:
        """Give the things that have these numbers."""
        found: dict[int, K] = {}
        unknown = []
        for number in set(numbers):
            thing = self._known.things.get(number)
            thing = self._fresh.things.get(number) if thing is None else thing
            if thing is None:
                unknown.append(number)
            else:
                found[number] = thing
        for chunk in in_chunks(unknown):
            rows = self._connection.execute(self._select.where(self._kind.table.c.id.in_(chunk)))
            new = {row.id: self._kind.read(*tuple(row)[1:]) for row in rows}
            self._fresh.things.update(new)
            found |= new
        return found

    def keep(self) -> None:
        """Tell all later transactions what this one saw; to be called after it ended well."""
        self._known.update(self._fresh)

    def _remembered(self, things: Iterable[K]) -> tuple[dict[K, int], list[K]]:
        known, fresh = self._known.numbers, self._fresh.numbers
        found: dict[K, int] = {}
        unknown = []
        for thing in dict.fromkeys(things):
            number = known.get(thing) or fresh.get(thing)
            if number is None:
                unknown.append(thing)
            else:
                found[thing] = number
        return found, unknown

    def _look_up(self, things: Iterable[K]) -> dict[K, int]:
        asked = {thing: self._kind.write(thing) for thing in things}
        if not asked:
            return {}
        rows = select_among(self._connection, self._select, self._columns, list(asked.values()))
        numbers = {tuple(row)[1:]: row.id for row in rows}
        found = {thing: numbers[key] for thing, key in asked.items() if key in numbers}
        self._fresh.numbers.update(found)
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """What a store remembers of its symbol tables between transactions."""

    meters: Seen[MeterId] = field(default_factory=Seen)
    registers: Seen[Register] = field(default_factory=Seen)
    gateways: Seen[str] = field(default_factory=Seen)
    origins: Seen[Origin] = field(default_factory=Seen)


class Names:
    """The four symbol tables as one transaction sees them."""

    def __init__(self, connection: sa.Connection, known: Known) -> None:
        self.meters = Symbols(connection, _METERS, known.meters)
        self.registers = Symbols(connection, _REGISTERS, known.registers)
        self.gateways = Symbols(connection, _GATEWAYS, known.gateways)
        self.origins = Symbols(connection, _ORIGINS, known.origins)

    def keep(self) -> None:
        """Tell all later transactions what this one saw; to be called after it ended well."""
        for symbols in (self.meters, self.registers, self.gateways, self.origins):
            symbols.keep()
