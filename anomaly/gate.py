"""Gatekeeping: which readings lie on the meter's line, and what the others are.

::

    readings    o  o  o        o  o  o         line a -> next reading k
                         x                     too steep or falling: k is held, the next readings decide
    back within 3 readings on the old line     the held ones were wrong    (decode error, cross-read)
    3 readings on a line of their own          a new line begins           (jump or fall)
    neither                                    k alone was wrong

A wrong high value never becomes a floor: it is outlived by the good readings after it, also when it was
believed at first. Nothing is thrown away silently: every reading that is not on the line is a
:class:`Doubt`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.doubts import Doubt, DoubtKind
from anomaly.line import MICRO_L, Walk, steepest_lph
from anomaly.series import Flags, Floats, Ints, MeterFacts, Series

__all__ = ["MICRO_L", "Doubt", "DoubtKind", "Gated", "gate", "steepest_lph"]

EARLIEST = 946_684_800
"""2000-01-01: a meter clock before it has lost its time."""
LATEST = 4_102_444_800
"""2100-01-01: the end of believable times where no clock is given."""
AHEAD = 300
"""Seconds a meter's clock may be ahead of ours."""
FEWEST_FOR_NOISE = 50
NOISE = 0.25
"""Share of steps that a meter with a line does not have, even where now and then another is read."""
TOLD_ONE_BY_ONE = 5000
WIDEST = 2.0**53
"""From here binary floats no longer hold every litre."""


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """The readings on the meter's line, by meter time.

    Attributes:
        facts: the meter.
        at: meter time, UTC seconds, strictly rising.
        index: litres; carried on over roll-overs and changes of unit, so that differences are volumes.
        known_at: when each could be known, UTC seconds, never falling.
        broken: a new line begins here: no volume between this reading and the one before it.
        doubts: everything that is not on the line, and every new line, by meter time.
    """

    facts: MeterFacts
    at: Ints
    index: Floats
    known_at: Ints
    broken: Flags
    doubts: tuple[Doubt, ...]

    def __len__(self) -> int:
        return len(self.at)


def gate(series: Series, now: int | None = None) -> Gated:
    """Put readings in order and keep those on the line.

    Args:
        series: readings as they arrived.
        now: the clock, UTC seconds; later readings are refused.
    """
    doubts: list[Doubt] = []
    believable = _believable(series, now, doubts)
    ordered = _in_order(believable, doubts)
    if _has_no_line(ordered, len(believable)):
        doubts += _doubts(ordered, np.ones(len(ordered), np.bool_), DoubtKind.CONTRADICTORY)
        return _without_line(series.facts, doubts)
    walk = Walk(ordered, doubts)
    walk.run()
    doubts.sort(key=lambda doubt: (doubt.at, doubt.known_at))
    keep = walk.keep
    return Gated(
        series.facts,
        ordered.at[keep],
        walk.index()[keep],
        np.maximum.accumulate(walk.known_at[keep]),
        walk.broken[keep],
        tuple(doubts),
    )


def _has_no_line(ordered: Series, readings: int) -> bool:
    """Whether most moments have several indices, or a quarter of all steps no pipe can make."""
    if len(ordered) < FEWEST_FOR_NOISE:
        return False
    rise, hours = np.diff(ordered.index), np.diff(ordered.at) / 3600
    impossible = rise > steepest_lph(ordered.facts) * np.maximum(hours, 1) + (ordered.facts.resolution_l or 1)
    return bool(impossible.mean() > NOISE) or _conflicting(ordered, readings)


def _conflicting(ordered: Series, readings: int) -> bool:
    """Whether there are several indices for every moment, and what is left of them does not rise."""
    falls = np.diff(ordered.index) < 0
    return readings > 2 * len(ordered) and bool(falls.mean() > NOISE)


def _without_line(facts: MeterFacts, doubts: list[Doubt]) -> Gated:
    none = np.zeros(0, np.int64)
    doubts.sort(key=lambda doubt: (doubt.at, doubt.known_at))
    return Gated(facts, none, np.zeros(0), none, np.zeros(0, np.bool_), tuple(doubts))


def _believable(series: Series, now: int | None, doubts: list[Doubt]) -> Series:
    """Refuse what cannot be a reading; what is left knows when it could be known."""
    with np.errstate(invalid="ignore"):
        number = np.isfinite(series.index) & (series.index >= 0) & (series.index < WIDEST)
    time = (series.at >= EARLIEST) & (series.at < LATEST)
    latest = LATEST if now is None else now + AHEAD
    early = series.at <= latest
    for refused, kind in (
        (~number, DoubtKind.NOT_A_NUMBER),
        (number & ~time, DoubtKind.IMPOSSIBLE_TIME),
        (number & time & ~early, DoubtKind.FUTURE),
    ):
        doubts += _doubts(series, refused, kind)
    keep = number & time & early
    at = series.at[keep]
    return Series(series.facts, at, series.index[keep], np.maximum.accumulate(at) if len(at) else at)


def _doubts(series: Series, mask: Flags, kind: DoubtKind) -> list[Doubt]:
    """Tell readings one by one, and what is beyond the first thousands of a kind as one."""
    where = np.flatnonzero(mask)
    at, known, index = series.at, series.known_at, series.index
    told = [Doubt(kind, int(at[k]), int(known[k]), float(index[k])) for k in where[:TOLD_ONE_BY_ONE]]
    rest = where[TOLD_ONE_BY_ONE:]
    if len(rest):
        k = rest[-1]
        told.append(Doubt(kind, int(at[k]), int(known[k]), float(index[k]), readings=len(rest)))
    return told


def _in_order(series: Series, doubts: list[Doubt]) -> Series:
    """Sort by meter time; of several indices at one moment the lowest counts."""
    order = np.lexsort((series.index, series.at))
    at, index, known = series.at[order], series.index[order], series.known_at[order]
    by_time = Series(series.facts, at, index, known)
    again = np.zeros(len(at), np.bool_)
    again[1:] = at[1:] == at[:-1]
    if not again.any():
        return by_time
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(at))))
    same = again & (index == index[first])
    doubts += _doubts(by_time, same, DoubtKind.DUPLICATE)
    doubts += _doubts(by_time, again & ~same, DoubtKind.CONFLICT)
    return Series(series.facts, at[~again], index[~again], known[~again])
