"""Make anomaly/priors.py from the tuning half of the households: ``python -m benchmarks.anomaly.priors``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from anomaly.bank import bins_of
from anomaly.gate import gate
from anomaly.hours import KNOWN, Ticks, ticks_of
from anomaly.levels import BINS
from benchmarks.anomaly.households import ZONE, tuning

OUT = Path(__file__).parents[2] / "anomaly" / "priors.py"
RESOLUTIONS = (1, 10, 100)
HEAD = '''"""What households do before anything is known of one of them: the leak bank's priors.

Median over {meters} households for the chance of an hour without use, mean for the spread of flows, learned
without leaks in mind, from DAIAD trial A (Alicante, 2016-2017, CC BY-SA 4.0): only these {numbers} numbers
are taken from it. One row for registers of 1, 10 and 100 L. Made by ``python -m benchmarks.anomaly.priors``.
"""

from __future__ import annotations

__all__ = ["USE_SPREAD", "ZERO_HOURS"]

'''


def of_household(ticks: Ticks, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """Chance of no use by hour, and spread of the bins given use."""
    known = ticks.kind == KNOWN
    hour, bins = ticks.hour[known], bins_of(ticks.flow[known], resolution)
    zero = np.array([np.mean(bins[hour == h] == 0) if (hour == h).sum() > 50 else np.nan for h in range(24)])
    count = np.bincount(bins[bins > 0], minlength=BINS + 1)[1:] + 0.1
    return zero, count / count.sum()


def tables() -> tuple[np.ndarray, np.ndarray]:
    """Priors over the tuning half for each resolution."""
    zeros, spreads = [], []
    for resolution in RESOLUTIONS:
        rows = [
            of_household(
                ticks_of(gate(replace(s, index=np.floor(s.index / resolution) * resolution)), ZONE),
                resolution,
            )
            for s in tuning()
        ]
        zeros.append(np.nanmedian([row[0] for row in rows], axis=0))
        spreads.append(np.mean([row[1] for row in rows], axis=0))
    return np.array(zeros), np.array(spreads)


def text(name: str, table: np.ndarray, docstring: str) -> str:
    rows = "".join("    (" + ", ".join(f"{value:.4g}" for value in row) + "),\n" for row in table)
    return f'{name} = (\n{rows})\n"""{docstring}"""\n'


def main() -> None:
    zero, spread = tables()
    OUT.write_text(
        HEAD.format(meters=len(tuning()), numbers=zero.size + spread.size)
        + text("ZERO_HOURS", zero, "Chance of less than half a register step, by local hour of the day.")
        + "\n"
        + text("USE_SPREAD", spread, "Share of each flow bin among hours with use (anomaly.levels).")
    )


if __name__ == "__main__":
    main()
