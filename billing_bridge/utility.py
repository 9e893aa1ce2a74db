"""What a utility sets for billing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from billing_bridge.arbiter import Arbitration
from billing_bridge.boundary import Rounding
from billing_bridge.period import Calendars
from billing_bridge.validate import Policy
from metering.reading import Register

__all__ = ["Late", "Overdue", "Utility"]


class Late(StrEnum):
    """What becomes of reads that arrive for a period that was billed."""

    PROPOSE = "propose"
    """A correction is proposed, in the period it belongs to."""
    ABSORB = "absorb"
    """The next period, which opens where this one closed, takes the difference."""


class Overdue(StrEnum):
    """What becomes of a period that waits for a reader once the day has passed."""

    ESTIMATE = "estimate"
    """It is estimated, and the read says that nobody came."""
    WAIT = "wait"
    """It waits on; the question says since when the order is overdue."""


@dataclass(frozen=True, slots=True)
class Utility:
    """One utility.

    Attributes:
        tenant: its name in keys.
        calendars: when periods begin, per route.
        rounding: how indices are taken.
        arbitration: between ways of reading.
        policy: settings of the rules.
        target: name under which messages are put for the billing system.
        register: what is billed.
        late: what becomes of late reads.
        wait: how long after its end a period may be closed.
        four_eyes_m3: a decision that moves more than this needs a second person; ``None`` = never.
        class_usage: usual m3 a day of classes of customers, where too few were billed to take a median.
        reader_days: days a reader has, unless said otherwise.
        overdue: what becomes of a period whose reader did not come in time.
        order_readers: rules that find a reader is needed order one.
    """

    tenant: str
    calendars: Calendars
    rounding: Rounding
    arbitration: Arbitration = field(default_factory=Arbitration)
    policy: Policy = field(default_factory=Policy)
    target: str = "cis"
    register: Register = field(default_factory=lambda: Register("volume"))
    late: Late = Late.PROPOSE
    wait: timedelta = timedelta(0)
    four_eyes_m3: Decimal | None = None
    class_usage: Mapping[str, Decimal] = field(default_factory=dict)
    reader_days: int = 14
    overdue: Overdue = Overdue.ESTIMATE
    order_readers: bool = True
