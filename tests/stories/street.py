"""A street: houses in a store, what their meters send, and the billing system at the other end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing_bridge.boundary import Rounding
from billing_bridge.bridge import Bridge, Tally
from billing_bridge.estimate import POLAND, Settings
from billing_bridge.outbox import Accepted, Answer, Relay
from billing_bridge.period import MONTHLY, Calendar, Calendars
from billing_bridge.record import opened
from billing_bridge.review import Review
from billing_bridge.utility import Utility
from metering.billing import ExceptionState, KeptRead, ReadState
from metering.billing_customers import (
    Contract,
    Customer,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
    ToldState,
)
from metering.clock import FixedClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.outbox import OutboxItem
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore

WARSAW = ZoneInfo("Europe/Warsaw")
VOLUME = Register("volume")
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")


def at(month: int, day: int = 1, hour: int = 0, year: int = 2026) -> datetime:
    """A local time in 2026, unless said otherwise."""
    return datetime(year, month, day, hour, tzinfo=WARSAW).astimezone(UTC)


def utility(months: tuple[int, ...] = MONTHLY, **said) -> Utility:
    return Utility(
        tenant="wod",
        calendars=Calendars(Calendar(WARSAW, months)),
        rounding=Rounding(WARSAW, Decimal(1), estimates=Settings(POLAND)),
        **said,
    )


@dataclass
class Books:
    """A billing system that books each key once, and counts a revision instead of what it supersedes."""

    name: str = "cis"
    booked: dict[str, dict] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def send(self, item: OutboxItem) -> Answer:
        if item.key not in self.booked:
            self.booked[item.key] = json.loads(item.payload)
            self.order.append(item.key)
        return Accepted(item.key, item.sha256, f"R{len(self.order)}")

    @property
    def in_force(self) -> dict[str, Decimal]:
        """Billed volumes by service point and period, m3."""
        gone = {one["supersedes"] for one in self.booked.values()}
        return {
            f"{one['service_point']} {one['period']['id']}": Decimal(one["volume_m3"])
            for key, one in self.booked.items()
            if key not in gone
        }


class Street:
    """Everything a story does, in the words a story is told in."""

    def __init__(self, store: SqlStore, clock: FixedClock, utility: Utility) -> None:
        self.store, self.clock, self.utility = store, clock, utility
        self.books = Books()

    def house(
        self,
        point: str = "SP1",
        meter: MeterId = OLD,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        digits: int = 5,
        legal: date | None = None,
        opening: str | None = None,
        closing: str | None = None,
        route: str = "",
    ) -> None:
        begin = since or at(1, year=2025)
        written = [(begin, Event.INSTALLED, opening), (until, Event.REMOVED, closing)]
        with self.store.writing() as tx:
            tx.registry.put_service_points([ServicePoint(point, "Łąkowa 1", route=route)])
            tx.registry.put_meters([Meter(meter)])
            tx.registry.put_installations([Installation(meter, point, begin, until)])
            tx.customers.put_meter_facts([MeterFacts(meter, digits, Decimal("2.5"), legal)])
            tx.customers.put_protocols(
                [
                    ProtocolIndex(meter, point, moment, event, Decimal(value), "M. Bak", "P/1")
                    for moment, event, value in written
                    if moment is not None and value is not None
                ]
            )

    def tenant(
        self, contract: str, since: datetime, until: datetime | None = None, point: str = "SP1"
    ) -> None:
        with self.store.writing() as tx:
            tx.customers.put_customers([Customer(f"C{contract}", f"Customer {contract}", language="pl")])
            tx.customers.put_contracts([Contract(contract, f"C{contract}", "G")])
            tx.customers.put_tenancies([Tenancy(contract, point, since, until)])

    def sends(self, *reads: tuple[datetime, str], meter: MeterId = OLD, late: datetime | None = None) -> None:
        source = Provenance(None, "roof", "kamstrup-mc21", "1")
        told = [
            Reading(
                meter, VOLUME, Decimal(value), "m3", moment, late or moment, Way.RADIO, Quality.RAW, source
            )
            for moment, value in reads
        ]
        with self.store.writing() as tx:
            tx.readings.add(told)

    def tells(self, moment: datetime, value: str, channel: str = "web", meter: MeterId = OLD) -> None:
        """A person's state, taken over."""
        state = ToldState(
            meter,
            "SP1",
            "volume",
            moment,
            Decimal(value),
            value,
            channel,
            "4711",
            moment,
            "received",
            accepted_at=moment,
        )
        with self.store.writing() as tx:
            tx.customers.add_states([state])

    def close(self, since: datetime, until: datetime, *, now: datetime | None = None) -> Tally:
        self.clock.set(now or until + timedelta(hours=1))
        bridge, tally = Bridge(self.store, self.utility, self.clock), Tally()
        with self.store.reading() as tx:
            points = tx.billing.service_points()
        tally.add(bridge.close(points, since, until))
        self.send()
        return tally

    def review(self, since: datetime, until: datetime, *, now: datetime | None = None) -> Tally:
        self.clock.set(now or self.clock.now())
        with self.store.reading() as tx:
            points = tx.billing.service_points()
        return Review(self.store, self.utility, self.clock).look(points, since, until)

    def send(self) -> None:
        relay = Relay(store=self.store, target=self.books, clock=self.clock, owner="w1", chance=lambda: 0.0)
        while relay.run_once():
            pass

    def reads(self, *states: ReadState, point: str = "SP1") -> list:
        with self.store.reading() as tx:
            rows = tx.billing.reads_at([point], at(1, year=2000), at(1, year=2100)).get(point, [])
        return [opened(one) for one in rows if one.state in (states or (ReadState.BILLED,))]

    def rows(self, point: str = "SP1") -> list[KeptRead]:
        with self.store.reading() as tx:
            return list(tx.billing.reads_at([point], at(1, year=2000), at(1, year=2100)).get(point, []))

    def volumes(self, point: str = "SP1") -> list[int]:
        return [int(one.volume_m3) for one in self.reads(point=point)]

    def questions(self, *states: ExceptionState) -> list:
        with self.store.reading() as tx:
            return list(tx.billing.exceptions(states or (ExceptionState.OPEN,)))

    def with_settings(self, **said) -> None:
        self.utility = replace(self.utility, **said)
