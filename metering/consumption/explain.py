"""The cheapest explanation of a series: which readings lie on a line, and what lies between two of them.

One reading says what it says; what it is worth is told by its neighbours. So a series is explained as a
whole, by the explanation that costs least:

======================================================  =====
a rise the pipe allows, or tremor                           0
a roll-over by the register's digits                       50
a fall an hour allows (water ran back)                     90
a reading set aside                                       100
a fall that the readings just before or after it undo     340
a state that cannot have come of the one before           350
======================================================  =====

Up to three readings in a row that nothing corroborates are therefore set aside, and four that agree with
one another begin a new line. Two lines that alternate (a neighbour's meter decoded now and then) are told
apart as long as one of them goes on.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from metering.consumption.points import IndexPoint, exponent_of, in_units, microseconds
from metering.consumption.verdicts import BreakKind, Limits

__all__ = ["Track", "cheapest"]

_HOUR = 3_600_000_000
_NEAR = 3
"""A wrong value is undone within this many readings, or it is not called wrong."""
_REACH = 8
"""More moments in a row are never set aside: two breaks explain them at less cost."""

_SET_ASIDE, _WRAP, _FALL, _UNDONE, _BREAK = 100, 50, 90, 340, 350
_IMPOSSIBLE = 10**9

Link = tuple[int, BreakKind | None]


@dataclass(frozen=True, slots=True)
class Track:
    """A series in whole units, by time, then value, no two readings alike.

    Attributes:
        at: microseconds.
        value: units.
        certain: numbers of the readings that are kept whatever the others say.
        rate: units an hour; ``None`` = any.
        tremor: units.
        spike: units; 0 = falls are never called wrong.
        wraps_at: units; ``None`` = not known.
        hurry: half the usual spacing, microseconds.
    """

    at: Sequence[int]
    value: Sequence[int]
    certain: frozenset[int]
    rate: int | None
    tremor: int
    spike: int
    wraps_at: int | None
    hurry: float

    @classmethod
    def of(cls, points: Sequence[IndexPoint], limits: Limits, certain: Collection[IndexPoint]) -> Track:
        """Bring points and limits to the smallest unit any of them needs."""
        known = [one for one in (limits.rate, limits.wraps_at) if one is not None]
        values = [point.value for point in points]
        exponent = exponent_of([*values, *known, limits.tremor, limits.spike])
        at = [microseconds(point.at) for point in points]
        (tremor, spike), rest = in_units([limits.tremor, limits.spike], exponent), in_units(known, exponent)
        return cls(
            at=at,
            value=in_units(values, exponent),
            certain=frozenset(n for n, point in enumerate(points) if point in certain)
            if certain
            else frozenset(),
            rate=rest[0] if limits.rate is not None else None,
            tremor=tremor,
            spike=spike,
            wraps_at=rest[-1] if limits.wraps_at is not None else None,
            hurry=statistics.median(later - one for one, later in pairwise(at)) / 2 if len(at) > 2 else 0,
        )

    def steps(self) -> Iterator[int]:
        """Give the readings whose next one is lower, of the same moment, or more than an hour's flow away."""
        most = math.inf if self.rate is None else self.rate
        pairs = zip(pairwise(self.at), pairwise(self.value), strict=True)
        for number, ((at, later), (one, other)) in enumerate(pairs):
            if at == later or not 0 <= other - one <= most:
                yield number

    def link(self, earlier: int, later: int) -> Link:
        """Give what it costs to believe both readings with none between, and what happened then."""
        time = self.at[later] - self.at[earlier]
        rise = self.value[later] - self.value[earlier]
        if time == 0:
            return _IMPOSSIBLE, None
        if rise < 0 and self._rolled_over(earlier, later, time):
            return _WRAP, BreakKind.ROLL_OVER
        if self._possible(rise, time):
            return (0 if rise >= -self.tremor else self._fall(earlier, later, time)), None
        if rise > 0 and self._rolled_over(later, earlier, time):
            return _WRAP, BreakKind.ROLL_BACK
        return _BREAK, BreakKind.JUMP if rise > 0 else BreakKind.RESET

    def _possible(self, rise: int, time: int) -> bool:
        """Whether water can do that.

        An hour's flow at least, for readings come early and late; and never more than that back, for a
        pipe does not run backwards for days.
        """
        time = max(time, _HOUR) if rise > 0 else _HOUR
        return self.rate is None or abs(rise) * _HOUR <= self.rate * time

    def _rolled_over(self, high: int, low: int, time: int) -> bool:
        """Whether one reading is in the last tenth of the register, the other in the first, and near it."""
        if self.wraps_at is None:
            return False
        near_the_ends = 10 * self.value[high] >= 9 * self.wraps_at >= 90 * self.value[low]
        return near_the_ends and self._possible(self.wraps_at + self.value[low] - self.value[high], time)

    def _fall(self, earlier: int, later: int, time: int) -> int:
        undone = time < self.hurry and self._recovers(earlier, later)
        return _UNDONE if undone or self._spike(earlier, later) else _FALL

    def _recovers(self, earlier: int, later: int) -> bool:
        return later + 1 < len(self.value) and self.value[later + 1] >= self.value[earlier]

    def _spike(self, earlier: int, later: int) -> bool:
        """Whether the readings just before rose by what now fell, or those just after rise by it again."""
        high, low = self.value[earlier], self.value[later]
        if not 0 < self.spike <= high - low:
            return False
        room = (high - low) // 5
        before = self.value[max(earlier - _NEAR, 0) : earlier]
        after = self.value[later + 1 : later + 1 + _NEAR]
        return any(0 <= low - one <= room for one in before) or any(0 <= one - high <= room for one in after)


# --- the cheapest way through ----------------------------------------------------------------------


def cheapest(track: Track) -> list[int]:
    """Give the numbers of the readings to believe."""
    count = len(track.at)
    loose = _loose(track)
    kept: list[int] = []
    firm = -1
    for number in (*range(count), count):
        if number in loose:
            continue
        if number - firm > 1:
            kept.extend(_through(track, firm, number))
        if number < count:
            kept.append(number)
        firm = number
    return kept


def _loose(track: Track) -> set[int]:
    """Give the readings that may be set aside: those near a place where the series does not simply go on."""
    loose: set[int] = set()
    for number in track.steps():
        if track.link(number, number + 1)[0]:
            loose.update(range(max(number - _NEAR, 0), min(number + 2 + _NEAR, len(track.at))))
    return loose - track.certain


def _through(track: Track, first: int, last: int) -> list[int]:
    """Give the readings to believe between two that are believed (-1 and the count: the ends)."""
    best: dict[int, tuple[int, int]] = {first: (0, first)}
    for later in range(first + 1, last + 1):
        ways = _ways(track, best, first, later)
        best[later] = min(ways, key=lambda way: (way[0], track.value[way[1]] if way[1] >= 0 else 0))
    path: list[int] = []
    here = best[last][1]
    while here != first:
        path.append(here)
        here = best[here][1]
    return path[::-1]


def _ways(
    track: Track, best: dict[int, tuple[int, int]], first: int, later: int
) -> Iterator[tuple[int, int]]:
    """Give the ways to a reading: the cost so far, and the reading believed before it."""
    moments, seen = 0, None
    for earlier in range(later - 1, first - 1, -1):
        ends = earlier < 0 or later == len(track.at)
        link = 0 if ends else track.link(earlier, later)[0]
        yield best[earlier][0] + link + _SET_ASIDE * (later - earlier - 1), earlier
        if earlier >= 0 and track.at[earlier] != seen:
            moments, seen = moments + 1, track.at[earlier]
        if moments > _REACH:
            return
