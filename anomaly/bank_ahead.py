"""The bank for one meter over a long time: quiet stretches at once instead of tick by tick.

A tick changes what is learned, and that changes what the next tick says; so ticks of one meter follow each
other. But as long as nothing is suspicious, what is learned depends on the readings alone. A stretch is
therefore learned ahead in plain numbers, its evidence is worked out in one go, and scores are summed up to
the first tick that is suspicious: that one and those after it are taken one by one. The state is the same to
the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.bank import (
    MEMORY_DAYS,
    MEMORY_USES,
    PART_UNIT,
    PRIOR_DAYS,
    PRIOR_USES,
    WARM_FROM,
    BankState,
    Tick,
    evidence,
)
from anomaly.hours import KNOWN

__all__ = ["STRETCH", "ahead"]

STRETCH = 128
"""Ticks looked ahead: more are mostly thrown away where something happens every week."""


@dataclass(slots=True)
class _Learned:
    """What would be learned of a stretch: what each tick finds, and what it changes."""

    zero: list[int]
    spread: list[list[int]]
    used: list[bool]
    hours: list[int]
    uses: list[int]


def ahead(state: BankState, ticks: Tick) -> int:
    """Move one meter by ticks in time order, up to the first suspicious one; give by how many.

    Args:
        state: of one meter.
        ticks: of this meter, ``STRETCH`` or fewer count.
    """
    stretch = ticks.rows(slice(STRETCH))
    learned = _learn_ahead(state, stretch)
    units = evidence(
        np.array(learned.zero[:-1], np.uint16),
        np.array(learned.spread[:-1], np.uint16),
        np.array(learned.used[:-1], np.bool_),
        stretch,
    ).astype(np.int64)
    score = _scores(state.score[0].astype(np.int64), units)
    suspicious = np.asarray((score >= WARM_FROM).any(axis=1))
    moved = int(suspicious.argmax()) if suspicious.any() else len(suspicious)
    if moved:
        _take_over(state, stretch, learned, score, moved)
    return moved


def _learn_ahead(state: BankState, ticks: Tick) -> _Learned:
    """Learn from a stretch as if nothing in it were suspicious (anomaly.bank._learn, one row)."""
    zero, spread = state.zero[0].tolist(), state.spread[0].tolist()
    hours, uses, used = int(state.hours[0]), int(state.uses[0]), bool(state.used[0])
    told = _Learned([], [spread], [used], [hours], [uses])
    for hour, bin_, kind in zip(ticks.hour.tolist(), ticks.bin.tolist(), ticks.kind.tolist(), strict=True):
        told.zero.append(zero[hour])
        if kind == KNOWN:
            rate = 1 / min(hours / 24 + PRIOR_DAYS, MEMORY_DAYS)
            used = bin_ > 0
            zero[hour] = round(zero[hour] + rate * ((0 if used else PART_UNIT) - zero[hour]))
            hours = min(hours + 1, 65_535)
            if used:
                spread, uses = _spread_after(spread, bin_, uses), min(uses + 1, 65_535)
        told.spread.append(spread)
        told.used.append(used)
        told.hours.append(hours)
        told.uses.append(uses)
    told.zero.append(0)
    return told


def _spread_after(spread: list[int], bin_: int, uses: int) -> list[int]:
    rate = 1 / min(uses + PRIOR_USES, MEMORY_USES)
    after = [round(part + rate * (0 - part)) for part in spread]
    after[bin_ - 1] = round(spread[bin_ - 1] + rate * (PART_UNIT - spread[bin_ - 1]))
    return after


def _scores(first: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum up evidence, never below zero; the cap lies above what is suspicious and is not reached."""
    total = np.cumsum(units, axis=0)
    lowest = np.minimum.accumulate(total, axis=0)
    return np.asarray(np.maximum(first + total, total - lowest), np.int64)


def _take_over(
    state: BankState, ticks: Tick, learned: _Learned, score: NDArray[np.int64], moved: int
) -> None:
    """Put the state where it is after so many ticks."""
    state.score[0] = score[moved - 1]
    state.age[0] = _age(state.age[0].astype(np.int64), score[:moved], ticks.span[:moved].astype(np.int64))
    state.spread[0] = learned.spread[moved]
    state.used[0], state.hours[0], state.uses[0] = (
        learned.used[moved],
        learned.hours[moved],
        learned.uses[moved],
    )
    _put_zero(state, ticks, learned, moved)


def _age(before: NDArray[np.int64], score: NDArray[np.int64], span: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give hours since each score was last zero."""
    passed = np.cumsum(span)
    number = np.arange(1, len(span) + 1)[:, None]
    last_zero = np.where(score == 0, number, 0).max(axis=0)
    since = passed[-1] - np.where(last_zero > 0, passed[np.maximum(last_zero, 1) - 1], -before)
    return np.asarray(np.minimum(since, 255), np.int64)


def _put_zero(state: BankState, ticks: Tick, learned: _Learned, moved: int) -> None:
    """Learn once more, and only so far."""
    zero = state.zero[0].tolist()
    known = zip(
        ticks.hour[:moved].tolist(),
        ticks.kind[:moved].tolist(),
        learned.used[1:],
        learned.hours,
        strict=False,
    )
    for hour, kind, used, hours in known:
        if kind == KNOWN:
            rate = 1 / min(hours / 24 + PRIOR_DAYS, MEMORY_DAYS)
            zero[hour] = round(zero[hour] + rate * ((0 if used else PART_UNIT) - zero[hour]))
    state.zero[0] = zero
