"""The real households and their split: one half tunes, the other half judges."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from anomaly.series import Series
from service.anomaly_files import read_series

ZONE = ZoneInfo("Europe/Madrid")
"""Where DAIAD trial A was: Alicante."""

DAY = 86_400


def datasets() -> Path:
    """Folder of the shared datasets: NURT_DATASETS, else beside the checkout."""
    default = Path(__file__).parents[2] / "../shared/datasets"
    return Path(os.environ.get("NURT_DATASETS", default)).resolve()


@cache
def households() -> tuple[Series, ...]:
    """All real households, by id."""
    return tuple(read_series(datasets() / "households" / "readings.parquet"))


def tuning() -> tuple[Series, ...]:
    """Every second household from the first: thresholds and priors may be looked at here."""
    return households()[0::2]


def judging() -> tuple[Series, ...]:
    """The others: nothing was chosen on them."""
    return households()[1::2]


def meter_days(series: Series) -> float:
    """Days from a meter's first reading to its last."""
    return float(series.at.max() - series.at.min()) / DAY
