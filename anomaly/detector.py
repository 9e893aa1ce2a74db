"""What a detector is, and which there are. A detector is one file; adding one adds one line here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from anomaly.batch import Batch
from anomaly.battery import BatteryDetector
from anomaly.clock import ClockDetector
from anomaly.falling import FallingDetector
from anomaly.flags import FlagsDetector
from anomaly.leak import LeakDetector
from anomaly.leak_daily import DailyLeakDetector
from anomaly.silent import SilentDetector
from anomaly.stopped import StoppedDetector
from anomaly.sufficiency import Reason
from anomaly.under_registration import UnderRegistrationDetector
from anomaly.unusual import UnusualUseDetector
from anomaly.vacancy import VacancyDetector
from metering.finding import Finding

__all__ = ["DETECTORS", "Detector", "FleetDetector"]


class Detector(Protocol):
    """Judges meters from their readings alone: no clock, no store, no other meter's findings.

    What it tells must be causal: a stage may use only what was known at its ``raised_at``
    (``known_at`` of the readings), and series cut off there give the same stage.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Qualified names it can give; each has its sentences in ``texts.toml``."""

    @property
    def blocked_by(self) -> frozenset[Reason]:
        """What a series must not lack: such meters are not shown to it."""

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Find what there is to find."""


@runtime_checkable
class FleetDetector(Protocol):
    """Judges meters against one another: what it gathers of some meters is put together before it tells.

    Whoever scans may gather anywhere and in any order; only ``conclude`` sees the whole fleet.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Qualified names it can give; each has its sentences in ``texts.toml``."""

    @property
    def blocked_by(self) -> frozenset[Reason]:
        """What a series must not lack: such meters are not shown to it."""

    def gather(self, batch: Batch) -> Any:
        """Give what it needs to know of some meters; small, and able to be sent to another process."""

    def conclude(self, gathered: Iterable[Any]) -> Iterable[Finding]:
        """Find what there is to find in all that was gathered."""


DETECTORS: tuple[Detector | FleetDetector, ...] = (
    LeakDetector(),
    DailyLeakDetector(),
    FallingDetector(),
    StoppedDetector(),
    SilentDetector(),
    ClockDetector(),
    FlagsDetector(),
    BatteryDetector(),
    UnusualUseDetector(),
    VacancyDetector(),
    UnderRegistrationDetector(),
)
