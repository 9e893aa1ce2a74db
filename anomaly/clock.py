"""Meters whose clock is wrong.

::

    clock.lost     suspect   a time before 2000: the clock lost power
    clock.ahead    suspect   a time that is still to come
    clock.off      suspect   more than 15 minutes from the time of reception for a day
    clock.dst      notify    set by an hour (3600 +- 90 s): summer time on the meter's own account
    clock.step     suspect   set by another amount
    clock.drift    suspect   gains or loses more than 10 s a day

What comes late says nothing: of the readings of two days the one that came soonest tells the offset. A
finding of the first two kinds is told once; the others close when the clock is right again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from anomaly.batch import Batch
from anomaly.gate import DoubtKind, Gated
from anomaly.local_time import DAY, HOUR
from anomaly.series import Floats, Ints
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Tier

__all__ = ["ClockDetector", "Receptions"]

OFF = 15 * 60
DST = HOUR
DST_WITHIN = 90
DRIFT_S_PER_DAY = 10.0
DRIFT_DAYS = 28
STEADY_S = 120.0
"""A drifting clock keeps to its line; one that is set, or a network that is slow, does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Receptions:
    """When readings were measured by the meter's clock and when they arrived by ours, UTC seconds."""

    at: Ints
    received_at: Ints


@dataclass(frozen=True, slots=True)
class ClockDetector:
    """Detector of all of the above.

    Attributes:
        receptions: by meter id; without them only impossible times can be told.
    """

    receptions: Mapping[str, Receptions] = field(default_factory=dict)
    names: tuple[str, ...] = (
        "clock.lost",
        "clock.ahead",
        "clock.off",
        "clock.dst",
        "clock.step",
        "clock.drift",
    )
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS})

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Look at the times that were refused, and at the offsets of those that were not."""
        for gated in batch.meters:
            yield from _impossible(gated)
            known = self.receptions.get(gated.facts.meter)
            if known is not None and len(known.at):
                yield from _offsets(gated.facts.meter, known)


def _impossible(gated: Gated) -> Iterator[Finding]:
    """Tell the first impossible time of each kind, at the first believable reading that can date it."""
    named = ((DoubtKind.IMPOSSIBLE_TIME, "clock.lost"), (DoubtKind.FUTURE, "clock.ahead"))
    for kind, name in named:
        found = [doubt for doubt in gated.doubts if doubt.kind is kind]
        if found and len(gated):
            raised = int(gated.known_at[-1])
            readings = sum(doubt.readings for doubt in found)
            evidence = {"times": [_iso(doubt.at) for doubt in found[:6]], "readings": readings}
            told = stage(Tier.SUSPECT, name, raised, raised, evidence)
            yield Finding(gated.facts.meter, (told,), moment(raised))


def _iso(at: int) -> str:
    """Say a time as far as the calendar reaches."""
    return moment(at).isoformat() if 0 <= at < 253_402_300_800 else f"{at} s"


# --- offsets against reception ---------------------------------------------------------------------


def _offsets(meter: str, known: Receptions) -> Iterator[Finding]:
    """Follow the offset from day to day."""
    day, offset = _daily(known)
    previous: float | None = None
    wrong: Finding | None = None
    for place in range(len(day)):
        now = float(offset[place])
        if wrong is not None and abs(now) <= OFF:
            yield _closed(wrong, int(day[place]))
            wrong = None
        elif wrong is None and abs(now) > OFF:
            wrong = _off(meter, int(day[place]), now, previous)
        previous = now
    if wrong is not None:
        yield wrong
    else:
        yield from _drift(meter, day, offset)


def _daily(known: Receptions) -> tuple[Ints, Floats]:
    """Give per day of reception its end, and meter time minus reception of what came soonest, seconds.

    Soonest of that day and the one before it: on a day of few readings all may be late.
    """
    order = np.argsort(known.received_at, kind="stable")
    at, received = known.at[order], known.received_at[order]
    day = received // DAY
    starts = np.flatnonzero(np.concatenate([[True], np.diff(day) > 0]))
    ends = np.append(starts[1:], len(day)) - 1
    offset = np.maximum.reduceat(at - received, starts).astype(np.float64)
    offset[1:] = np.maximum(offset[1:], offset[:-1])
    return received[ends], offset


def _off(meter: str, raised: int, offset: float, previous: float | None) -> Finding:
    step = None if previous is None else offset - previous
    if step is not None and abs(abs(step) - DST) <= DST_WITHIN:
        tier, name = Tier.NOTIFY, "clock.dst"
    elif step is not None and abs(step) > OFF:
        tier, name = Tier.SUSPECT, "clock.step"
    else:
        tier, name = Tier.SUSPECT, "clock.off"
    evidence = {"offset_s": round(offset), "step_s": None if step is None else round(step)}
    return Finding(meter, (stage(tier, name, raised, raised, evidence),))


def _closed(finding: Finding, at: int) -> Finding:
    return Finding(finding.subject, finding.stages, moment(at), finding.outcome)


def _drift(meter: str, day: Ints, offset: Floats) -> Iterator[Finding]:
    """Tell when for four weeks a clock ran away steadily (Theil 1950, Sen 1968), until it does no longer."""
    running: Finding | None = None
    for last in range(DRIFT_DAYS, len(day) + 1, DRIFT_DAYS // 4):
        days, seconds = day[last - DRIFT_DAYS : last] / DAY, offset[last - DRIFT_DAYS : last]
        slope, now = _steady_slope(days, seconds), int(day[last - 1])
        if running is None and abs(slope) > DRIFT_S_PER_DAY:
            evidence = {"seconds_a_day": round(slope, 1), "offset_s": round(float(seconds[-1]))}
            onset = int(day[last - DRIFT_DAYS])
            running = Finding(meter, (stage(Tier.SUSPECT, "clock.drift", now, onset, evidence),))
        elif running is not None and abs(slope) <= DRIFT_S_PER_DAY:
            yield _closed(running, now)
            running = None
    if running is not None:
        yield running


def _steady_slope(days: Floats, seconds: Floats) -> float:
    """Give seconds a day; 0 where the offsets do not keep to a line."""
    slope = _theil_sen(days, seconds)
    rest = seconds - slope * days
    return slope if np.median(np.abs(rest - np.median(rest))) <= STEADY_S else 0.0


def _theil_sen(x: Floats, y: Floats) -> float:
    first, second = np.triu_indices(len(x), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))
