"""The falls in real households: explained, and nobody accused; planted causes are known there too."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from falls import CASES, HOUR, found, verdict

from anomaly.batch import Batch
from anomaly.falling import FallingDetector
from anomaly.series import Series
from metering.finding import Tier


def households() -> list[Series]:
    pytest.importorskip("pyarrow")
    from service.anomaly_files import read_series

    default = Path(__file__).parents[2] / "../shared/datasets"
    folder = Path(os.environ.get("NURT_DATASETS", default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"the shared datasets are not at {folder} (NURT_DATASETS)")
    return list(read_series(folder / "households" / "readings.parquet"))


@pytest.mark.shared
def test_none_of_the_real_falls_is_called_tampering_or_replacement():
    findings = list(FallingDetector().inspect(Batch.of(households(), ZoneInfo("Europe/Madrid"))))
    told = Counter(stage.name for one in findings for stage in one.stages)
    assert told["reading.reordered"] >= 3
    assert told["reading.decode_error"] >= 2
    assert not any(name.startswith(("tampering", "register")) for name in told)
    assert not any(one.tier.rank >= Tier.NOTIFY.rank for one in findings)


def quiet_stretch(series: Series) -> tuple[np.ndarray, np.ndarray] | None:
    """Seventy days of a real home with hardly a gap, in use before and after their middle."""
    order = np.argsort(series.at, kind="stable")
    at, index = series.at[order], series.index[order]
    for first in range(0, len(at) - 70 * 24, 14 * 24):
        times, values = at[first : first + 70 * 24], index[first : first + 70 * 24]
        steps = np.diff(values)
        clean = np.all(np.diff(times) > 0) and np.mean(np.diff(times) < 2 * HOUR) > 0.99
        middle = slice(20 * 24, 50 * 24)
        if clean and np.all(steps >= 0) and steps.max() < 2_000 and steps[middle].sum() > 30 * 60:
            return times, values + 60_000 - min(values[0], 0)
    return None


@pytest.mark.shared
def test_the_causes_are_called_by_their_name_in_real_homes_too():
    homes = [stretch for one in households() if (stretch := quiet_stretch(one)) is not None]
    assert len(homes) >= 20
    called = Counter()
    for number, (cause, expected) in enumerate(CASES.items()):
        for place, (at, index) in enumerate(homes):
            rng = np.random.default_rng(1_000 * number + place)
            spoilt_series = cause(at, index, int(rng.integers(30 * 24, 40 * 24)), rng)
            called[expected, verdict(found(*spoilt_series))] += 1
    right = sum(count for (expected, said), count in called.items() if expected == said)
    assert right / called.total() >= 0.98, {pair: n for pair, n in called.items() if pair[0] != pair[1]}
