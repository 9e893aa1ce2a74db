"""Leaks, running toilets and bursts from hourly flow: the bank's scores become findings.

::

    score over threshold      0.5 watched    0.6 suspect    1 notify    1.75 dispatch, if worth the way

Two classes, each with at most one open finding a meter: ``leak`` (continuous or intermittent) and ``burst``
(from 200 L/h on). A finding closes when for 24 known hours the scores around its level stay below half. It is
the same finding again when as much runs within 45 days; a household whose leaks end by themselves is
asked for more evidence the next time. A leak grown by four levels (five-fold) closes the finding and opens
a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from anomaly.bank import BankState, Tick, bins_of, step
from anomaly.batch import Batch
from anomaly.cases import Family, Judge, Sign
from anomaly.hours import KNOWN
from anomaly.levels import BURST_FROM_LPH, CHANNELS, LEVEL_LPH, PATIENCE, STEADY
from anomaly.sufficiency import Reason
from metering.finding import Finding

__all__ = ["LeakDetector"]

_LEVELS = np.array(CHANNELS)


@dataclass(frozen=True, slots=True)
class LeakDetector:
    """Detector of ``leak.continuous``, ``leak.intermittent`` and ``burst.high_flow``."""

    names: tuple[str, ...] = ("leak.continuous", "leak.intermittent", "burst.high_flow")
    blocked_by: frozenset[Reason] = frozenset(
        {
            Reason.NO_READINGS,
            Reason.ONE_READING,
            Reason.NO_KNOWN_HOURS,
            Reason.TOO_SPARSE,
            Reason.REGISTER_TOO_COARSE,
        }
    )

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Run the bank over all hours, and judge the meters it finds suspicious."""
        if not batch.meters:
            return []
        grid = batch.grid
        bins = bins_of(grid.flow, batch.step_l)
        state = BankState.fresh(len(batch.meters), batch.step_l)
        court = _Court(batch)
        for n in range(len(grid.flow)):
            warm = step(state, Tick(grid.hour[n], bins[n], grid.kind[n], grid.span[n]))
            court.hear(n, np.flatnonzero(warm & (n < grid.length)), state)
        return court.findings()


class _Court:
    """Judges of the meters that were ever suspicious, by place in the batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._grid = batch.grid
        self._judges: dict[int, tuple[Judge, ...]] = {}
        self._busy: set[int] = set()

    def hear(self, n: int, warm: np.ndarray[tuple[int, ...], np.dtype[np.intp]], state: BankState) -> None:
        """Show tick n to the judges of warm meters and to those with an open case."""
        rows = [row for row in self._busy.union(warm.tolist()) if n < self._grid.length[row]]
        if not rows:
            return
        ratio = state.ratio_of(rows)
        for row, scores, age in zip(rows, ratio, state.age[rows], strict=True):
            sign = self._sign(n, row, scores, age)
            judges = self._judges.get(row) or self._appoint(row)
            busy = [judge.look(sign) for judge in judges]
            (self._busy.add if any(busy) else self._busy.discard)(row)

    def findings(self) -> Iterator[Finding]:
        """Give what all judges found."""
        for judges in self._judges.values():
            for judge in judges:
                yield from judge.findings()

    def _sign(self, n: int, row: int, ratio: np.ndarray, age: np.ndarray) -> Sign:
        known = self._grid.kind[n, row] == KNOWN
        flow = float(self._grid.flow[n, row]) if known else None
        return Sign(int(self._grid.known_at[n, row]), flow, ratio, age)

    def _appoint(self, row: int) -> tuple[Judge, ...]:
        facts, step_l = self._batch.meters[row].facts, float(self._batch.step_l[row])
        burst = np.asarray(LEVEL_LPH[_LEVELS] * step_l >= BURST_FROM_LPH)
        burst[STEADY:] = False
        patience = PATIENCE[facts.kind]
        judges = tuple(
            Judge(facts.meter, Family(names, np.flatnonzero(channels)), patience, step_l)
            for names, channels in (
                (("leak.continuous", "leak.intermittent"), ~burst),
                (("burst.high_flow", "burst.high_flow"), burst),
            )
        )
        self._judges[row] = judges
        return judges
