"""Leaks, running toilets and bursts from hourly flow: the bank's scores become findings.

::

    score over threshold      0.5 watched    0.65 suspect    1 notify    1.75 dispatch, if worth the way

A meter has at most one open finding of unwanted flow: ``leak.continuous``, ``leak.intermittent`` or, from
200 L/h on, ``burst.high_flow``. It closes when for 24 known hours the scores around its level stay below
half. It is the same finding again when as much runs within 30 days; a household whose leaks end by themselves
is asked for more evidence, and for a longer run, the next time (:mod:`anomaly.habits`). A flow grown by four
levels (five-fold) to 60 L/h and more closes the finding and opens a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from anomaly.bank import BankState, Tick, bins_of, step
from anomaly.bank_ahead import STRETCH, ahead
from anomaly.batch import Batch
from anomaly.cases import Judge
from anomaly.habits import Habits
from anomaly.hours import KNOWN
from anomaly.levels import PATIENCE
from anomaly.sufficiency import Reason
from anomaly.suspicion import Sign
from metering.finding import Finding

__all__ = ["LeakDetector"]

FEW = 8
"""So many meters, or fewer, are judged one after the other."""


@dataclass(frozen=True, slots=True)
class LeakDetector:
    """Detector of ``leak.continuous``, ``leak.intermittent`` and ``burst.high_flow``.

    Attributes:
        strictness: multiplies the evidence asked for: above 1 fewer alarms, below 1 more and sooner.
    """

    strictness: float = 1.0
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
        if len(batch.meters) <= FEW:
            parts = (batch.part([place]) for place in range(len(batch.meters)))
            return [finding for part in parts for finding in self._alone(part)]
        return self._beside(batch)

    def _beside(self, batch: Batch) -> Iterable[Finding]:
        """Move all meters by one tick at a time."""
        grid = batch.grid
        bins = bins_of(grid.flow, batch.step_l)
        state = BankState.fresh(len(batch.meters), batch.step_l)
        court = _Court(batch, self.strictness)
        for n in range(len(grid.flow)):
            warm = step(state, Tick(grid.hour[n], bins[n], grid.kind[n], grid.span[n]))
            court.hear(n, np.flatnonzero(warm & (n < grid.length)), state)
        return court.findings()

    def _alone(self, batch: Batch) -> Iterable[Finding]:
        """Move one meter by stretches where nothing is suspicious, else by one tick."""
        grid = batch.grid
        ticks = Tick(
            grid.hour[:, 0], bins_of(grid.flow, batch.step_l)[:, 0], grid.kind[:, 0], grid.span[:, 0]
        )
        state = BankState.fresh(1, batch.step_l)
        court = _Court(batch, self.strictness)
        n, number = 0, len(grid.flow)
        while n < number:
            moved = 0 if court.in_session else ahead(state, ticks.rows(slice(n, n + STRETCH)))
            n += moved
            if moved < STRETCH and n < number:
                warm = step(state, ticks.rows(slice(n, n + 1)))
                court.hear(n, np.flatnonzero(warm), state)
                n += 1
        return court.findings()


class _Court:
    """Judges of the meters that were ever suspicious, by place in the batch."""

    def __init__(self, batch: Batch, strictness: float) -> None:
        self._strictness = strictness
        self._batch = batch
        self._grid = batch.grid
        self._judges: dict[int, Judge] = {}
        self._busy: set[int] = set()

    @property
    def in_session(self) -> bool:
        """Whether any case is open, so that every tick must be heard."""
        return bool(self._busy)

    def hear(self, n: int, warm: np.ndarray[tuple[int, ...], np.dtype[np.intp]], state: BankState) -> None:
        """Show tick n to the judges of warm meters and to those with an open case."""
        rows = [row for row in self._busy.union(warm.tolist()) if n < self._grid.length[row]]
        if not rows:
            return
        ratio = state.ratio_of(rows)
        for row, scores, age in zip(rows, ratio, state.age[rows], strict=True):
            sign = self._sign(n, row, scores, age)
            judge = self._judges.get(row) or self._appoint(row)
            (self._busy.add if judge.look(sign) else self._busy.discard)(row)

    def findings(self) -> Iterator[Finding]:
        """Give what all judges found."""
        for judge in self._judges.values():
            yield from judge.findings()

    def _sign(self, n: int, row: int, ratio: np.ndarray, age: np.ndarray) -> Sign:
        known = self._grid.kind[n, row] == KNOWN
        flow = float(self._grid.flow[n, row]) if known else None
        at = int(self._grid.known_at[n, row])
        return Sign(at, flow, ratio, age, n, lambda ticks: self._before(n, row, ticks))

    def _before(self, n: int, row: int, ticks: int) -> list[float]:
        part = slice(max(n + 1 - ticks, 0), n + 1)
        flows: list[float] = self._grid.flow[part, row][self._grid.kind[part, row] == KNOWN].tolist()
        return flows

    def _appoint(self, row: int) -> Judge:
        facts = self._batch.meters[row].facts
        habits = Habits(PATIENCE[facts.kind], self._strictness, float(self._batch.step_l[row]))
        self._judges[row] = Judge(facts.meter, habits)
        return self._judges[row]
