"""A house whose pages are looked at: two years, an exchange, a gap, moving in, a billed month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from metering.billing_customers import (
    Contract,
    Customer,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
)
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.ports import Store
from metering.reading import Provenance, Quality, Reading, Register, Way

WARSAW = ZoneInfo("Europe/Warsaw")
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")
POINT, CONTRACT = "SP-7", "U-104"
VOLUME = Register("volume")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=WARSAW).astimezone(UTC)


MOVED_IN = local(2025, 3, 10)
EXCHANGED = local(2026, 2, 15, 12)
NOW = local(2026, 4, 20, 9, 30)
GAP = (local(2026, 3, 12, 4), local(2026, 3, 14, 9))


def litres(hour: datetime) -> int:
    """Give what is used in an hour: nothing at night, most in the morning, more in summer and at weekends."""
    here = hour.astimezone(WARSAW)
    by_hour = (0, 0, 0, 0, 0, 4, 22, 38, 16, 6, 4, 5, 9, 5, 4, 6, 14, 19, 24, 21, 15, 12, 5, 1)
    summer = 1.3 if here.month in {6, 7, 8} else 1.0
    weekend = 1.25 if here.weekday() >= 5 else 1.0
    return int(by_hour[here.hour] * summer * weekend + (here.day * 7 + here.hour * 3) % 5)


def readings() -> list[Reading]:
    """Give hourly readings of both meters, from before the customer moved in until now."""
    found: list[Reading] = []
    total, meter, hour = 412_345, OLD, local(2025, 2, 1)
    while hour <= NOW:
        if hour >= EXCHANGED and meter is OLD:
            meter, total = NEW, 3
        if not GAP[0] < hour < GAP[1]:
            found.append(_reading(meter, hour, total))
        total += litres(hour)
        hour += timedelta(hours=1)
    return found


def _reading(meter: MeterId, at: datetime, total: int) -> Reading:
    source = Provenance(None, "roof", "kamstrup-mc21", "1")
    value = Decimal(total).scaleb(-3)
    return Reading(meter, VOLUME, value, "m3", at, at, Way.RADIO, Quality.RAW, source)


def closing_index(found: Sequence[Reading]) -> Decimal:
    return max(one.value for one in found if one.meter == OLD)


def build(store: Store) -> None:
    """Put the house into a store."""
    found = readings()
    with store.writing() as tx:
        tx.registry.put_meters([Meter(OLD), Meter(NEW)])
        tx.registry.put_service_points([ServicePoint(POINT, "ul. Łąkowa 1 m. 7", route="R1")])
        tx.registry.put_installations(
            [
                Installation(OLD, POINT, local(2025, 2, 1), EXCHANGED),
                Installation(NEW, POINT, EXCHANGED, None),
            ]
        )
        tx.customers.put_customers([Customer("K-104", "Odbiorca", language="pl")])
        tx.customers.put_contracts([Contract(CONTRACT, "K-104"), Contract("U-103", "K-104")])
        tx.customers.put_tenancies(
            [Tenancy(CONTRACT, POINT, MOVED_IN), Tenancy("U-103", POINT, local(2025, 2, 1), MOVED_IN)]
        )
        legal = NOW.date() + timedelta(days=60)
        tx.customers.put_meter_facts([MeterFacts(OLD, 4), MeterFacts(NEW, 4, Decimal("2.5"), legal)])
        tx.customers.put_protocols(
            [
                ProtocolIndex(OLD, POINT, EXCHANGED, Event.REMOVED, closing_index(found)),
                ProtocolIndex(NEW, POINT, EXCHANGED, Event.INSTALLED, Decimal("0.003")),
            ]
        )
        tx.readings.add(found)
