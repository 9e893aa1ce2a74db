"""Do both stores hold the same? Counts and checksums per month; what differs, reading by reading.

Neither store is read into memory: each reading adds to the count and the checksum of its month and of one of
some hundred groups of meters. Only groups that differ are looked at again, with all their readings. Months
that retention dropped from the SQL store are not compared: the series store alone has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

from metering.reading import Register
from metering.store.series.lines import Key, from_microseconds, points_of
from metering.store.series.target import Kept, SeriesTarget
from metering.store.sql.series_queue import Place, SeriesQueue
from metering.store.sql.symbols import meter_of

__all__ = ["Comparison", "MonthSum", "compare"]

_GROUPS = 512
_WALK = 20_000
_MOST = 500_000
"""Readings of differing groups that are looked at one by one."""

Told = Callable[[int], None]


class Group(NamedTuple):
    """Some meters in a month."""

    month: str
    number: int


@dataclass(slots=True)
class Sum:
    """Readings and the sum of their digests, whatever their order."""

    readings: int = 0
    checksum: int = 0

    def add(self, kept: Kept) -> None:
        """Count one."""
        said = "\x1f".join(map(str, kept)).encode("utf-8", "surrogatepass")
        self.readings += 1
        self.checksum = (self.checksum + int.from_bytes(blake2b(said, digest_size=8).digest())) % (1 << 64)


@dataclass(frozen=True, slots=True)
class MonthSum:
    """One month on both sides.

    Attributes:
        month: ``2026-03``, UTC.
        here: readings in the SQL store, and their checksum.
        there: in the series store.
        differing: readings that are on one side only.
    """

    month: str
    here: Sum
    there: Sum
    differing: int

    @property
    def same(self) -> bool:
        """Whether both hold the same."""
        return self.here == self.there


@dataclass(slots=True)
class Comparison:
    """Both stores compared.

    Attributes:
        months: in order.
        keys: where the SQL store has what the series store lacks: to be sent.
        changed: those of them where the series store has something else instead.
        strange: where only the series store has something, or something more: to be removed, unless it is
            the SQL store that lost it.
        whole: false if too much differs to look at one by one: then both are empty, and what differs is the
            least number the counts allow.
    """

    months: list[MonthSum] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    strange: set[Key] = field(default_factory=set)
    whole: bool = True


def compare(queue: SeriesQueue, target: SeriesTarget, told: Told = lambda _readings: None) -> Comparison:
    """Compare both stores.

    Args:
        queue: of the SQL store; what waits in it differs.
        target: the series store.
        told: given numbers of readings looked at.

    Raises:
        StoreError: one of them cannot be read.
    """
    here, there = _summed(_here(queue, target, told)), _summed(_there(queue, target, told))
    groups = sorted(here.keys() | there.keys())
    wrong = {group for group in groups if here.get(group) != there.get(group)}
    few = sum(side[group].readings for side in (here, there) for group in wrong if group in side) <= _MOST
    found = Comparison(whole=few)
    differing: dict[str, int] = defaultdict(int)
    if few:
        lacking, more = _one_sided(queue, target, wrong, told) if wrong else (set(), set())
        for kept in (*lacking, *more):
            differing[_month(kept)] += 1
        found.keys = {_key(kept) for kept in lacking}
        there_only = {_key(kept) for kept in more}
        found.changed, found.strange = there_only & found.keys, there_only - found.keys
    else:
        for group in wrong:
            counts = [side[group].readings if group in side else 0 for side in (here, there)]
            differing[group.month] += max(abs(counts[0] - counts[1]), 1)
    for month in sorted({group.month for group in groups}):
        sums = _of_month(here, month), _of_month(there, month)
        found.months.append(MonthSum(month, *sums, differing[month]))
    return found


def _here(queue: SeriesQueue, target: SeriesTarget, told: Told) -> Iterator[Kept]:
    place: Place | None = None
    since = queue.since()
    while True:
        readings, place = queue.walk(place, _WALK)
        if place is None:
            return
        told(len(readings))
        for point in points_of(reading for reading in readings if reading.measured_at >= since):
            yield target.form_of(point)


def _there(queue: SeriesQueue, target: SeriesTarget, told: Told) -> Iterator[Kept]:
    since = queue.since().date()
    for day in target.days():
        if day < since:
            continue
        number = 0
        for kept in target.kept(day):
            number += 1
            yield kept
        told(number)


def _summed(side: Iterator[Kept]) -> dict[Group, Sum]:
    sums: defaultdict[Group, Sum] = defaultdict(Sum)
    for kept in side:
        sums[_group(kept)].add(kept)
    return dict(sums)


def _one_sided(
    queue: SeriesQueue, target: SeriesTarget, groups: Collection[Group], told: Told
) -> tuple[set[Kept], set[Kept]]:
    here = {kept for kept in _here(queue, target, told) if _group(kept) in groups}
    there = {kept for kept in _there(queue, target, told) if _group(kept) in groups}
    return here - there, there - here


def _group(kept: Kept) -> Group:
    return Group(_month(kept), crc32(kept.meter.encode("utf-8", "surrogatepass")) % _GROUPS)


def _month(kept: Kept) -> str:
    return f"{from_microseconds(kept.time):%Y-%m}"


def _of_month(side: Mapping[Group, Sum], month: str) -> Sum:
    sums = [one for group, one in side.items() if group.month == month]
    return Sum(sum(one.readings for one in sums), sum(one.checksum for one in sums) % (1 << 64))


def _key(kept: Kept) -> Key:
    return Key(meter_of(kept.meter), Register.parse(kept.register), from_microseconds(kept.time))
