"""The leak bank: for each meter and level, how much likelier are its hours with a leak than without?

What a meter does without a leak is learned: the chance of an hour without use for each hour of the day, and
how its flows are spread when there is use. Against that stands "a steady flow of this level runs below the
use". An hour is then one of three things::

    below the level's band    a leak would have shown      strong evidence against it
    inside the band           the leak and nothing else    evidence for it; night after night, strong evidence
    above the band            use on top, or only use      says little

so guests who use water all night raise little, and the same 13 litres hour after hour raise much. Each
channel sums the log-likelihood ratios and never falls below zero (CUSUM, Page 1954). Learning stops while any
channel is suspicious, or the leak would be learned.

The state of a meter is 154 bytes; all meters move by one tick at a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anomaly.hours import CEILING, KNOWN
from anomaly.levels import (
    BINS,
    BURST_FROM_LPH,
    CHANNELS,
    EDGES,
    INTERMITTENT,
    LEVEL_LPH,
    LEVELS,
    NOTIFY_AT,
    STEADY,
)
from anomaly.priors import USE_SPREAD, ZERO_HOURS
from anomaly.series import Floats

__all__ = ["PART_UNIT", "SCORE_UNIT", "WARM_FROM", "BankState", "Tick", "bins_of", "evidence", "step"]

Reals = NDArray[np.float32]

SCORE_UNIT = 512
"""Scores are kept as whole numbers of 1/512 nat."""
PART_UNIT = 65_535
"""Probabilities are kept as whole numbers of 1/65535."""
SLIP = 0.03
"""Chance that an hour with a leak still reads below its band: rounding, clock steps, pauses."""
DUTY = 0.4
"""Share of hours an intermittent leak runs, as the bank assumes it."""
MOST_AN_HOUR = 4.0
"""No single hour says more than this, nats."""
HIGHEST = np.where(np.arange(len(CHANNELS)) < STEADY, 2.1, 1.4)
"""A score stops here, in multiples of its threshold: it must come down when the leak ends.

What forgives hours without flow comes down slowly.
"""
CLINGING = math.exp(0.3)
"""Use comes in stretches: after a quiet hour the odds of another are higher by this, after use lower."""
FROZEN_FROM = 0.5
"""Nothing is learned while a score is this far on its way."""
FLOOR = 0.005
"""No band is ever thought impossible."""
QUIET_LOW, QUIET_HIGH = 0.02, 0.98
PRIOR_DAYS = 14.0
"""Days of its own a meter needs to weigh as much as the fleet's prior."""
MEMORY_DAYS = 86.0
"""Mean age of what is remembered: a half-life of 60 days."""
PRIOR_USES = 60.0
MEMORY_USES = 600.0
GAP_HOURS = 3
"""A mean over a gap says as much as this many hours, at most."""
CHUNK = 8192
"""Meters at a time: they fit a processor's cache."""

_THRESHOLD: Reals = NOTIFY_AT.astype(np.float32)
_CAP = np.rint(NOTIFY_AT * HIGHEST * SCORE_UNIT).astype(np.float32)
_LEVEL = np.arange(LEVELS, dtype=np.int16)
_TOGGLED = list(INTERMITTENT)
_BURST_CHANNEL = (LEVEL_LPH[list(CHANNELS)] >= BURST_FROM_LPH) & (np.arange(len(CHANNELS)) < STEADY)
_BURST = LEVEL_LPH >= BURST_FROM_LPH  # so high a mean says as much as an hour does


