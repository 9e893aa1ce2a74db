"""The demo's two districts: what their border meters counted for three months, and a leak in one of them.

The border meters are read by wire, not by the demo's gateways: their readings are put into the store as they
stand. Use is drawn by the hour, with working days and Sundays, and a share that the pipes lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from metering.districts import DistrictMeter
from metering.meter import Meter, MeterId
from metering.ports import Store
from metering.reading import Provenance, Quality, Reading, Register, Way
from service.demo.town import ZONE

__all__ = ["LEAKING", "LEAK_LPS", "plant_districts"]

DAYS = 90
LEAKING = "Górny"
LEAK_AGE = timedelta(days=9)
LEAK_LPS = 0.6
_USUAL_LPS = {"Górny": 3.2, "Dolny": 4.5}
_BY_HOUR = "224223478766665556789864"
"""How lively each local hour is; nights are what the pipes lose and a few people."""
_SUNDAY = 1.03
_NOISE = 0.02
_VOLUME = Register("volume")
_SOURCE = Provenance(None, "", None, "demo")


def plant_districts(store: Store, seed: int, now: datetime) -> None:
    """Register a border meter for each district and put what it counted into the store."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    began = end - timedelta(days=DAYS)
    for number, (name, usual) in enumerate(sorted(_USUAL_LPS.items())):
        meter = MeterId("SEN", f"7000000{number}", "01", "07")
        with store.writing() as tx:
            tx.registry.put_meters([Meter(meter, "water", f"{name}: inflow")])
            tx.districts.put_meters([DistrictMeter(name, meter, 1, _VOLUME, began)])
            leak_from = end - LEAK_AGE if name == LEAKING else None
            tx.readings.add(
                list(_readings(meter, usual, leak_from, began, np.random.default_rng([seed, number])))
            )


def _readings(
    meter: MeterId, usual: float, leak_from: datetime | None, began: datetime, random: np.random.Generator
) -> Iterator[Reading]:
    mean = float(np.mean([int(one) for one in _BY_HOUR]))
    index = 1_000_000.0
    for hour in range(DAYS * 24 + 1):
        at = began + timedelta(hours=hour)
        value = Decimal(round(index)) / 1000
        yield Reading(meter, _VOLUME, value, "m3", at, at, Way.WIRED, Quality.RAW, _SOURCE)
        local = at.astimezone(ZONE)
        lively = int(_BY_HOUR[local.hour]) / mean * (_SUNDAY if local.weekday() > 5 else 1.0)
        flow = usual * lively * float(random.normal(1, _NOISE))
        index += 3600 * (flow + (LEAK_LPS if leak_from is not None and at >= leak_from else 0.0))
