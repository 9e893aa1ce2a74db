"""Water that comes back: a valve that trembles, backflow, a meter built in the wrong way round.

::

    backflow.micro      falls of up to 10 L       5 in 30 days suspect, 20 notify: look at the check valve
    backflow.large      falls above 10 L          1 suspect, a second within 30 days notify
    backflow.reversed   48 h in which the index only falls: dispatch, the meter must be turned round

One finding a meter: what began as trembling and became backflow is the same trouble.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from anomaly.gate import MICRO_L, DoubtKind, Gated
from anomaly.local_time import DAY, HOUR
from anomaly.series import Floats, Ints
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["Backflow", "backflow_findings"]

REMEMBERED = 30 * DAY
FEW, MANY = 5, 20
"""Micro falls in 30 days worth noting, and worth telling."""
CALM = 2
"""A finding closes when this many falls or fewer are left of the last 30 days, and no large one."""
ONLY_FALLING = 48 * HOUR
FALLS_OF_A_REVERSED = 8
LEAST_OF_A_REVERSED_L = 50.0


@dataclass(frozen=True, slots=True, order=True)
class Backflow:
    """One fall: meter time and when it was known, UTC seconds; litres."""

    at: int
    known_at: int
    litres: float


@dataclass(slots=True)
class _Case:
    onset: int
    events: list[Backflow] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    closes_at: int = 0


def backflow_findings(gated: Gated, events: Sequence[Backflow]) -> Iterator[Finding]:
    """Follow the falls of one meter as they become known, and tell when they come to something."""
    turned = _reversed_at(*_all_readings(gated))
    case: _Case | None = None
    for known_at, event in _timeline(events, turned):
        if case is not None and known_at > case.closes_at:
            yield from _closed(gated, case)
            case = None
        if event is not None:
            case = case or _Case(event.at)
            _take_in(case, event)
        elif turned is not None:
            case = case or _Case(known_at - ONLY_FALLING)
            case.closes_at = max(case.closes_at, turned[1])
            _reach(case, Tier.DISPATCH, "backflow.reversed", known_at)
    if case is not None:
        yield from _closed(gated, case)


def _timeline(
    events: Sequence[Backflow], turned: tuple[int, int] | None
) -> list[tuple[int, Backflow | None]]:
    """Give falls, and the moment a reversed meter shows (``None``), by the time they are known."""
    falls: list[tuple[int, Backflow | None]] = [(one.known_at, one) for one in events]
    return sorted(
        falls + ([(turned[0], None)] if turned else []),
        key=lambda row: (row[0], row[1].at if row[1] else row[0]),
    )


def _take_in(case: _Case, event: Backflow) -> None:
    case.events = [one for one in case.events if one.at > event.at - REMEMBERED] + [event]
    large = [one for one in case.events if one.litres > MICRO_L]
    micro = len(case.events) - len(large)
    if len(large) > 1:
        _reach(case, Tier.NOTIFY, "backflow.large", event.known_at)
    elif event in large:
        _reach(case, Tier.SUSPECT, "backflow.large", event.known_at)
    elif micro >= MANY:
        _reach(case, Tier.NOTIFY, "backflow.micro", event.known_at)
    elif micro >= FEW:
        _reach(case, Tier.SUSPECT, "backflow.micro", event.known_at)
    last_large = large[-1].at if large else 0
    few_left = case.events[-CALM - 1].at if len(case.events) > CALM else case.events[0].at
    case.closes_at = max(case.closes_at, max(last_large, few_left) + REMEMBERED)


def _reach(case: _Case, tier: Tier, name: str, raised: int) -> None:
    if case.stages and case.stages[-1].tier.rank >= tier.rank:
        return
    litres = [one.litres for one in case.events]
    evidence = {
        "falls_in_30_days": len(litres),
        "litres_back": round(sum(litres), 1),
        "largest_l": round(max(litres, default=0.0), 1),
    }
    case.stages.append(stage(tier, name, raised, case.onset, evidence))


def _closed(gated: Gated, case: _Case) -> Iterator[Finding]:
    if not case.stages:
        return
    place = int(np.searchsorted(gated.at, case.closes_at))
    cleared = moment(int(gated.known_at[place])) if place < len(gated) else None
    yield Finding(gated.facts.meter, tuple(case.stages), cleared)


# --- the wrong way round -----------------------------------------------------------------------------


def _all_readings(gated: Gated) -> tuple[Ints, Floats]:
    """Give line and doubts together by time: a meter that runs backwards is hardly ever on its line."""
    off = {DoubtKind.DECODE_ERROR, DoubtKind.OUT_OF_ORDER, DoubtKind.HELD}
    doubts = [doubt for doubt in gated.doubts if doubt.kind in off]
    at = np.concatenate([gated.at, np.array([doubt.at for doubt in doubts], np.int64)])
    index = np.concatenate([gated.index, np.array([doubt.index for doubt in doubts], np.float64)])
    order = np.argsort(at, kind="stable")
    return at[order], index[order]


def _reversed_at(at: Ints, index: Floats) -> tuple[int, int] | None:
    """Tell when for 48 h the index had only fallen, and when it rose again (the last time, if not)."""
    steps = np.diff(index)
    if not np.any(steps < 0):
        return None
    number = np.arange(1, len(at))
    last_rise = np.maximum.accumulate(np.where(steps > 0, number, 0))
    falls = np.concatenate([[0], np.cumsum(steps < 0)])
    fallen = np.concatenate([[0.0], np.cumsum(np.where(steps < 0, -steps, 0.0))])
    found = np.flatnonzero(
        (at[number] - at[last_rise] >= ONLY_FALLING)
        & (falls[number] - falls[last_rise] >= FALLS_OF_A_REVERSED)
        & (fallen[number] - fallen[last_rise] >= LEAST_OF_A_REVERSED_L)
    )
    if not len(found):
        return None
    rises = np.flatnonzero((steps > 0) & (number > number[found[0]]))
    return int(at[number[found[0]]]), int(at[number[rises[0]]] if len(rises) else at[-1] + 1)
