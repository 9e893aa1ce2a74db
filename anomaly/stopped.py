"""A register that no longer moves while its meter is heard: nobody uses water, or the register has stopped.

From one index the two cannot be told apart; what can be told is how unlike this meter the stillness is::

    stopped.no_use      suspect   7 days and three times the longest stillness of the last year
    stopped.register    notify    nine and a half days as well, after at least 20 litres a day and 60 days in
                                  which it was known; 28 days where it is known for less

The longest stillness of a home that is lived in is its holidays; where many share a meter five days
are enough. It closes with the first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.batch import Batch
from anomaly.gate import Gated
from anomaly.local_time import DAY
from anomaly.series import MeterClass
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["StoppedDetector"]

SHORTEST = 7 * DAY
TIMES_THE_LONGEST = 3
YEAR = 365 * DAY
STOPPED = 9.5 * DAY
STOPPED_SHARED = 5 * DAY
"""Where many share a meter, nobody's holidays stop it."""
STOPPED_UNKNOWN = 28 * DAY
KNOWN = 60 * DAY
HISTORY = 28 * DAY
"""Of a meter known for less nobody can say what is unlike it."""
USED = 90 * DAY
IN_USE_LPD = 20.0


@dataclass(frozen=True, slots=True)
class StoppedDetector:
    """Detector of ``stopped.no_use`` and ``stopped.register``."""

    names: tuple[str, ...] = ("stopped.no_use", "stopped.register")
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING, Reason.TOO_FEW_DAYS})

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Look at every stillness of every meter."""
        for gated in batch.meters:
            yield from _stopped(gated)


def _stopped(gated: Gated) -> Iterator[Finding]:
    first, last = _stillnesses(gated)
    begin, end = gated.at[first], gated.at[last]
    shortest = STOPPED_SHARED if gated.facts.kind is MeterClass.MULTI_DWELLING else SHORTEST
    long = (end - begin >= shortest) & (begin - gated.at[0] >= HISTORY)
    for place in np.flatnonzero(long):
        recent = (end[:place] - begin[:place])[end[:place] >= begin[place] - YEAR]
        asked = max(shortest, TIMES_THE_LONGEST * int(recent.max(initial=0)))
        stages = tuple(_stages(gated, int(first[place]), int(last[place]), asked))
        after = int(last[place]) + 1
        cleared = moment(int(gated.known_at[after])) if after < len(gated) else None
        if stages:
            yield Finding(gated.facts.meter, stages, cleared)


def _stillnesses(gated: Gated) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give first and last reading of every stretch of equal indices."""
    still = np.concatenate([[False], np.diff(gated.index) == 0, [False]])
    edges = np.flatnonzero(np.diff(still.astype(np.int8)))
    return edges[::2], edges[1::2]


def _stages(gated: Gated, first: int, last: int, asked: int) -> Iterator[Stage]:
    onset, used = int(gated.at[first]), _use_before_lpd(gated, first)
    steps = [(Tier.SUSPECT, "stopped.no_use", float(asked))]
    if used >= IN_USE_LPD:
        steps.append((Tier.NOTIFY, "stopped.register", max(_least(gated, onset), asked)))
    for tier, name, after in steps:
        place = int(np.searchsorted(gated.at, onset + after))
        if place <= last:
            evidence = {
                "days": round((int(gated.at[place]) - onset) / DAY, 1),
                "asked_days": round(after / DAY, 1),
                "index_l": round(float(gated.index[first]), 1),
                "use_before_lpd": round(used, 1),
            }
            yield stage(tier, name, int(gated.known_at[place]), onset, evidence)


def _least(gated: Gated, onset: int) -> float:
    """Give how long a meter of this class, known for this long, must stand still at least, seconds."""
    if onset - gated.at[0] < KNOWN:
        return STOPPED_UNKNOWN
    return STOPPED_SHARED if gated.facts.kind is MeterClass.MULTI_DWELLING else STOPPED


def _use_before_lpd(gated: Gated, last: int) -> float:
    first = int(np.searchsorted(gated.at, gated.at[last] - USED))
    span = float(gated.at[last] - gated.at[first])
    rises = np.diff(gated.index[first : last + 1])[~gated.broken[first + 1 : last + 1]]
    return float(rises[rises > 0].sum()) * DAY / span if span else 0.0
