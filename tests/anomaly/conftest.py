"""Households of our own making: use by the hour of the day, and what may run on top of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from anomaly.series import MeterFacts, Series

_AWAKE = np.array([0.1] * 6 + [0.5, 0.7, 0.6] + [0.45] * 8 + [0.6, 0.7, 0.75, 0.7, 0.6, 0.4, 0.2])


@dataclass(frozen=True)
class Household:
    """Makes series; every one is the same for the same seed."""

    start: int = 1_704_067_200  # 2024-01-01 00:00 UTC
    hour: int = 3600

    def litres(self, days: int, seed: int = 1) -> np.ndarray:
        """Litres of each hour, without a leak."""
        rng = np.random.default_rng(seed)
        awake = rng.random(days * 24) < np.tile(_AWAKE, days)
        return np.where(awake, np.ceil(rng.gamma(1.2, 22, days * 24)), 0.0)

    def leaking(self, days: int, rate: float, first_hour: int, hours: int, seed: int = 1) -> np.ndarray:
        """Litres of each hour with a steady flow on top, from an hour on for so many hours."""
        litres = self.litres(days, seed)
        litres[first_hour : first_hour + hours] += rate
        return litres

    def series(self, litres: np.ndarray, meter: str = "M", step_s: int = 3600, **facts) -> Series:
        """Readings of a register of 1 L counting these litres, one a step."""
        index = np.floor(50_000 + np.concatenate([[0.0], np.cumsum(litres)]))
        at = self.start + np.arange(len(index)) * step_s
        return Series.arrived(MeterFacts(meter, **facts), at, index)


@pytest.fixture(scope="session")
def household() -> Household:
    """The maker of households."""
    return Household()