@dataclass(slots=True, eq=False)
class BankState:
    """State of the bank, one row a meter.

    Attributes:
        zero: chance of no use by hour of the day, ``(meters, 24)``, in 1/65535.
        spread: spread of flows over the bins given use, ``(meters, 18)``, in 1/65535.
        score: sums of evidence, ``(meters, channels)``, in 1/512 nat.
        age: hours since a score was last zero, at most 255.
        hours: known hours learned from, at most 65535.
        uses: hours with use learned from, at most 65535.
        used: whether the last known hour had use.
    """

    zero: NDArray[np.uint16]
    spread: NDArray[np.uint16]
    score: NDArray[np.uint16]
    age: NDArray[np.uint8]
    hours: NDArray[np.uint16]
    uses: NDArray[np.uint16]
    used: NDArray[np.bool_]

    @classmethod
    def fresh(cls, meters: int, resolution_l: Floats | None = None) -> Self:
        """Start with what most households do, by register resolution."""
        decade = _decade(np.ones(meters) if resolution_l is None else resolution_l)
        zero, spread = np.array(ZERO_HOURS), np.array(USE_SPREAD)
        return cls(
            np.rint(zero[decade] * PART_UNIT).astype(np.uint16),
            np.rint(spread[decade] * PART_UNIT).astype(np.uint16),
            np.zeros((meters, len(CHANNELS)), np.uint16),
            np.zeros((meters, len(CHANNELS)), np.uint8),
            np.zeros(meters, np.uint16),
            np.zeros(meters, np.uint16),
            np.zeros(meters, np.bool_),
        )

    def ratio_of(self, rows: list[int]) -> Reals:
        """Give score over threshold for some meters, ``(rows, channels)``: 1 is worth telling."""
        return self.score[rows].astype(np.float32) / (SCORE_UNIT * _THRESHOLD)

    @property
    def bytes_per_meter(self) -> float:
        """Size of one meter's state."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        return float(sum(array.nbytes for array in arrays)) / max(len(self.used), 1)


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One tick of all meters.

    Attributes:
        hour: local hour of the day.
        bin: bin of the flow, 0 to 18.
        kind: what is known (:mod:`anomaly.hours`).
        span: hours since the tick before.
    """

    hour: NDArray[np.int8]
    bin: NDArray[np.int8]
    kind: NDArray[np.int8]
    span: NDArray[np.uint8]

    def rows(self, part: slice) -> Tick:
        """Take some meters."""
        return Tick(self.hour[part], self.bin[part], self.kind[part], self.span[part])


def bins_of(flow_lph: NDArray[np.floating], step_l: NDArray[np.floating] | float = 1.0) -> NDArray[np.int8]:
    """Sort flows into bins; ``step_l`` is the resolution of the register, at least 1 L."""
    return np.searchsorted(EDGES, flow_lph / step_l, side="right").astype(np.int8)


def step(state: BankState, tick: Tick) -> NDArray[np.bool_]:
    """Move all meters by one tick; tell which are suspicious enough to be looked at."""
    meters = len(state.used)
    if meters <= CHUNK:
        return _step(state, tick)
    warm = np.zeros(meters, np.bool_)
    for start in range(0, meters, CHUNK):
        part = slice(start, start + CHUNK)
        warm[part] = _step(_rows(state, part), tick.rows(part))
    return warm


def _rows(state: BankState, part: slice) -> BankState:
    return BankState(*(getattr(state, field.name)[part] for field in fields(state)))


def _step(state: BankState, tick: Tick) -> NDArray[np.bool_]:
    rows = np.arange(len(state.used))
    _add(state, evidence(state.zero[rows, tick.hour], state.spread, state.used, tick), tick)
    warm = np.asarray((state.score >= WARM_FROM).any(axis=1))
    known = tick.kind == KNOWN
    _learn(state, tick, np.flatnonzero(known & ~warm))
    np.copyto(state.used, tick.bin > 0, where=known)
    return warm


WARM_FROM = np.rint(NOTIFY_AT * FROZEN_FROM * SCORE_UNIT).astype(np.uint16)
"""Score of each channel from which a meter is looked at, and nothing is learned."""


def evidence(
    zero: NDArray[np.uint16], spread: NDArray[np.uint16], used: NDArray[np.bool_], tick: Tick
) -> Reals:
    """Give what a tick says for each channel, in whole 1/512 nat, ``(rows, channels)``.

    Args:
        zero: learned chance of no use in that hour of the day, one a row.
        spread: learned spread of flows, ``(rows, 18)``.
        used: whether the last known hour had use.
        tick: one a row: of many meters, or of one meter at many times.
    """
    learned = zero.astype(np.float32) / np.float32(PART_UNIT)
    ratio = _likelihood_ratio(_clinging(learned, used), spread, tick)
    return np.asarray(np.rint(_over_gaps(_nats(ratio), tick) * SCORE_UNIT), np.float32)


def _clinging(zero: Reals, used: NDArray[np.bool_]) -> Reals:
    """Shift the chance of a quiet hour by what the hour before was."""
    bounded = np.clip(zero, QUIET_LOW, QUIET_HIGH)
    odds = bounded / (1 - bounded) * np.where(used, np.float32(1 / CLINGING), np.float32(CLINGING))
    return np.asarray(odds / (1 + odds), np.float32)


