"""What a bench gives: figures with units."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        what: what was measured.
        value: the number.
        unit: its unit.
        remark: on what input, and against what.
    """

    what: str
    value: float
    unit: str
    remark: str = ""

    @property
    def text(self) -> str:
        """The number with a sensible number of digits."""
        return f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:,.2f}"


def best_seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """Seconds of the fastest of several runs: the machine's other work only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
