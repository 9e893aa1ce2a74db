"""Under-registration: a meter that counts less and less while its peers do not.

::

    y  =  log(use of 30 days / use of the same 30 days a year before)  -  median of the same class
    S  =  max(0, S - y / spread - k)        suspect at S > h, notify at twice as much

The year before takes off the season, the peers take off the weather, tariffs and holidays; what is left is
this household or this meter, and only the slow and lasting part of it is told. People leave, too: the
sentence says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from anomaly.batch import Batch
from anomaly.gate import Gated
from anomaly.local_time import DAY
from anomaly.series import MeterClass
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["Months", "UnderRegistrationDetector"]

MONTH = 30 * DAY
BLOCKS_A_YEAR = 12
"""Blocks of 30 days: the same season is 12 blocks before, five days off."""
LEAST_L = 300.0
"""Litres in 30 days below which a ratio says nothing."""
COVERED = 0.8
"""Share of the block between its first and last reading."""
PEERS = 10
"""Meters of a class from which their median is believed."""
DRIFT = 0.5
SUSPECT, NOTIFY = 4.0, 8.0
LEAST_SPREAD = 0.15
MOST_A_BLOCK = 3.0


@dataclass(frozen=True, slots=True)
class Months:
    """Blocks of a meter over those a year before: block number to (log of the ratio, known at, litres)."""

    meter: str
    kind: MeterClass
    ratios: Mapping[int, tuple[float, int, float]]


@dataclass(frozen=True, slots=True)
class UnderRegistrationDetector:
    """Fleet detector of ``meter.under_registration``."""

    names: tuple[str, ...] = ("meter.under_registration",)
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING, Reason.TOO_FEW_DAYS})

    def gather(self, batch: Batch) -> list[Months]:
        """Compare the blocks of some meters with the year before."""
        found = (_months(gated) for gated in batch.meters)
        return [months for months in found if months.ratios]

    def conclude(self, gathered: Iterable[list[Months]]) -> Iterator[Finding]:
        """Take off what the peers do, and follow what is left."""
        fleet = [months for part in gathered for months in part]
        peers = _peers(fleet)
        for months in sorted(fleet, key=lambda one: one.meter):
            yield from _follow(months, peers)


def _months(gated: Gated) -> Months:
    litres = dict(_blocks(gated))
    ratios = {
        block: (float(np.log(used / litres[block - BLOCKS_A_YEAR][0])), known_at, used)
        for block, (used, known_at) in litres.items()
        if block - BLOCKS_A_YEAR in litres
    }
    return Months(gated.facts.meter, gated.facts.kind, ratios)


def _blocks(gated: Gated) -> Iterator[tuple[int, tuple[float, int]]]:
    """Give litres of 30 days, scaled to them, of every block that was heard of well enough."""
    first, last = int(gated.at[0]) // MONTH, int(gated.at[-1]) // MONTH
    edges = np.searchsorted(gated.at, np.arange(first, last + 2) * MONTH)
    for number, (at_begin, at_end) in enumerate(pairwise(edges.tolist())):
        begin, end = max(at_begin - 1, 0), at_end
        if end - begin < 2:
            continue
        span = int(gated.at[end - 1] - gated.at[begin])
        rises = np.diff(gated.index[begin:end])[~gated.broken[begin + 1 : end]]
        used = float(rises.sum()) * MONTH / max(span, 1)
        if COVERED * MONTH <= span <= MONTH / COVERED and used >= LEAST_L:
            yield first + number, (used, int(gated.known_at[end - 1]))


_Peers = Mapping[tuple[MeterClass, int], tuple[float, float]]


def _peers(fleet: Iterable[Months]) -> _Peers:
    """Give median and robust spread of each class and block."""
    ratios: dict[tuple[MeterClass, int], list[float]] = defaultdict(list)
    for months in fleet:
        for block, (ratio, _, _) in months.ratios.items():
            ratios[months.kind, block].append(ratio)
    return {key: _middle(np.array(values)) for key, values in ratios.items()}


def _middle(ratios: np.ndarray) -> tuple[float, float]:
    if len(ratios) < PEERS:
        return 0.0, 2 * LEAST_SPREAD
    median = float(np.median(ratios))
    return median, max(1.4826 * float(np.median(np.abs(ratios - median))), LEAST_SPREAD)


def _follow(months: Months, peers: _Peers) -> Iterator[Finding]:
    """Sum up how far below its peers the meter is, block by block."""
    score, onset, stages = 0.0, 0, list[Stage]()
    for block in sorted(months.ratios):
        ratio, known_at, litres = months.ratios[block]
        median, spread = peers[months.kind, block]
        score = max(0.0, score + min((median - ratio) / spread, MOST_A_BLOCK) - DRIFT)
        if score == 0.0:
            if stages:
                yield Finding(months.meter, tuple(stages), moment(known_at))
            onset, stages = block + 1, []
            continue
        onset = onset or block
        for tier, asked in ((Tier.SUSPECT, SUSPECT), (Tier.NOTIFY, NOTIFY)):
            if score > asked and (not stages or stages[-1].tier.rank < tier.rank):
                evidence = {
                    "percent_below": round(100 * (1 - float(np.exp(ratio - median))), 1),
                    "litres_30_days": round(litres, 1),
                    "score": round(score, 1),
                    "asked": asked,
                }
                stages.append(stage(tier, "meter.under_registration", known_at, onset * MONTH, evidence))
    if stages:
        yield Finding(months.meter, tuple(stages))