def _likelihood_ratio(quiet: Reals, spread: NDArray[np.uint16], tick: Tick) -> Reals:
    """With a leak over without one, ``(meters, levels)``."""
    up_to = np.cumsum(spread, axis=1, dtype=np.float32)
    up_to /= up_to[:, -1:]
    quiet = quiet[:, None]
    busy = 1 - quiet
    under = np.zeros((len(quiet), LEVELS), np.float32)
    under[:, 1:] = up_to[:, : LEVELS - 1]
    slight = np.zeros_like(under)
    slight[:, 3:] = up_to[:, : LEVELS - 3]
    alone = (1 - SLIP) * (quiet + busy * slight)
    place = tick.bin[:, None] - _LEVEL
    below, inside = place < 1, place < 3
    with_leak = np.where(below, np.float32(SLIP), np.where(inside, alone, (1 - SLIP) - alone))
    above = busy * (1 - up_to[:, 1:])
    without = np.where(below, quiet + busy * under, np.where(inside, busy * (up_to[:, 1:] - under), above))
    ratio = with_leak / (without + FLOOR)
    unheard = (tick.kind != KNOWN)[:, None] & ~((tick.kind == CEILING)[:, None] & (below | _BURST))
    return np.asarray(np.where(unheard, np.float32(1), ratio), np.float32)


def _nats(ratio: Reals) -> Reals:
    """Evidence of one tick for every channel; coming and going forgives hours without."""
    toggled = (1 - DUTY) + DUTY * ratio[:, _TOGGLED]
    both = np.concatenate([np.maximum(ratio, 1e-6), toggled], axis=1)
    return np.asarray(np.minimum(np.log(both), np.float32(MOST_AN_HOUR)), np.float32)


def _over_gaps(nats: Reals, tick: Tick) -> Reals:
    """Count a mean as high as a burst for more than one hour: so much water is as much wherever it ran."""
    gaps = (tick.kind == CEILING).nonzero()[0]
    if len(gaps):
        hours = np.minimum(tick.span[gaps], GAP_HOURS)[:, None].astype(np.float32)
        nats[gaps] *= np.where(_BURST_CHANNEL & (nats[gaps] > 0), hours, np.float32(1))
    return nats


def _add(state: BankState, units: Reals, tick: Tick) -> None:
    np.copyto(state.score, np.clip(state.score + units, 0, _CAP), casting="unsafe")
    older = np.minimum(state.age.astype(np.int16) + tick.span[:, None], 255)
    np.copyto(state.age, np.where(state.score > 0, older, 0), casting="unsafe")


def _learn(state: BankState, tick: Tick, rows: NDArray[np.intp]) -> None:
    """Move the learned chances towards what the hour was."""
    hour, used = tick.hour[rows], tick.bin[rows] > 0
    rate = 1 / np.minimum(state.hours[rows] / 24 + PRIOR_DAYS, MEMORY_DAYS)
    old = state.zero[rows, hour]
    state.zero[rows, hour] = np.rint(old + rate * (np.where(used, 0, PART_UNIT) - old.astype(np.float32)))
    state.hours[rows] = np.minimum(state.hours[rows].astype(np.int32) + 1, 65_535)
    busy = rows[used]
    rate = 1 / np.minimum(state.uses[busy] + PRIOR_USES, MEMORY_USES)
    seen = np.zeros((len(busy), BINS), np.float32)
    seen[np.arange(len(busy)), tick.bin[busy] - 1] = PART_UNIT
    spread = state.spread[busy].astype(np.float32)
    state.spread[busy] = np.rint(spread + rate[:, None] * (seen - spread))
    state.uses[busy] = np.minimum(state.uses[busy].astype(np.int32) + 1, 65_535)


def _decade(resolution_l: Floats) -> NDArray[np.intp]:
    """0 for registers of up to 1 L, 1 for 10 L, 2 for 100 L and more."""
    finest = np.maximum(np.nan_to_num(resolution_l, nan=1.0), 1.0)
    return np.clip(np.rint(np.log10(finest)), 0, len(ZERO_HOURS) - 1).astype(np.intp)
