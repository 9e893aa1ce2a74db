"""A fleet is judged the same whether it is scanned whole, meter by meter, or in other processes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from anomaly.detector import DETECTORS, FleetDetector
from anomaly.scan import parts_of, put_together, scan, scan_part
from anomaly.series import MeterFacts, Series

ZONE = ZoneInfo("Europe/Warsaw")
DAY = 24


@pytest.fixture(scope="module")
def fleet(household):
    """Leaks, a stop, a silence, a fall, an odd night, and homes that are as usual."""
    leak = household.series(household.leaking(70, 30, 50 * DAY, 9 * DAY, seed=2), "leak")
    burst = household.series(household.leaking(70, 500, 55 * DAY, 9, seed=3), "burst")
    still = household.litres(70, seed=4)
    still[40 * DAY :] = 0
    quiet = household.series(household.litres(70, seed=5), "silent")
    heard = quiet.at < quiet.at[0] + 60 * 86_400
    night = household.litres(70, seed=6)
    night[62 * DAY + 2] += 400
    fall = household.series(household.litres(70, seed=7), "fall")
    index = fall.index.copy()
    index[900:] -= 40_000
    usual = [household.series(household.litres(70, seed=20 + n), f"usual{n}") for n in range(6)]
    return [
        leak,
        burst,
        household.series(still, "still"),
        Series.arrived(MeterFacts("silent"), quiet.at[heard], quiet.index[heard]),
        household.series(night, "night"),
        Series.arrived(MeterFacts("fall"), fall.at, index),
        Series.arrived(MeterFacts("one"), [household.start], [5.0]),
        *usual,
    ]


def test_findings_are_the_same_however_the_fleet_is_parted(fleet):
    whole = scan(fleet, ZONE)
    assert {"leak.continuous", "burst.high_flow", "silent.meter", "register.replacement"} <= {
        finding.name for finding in whole.findings
    }
    for size in (1, 2, 5):
        order = np.random.default_rng(size).permutation(len(fleet))
        parts = [[fleet[k] for k in order[n : n + size]] for n in range(0, len(fleet), size)]
        assert put_together([scan_part(part, ZONE) for part in parts]) == whole


def test_parts_hold_every_meter_once(fleet):
    parts = list(parts_of(fleet, readings=4000))
    assert len(parts) > 3
    assert sorted(series.facts.meter for part in parts for series in part) == sorted(
        series.facts.meter for series in fleet
    )


def test_of_a_fleet_detector_nothing_is_told_before_the_end(fleet):
    of_fleets = [detector for detector in DETECTORS if isinstance(detector, FleetDetector)]
    assert len(of_fleets) == 4
    assert scan_part(fleet, ZONE, detectors=of_fleets).findings == ()


def test_an_empty_fleet_has_nothing_to_tell():
    assert scan([], ZONE).findings == ()
