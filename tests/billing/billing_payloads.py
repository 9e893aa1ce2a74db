"""Billing reads of a house in Piekoszów, as they lie in the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from billing_bridge.boundary import Dial, Rounding
from billing_bridge.closing import close_periods
from billing_bridge.estimate import Method, Settings
from billing_bridge.outbox import message_of
from billing_bridge.period import Calendar
from billing_bridge.read import BillingRead, Subject
from metering.consumption import IndexPoint, Limits, Segment
from metering.meter import MeterId
from metering.outbox import Message, OutboxItem, OutboxState

WARSAW = ZoneInfo("Europe/Warsaw")
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")
NOW = datetime(2026, 4, 2, 6, tzinfo=UTC)
WATER = Limits.of_water_m3(q3_m3h=Decimal("2.5"), digits=4)
ROUNDING = Rounding(WARSAW, estimates=Settings(projections=(Method.NORM,), norm_m3_per_day=Decimal("0.05")))


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=WARSAW).astimezone(UTC)


def reads(places: int = 1, *, exchange: bool = False) -> list[BillingRead]:
    """Give January to March 2026 of some service points, 0.1 m3 a day from 100 m3 on.

    Index 103.1 at the end of January, 105.9, 108.9 (summer time came: reads of 23:00 UTC are at 01:00 then).
    With an exchange on 15 February at noon: the old meter goes with 104.55, the new one comes with 0.007.
    """
    found: list[BillingRead] = []
    for place in range(places):
        dials = exchanged() if exchange else [dial(OLD, local(2026, 1, 1), "100", days=91)]
        periods = Calendar(WARSAW).periods(local(2026, 1, 1), local(2026, 4, 1))
        made = close_periods(Subject("wod", f"SP {place}"), dials, periods, ROUNDING)
        found.extend(one for one in made if isinstance(one, BillingRead))
    return found


def exchanged() -> list[Dial]:
    noon = local(2026, 2, 15, 12)
    old = dial(OLD, local(2026, 1, 1), "100", days=45, until=noon, closing=Decimal("104.55"))
    new = dial(NEW, noon, "0.007", days=46, opening=Decimal("0.007"))
    return [old, new]


def dial(
    meter: MeterId,
    since: datetime,
    start: str,
    *,
    days: int,
    until: datetime | None = None,
    opening: Decimal | None = None,
    closing: Decimal | None = None,
) -> Dial:
    points = [
        IndexPoint(since + timedelta(days=day), Decimal(start) + Decimal(day) / 10) for day in range(days + 1)
    ]
    return Dial(meter, Segment(points, WATER, since, until, opening, closing))


def items(reads_: Sequence[BillingRead], target: str = "cis") -> list[OutboxItem]:
    """Give them as the outbox does."""
    return [_item(number, message_of(read, target)) for number, read in enumerate(reads_, 1)]


def _item(number: int, message: Message) -> OutboxItem:
    digest = sha256(message.payload).digest()
    said = (message.target, message.key, message.aggregate, message.payload, digest)
    return OutboxItem(number, *said, OutboxState.PENDING, 1, NOW, "batch 1", NOW, "", "", NOW, None)
