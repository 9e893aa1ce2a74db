"""Billing in the demo: reads up to last midnight to the reference billing system, and its invoices back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from secrets import token_bytes

from billing_bridge.boundary import Rounding
from billing_bridge.bridge import Bridge, Tally, batches
from billing_bridge.export.json_http import JsonHttpTarget, Url
from billing_bridge.export.signature import Secret
from billing_bridge.outbox import Relay
from billing_bridge.period import Calendar, Calendars, Cause
from billing_bridge.utility import Utility
from metering.billing_accounts import DocumentKind
from metering.billing_customers import CutMade
from metering.consumption import start_of_day
from metering.ports import Clock, Store
from service.billing_inbox import Inbox
from service.demo.billing_books import Books
from service.demo.billing_customers import customer_at
from service.demo.billing_receiver import receiver
from service.demo.town import ZONE, Town

__all__ = ["Billed", "bill"]

_REASON = "the demo bills up to last midnight"


@dataclass(frozen=True, slots=True)
class Billed:
    """What came of it.

    Attributes:
        tally: of the closing.
        handed_over: reads the receiver acknowledged.
        invoices: that came back.
        amount: their sum.
        currency: ISO 4217.
    """

    tally: Tally
    handed_over: int
    invoices: int
    amount: Decimal
    currency: str

    @property
    def waiting(self) -> int:
        """Periods a person must look at."""
        return self.tally.held + self.tally.unbillable

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"Billed up to last midnight: {self.handed_over} reads, {self.tally.volume_m3} m3, handed over to"
            f" a reference billing system; {self.invoices} invoices came back, {self.amount} {self.currency}."
            f" {self.waiting} periods wait for a person"
        )


def bill(town: Town, store: Store, clock: Clock) -> Billed:
    """Close what is over, hand it over by HTTP on this machine, and fetch what comes back."""
    midnight = start_of_day(clock.now().astimezone(ZONE).date(), ZONE)
    _cut(town, store, midnight, clock)
    utility = Utility("demo", Calendars(Calendar(ZONE)), Rounding(ZONE))
    tally = Tally()
    bridge = Bridge(store, utility, clock)
    for points in batches(store):
        tally.add(bridge.close(points, town.began, midnight))
    return _handed_over(store, clock, utility.target, tally)


def _cut(town: Town, store: Store, midnight: datetime, clock: Clock) -> None:
    cuts = [
        CutMade(house.service_point.id, midnight, Cause.ON_DEMAND.value, _REASON, "demo", clock.now())
        for house in town.houses
        if midnight - town.began > timedelta(days=1)
    ]
    with store.writing() as tx:
        tx.customers.put_cuts(cuts)


def _handed_over(store: Store, clock: Clock, source: str, tally: Tally) -> Billed:
    secret = Secret(token_bytes(32))
    books = Books(None, now=clock.now, customer_of=customer_at(store))
    with receiver(books, secret, clock.now) as listening:
        target = JsonHttpTarget(
            name=source, url=Url.parse(f"{listening.url}/reads"), secrets=[secret], clock=clock
        )
        relay = Relay(store=store, target=target, clock=clock, owner="demo", chance=lambda: 0.0)
        handed_over = 0
        while done := relay.run_once():
            handed_over += done
        target.close()
        documents = Url.parse(f"{listening.url}/documents")
        Inbox(store, source=source, url=documents, secret=secret, clock=clock).fetch()
    books.close()
    with store.reading() as tx:
        invoices = tx.accounts.documents(kinds=[DocumentKind.INVOICE], limit=10_000)
    amount = sum((one.amount for one in invoices if one.amount is not None), Decimal(0))
    return Billed(tally, handed_over, len(invoices), amount, books.tariff.currency)
