"""A billing process that kills itself with SIGKILL at a chosen point: before or after any commit or send."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing_bridge.boundary import Rounding
from billing_bridge.bridge import Bridge, batches
from billing_bridge.deciding import Action, Operator
from billing_bridge.estimate import Method, Settings
from billing_bridge.export.json_http import JsonHttpTarget, Url
from billing_bridge.export.signature import Secret
from billing_bridge.outbox import Answer, Relay
from billing_bridge.period import Calendar, Calendars
from billing_bridge.review import Review
from billing_bridge.utility import Utility
from metering.billing import ExceptionState
from metering.clock import FixedClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.outbox import OutboxItem, OutboxState
from metering.ports import Store, Transaction
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore

WARSAW = ZoneInfo("Europe/Warsaw")
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
VOLUME = Register("volume")
HOUSES = 6
MONTHS = 3


def month(number: int) -> datetime:
    """The begin of a month of 2026, local."""
    return datetime(2026, number, 1, tzinfo=WARSAW).astimezone(UTC)


UTILITY = Utility(
    tenant="wod",
    calendars=Calendars(Calendar(WARSAW)),
    rounding=Rounding(WARSAW, estimates=Settings((Method.NORM,), norm_m3_per_day=Decimal("0.1"))),
)


def furnish(store: SqlStore) -> None:
    """Six houses over three months. Of the first two the end of February came late."""
    source = Provenance(None, "roof", None, "1")
    with store.writing() as tx:
        for number in range(HOUSES):
            meter, point = MeterId("KAM", f"{number:08}", "1b", "16"), f"SP{number}"
            tx.registry.put_service_points([ServicePoint(point)])
            tx.registry.put_meters([Meter(meter)])
            tx.registry.put_installations([Installation(meter, point, month(1) - timedelta(days=40))])
            late = {3} if number < 2 else set()
            tx.readings.add(
                [
                    Reading(
                        meter,
                        VOLUME,
                        Decimal(100 + 10 * one + number),
                        "m3",
                        month(one),
                        month(one),
                        Way.RADIO,
                        Quality.RAW,
                        source,
                    )
                    for one in range(1, MONTHS + 2)
                    if one not in late
                ][: MONTHS - 1 if late else None]
            )


def come_late(store: Store) -> None:
    """What was missing in February and after it."""
    source = Provenance(None, "roof", None, "1")
    with store.writing() as tx:
        tx.readings.add(
            [
                Reading(
                    MeterId("KAM", f"{number:08}", "1b", "16"),
                    VOLUME,
                    Decimal(100 + 10 * one + number),
                    "m3",
                    month(one),
                    month(one),
                    Way.RADIO,
                    Quality.RAW,
                    source,
                )
                for number in range(2)
                for one in (3, 4)
            ]
        )


class Fate:
    """Counts points, and ends the process with SIGKILL at one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStore:
    """A store whose every commit is a point to die at: just before it, and just after."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        with self._store.writing() as tx:
            yield tx
            self._fate.point()
        self._fate.point()

    def reading(self) -> AbstractContextManager[Transaction]:
        return self._store.reading()

    def check(self) -> None:
        self._store.check()

    def close(self) -> None:
        self._store.close()


class MortalTarget:
    """A target whose every send is a point to die at: before it, and after it with the answer unread."""

    def __init__(self, target: JsonHttpTarget, fate: Fate) -> None:
        self._target = target
        self._fate = fate
        self.name = target.name

    def send(self, item: OutboxItem) -> Answer:
        self._fate.point()
        answer = self._target.send(item)
        self._fate.point()
        return answer


def live(url: str, where: str, now: datetime, at: int, told: Any = None) -> None:
    """Do the whole of a quarter's billing, from wherever it stands; die at a point (0 = never).

    Args:
        url: of the database.
        where: the receiver takes reads.
        now: the present; each life begins later, so that leases have run out.
        at: number of the point to die at.
        told: a queue that is given the number of points passed, if it lives.
    """
    fate, clock = Fate(at), FixedClock(now)
    store = MortalStore(SqlStore(url, clock, lambda: bytes(32)), fate)
    target = JsonHttpTarget(name="cis", url=Url.parse(where), secrets=[Secret.parse(SECRET)], clock=clock)
    relay = Relay(
        store=store,
        target=MortalTarget(target, fate),
        clock=clock,
        owner=f"p{os.getpid()}-{at}",
        chance=lambda: 0.0,
        batch=4,
    )
    for number in range(1, MONTHS):
        _close(store, clock, month(number), month(number + 1))
    _sent(relay, store, clock)
    come_late(store)
    _close(store, clock, month(MONTHS), month(MONTHS + 1))
    _sent(relay, store, clock)
    review = Review(store, UTILITY, clock)
    for points in batches(store, size=2):
        review.look(points, month(1), month(MONTHS + 1))
    _accept_all(store, clock)
    _sent(relay, store, clock)
    target.close()
    store.close()
    if told is not None:
        told.put(fate.passed)


def _close(store: Store, clock: FixedClock, since: datetime, until: datetime) -> None:
    bridge = Bridge(store, UTILITY, clock)
    for points in batches(store, size=2):
        bridge.close(points, since, until)


def _sent(relay: Relay, store: Store, clock: FixedClock) -> None:
    """Until nothing waits; people replay what died."""
    while True:
        while relay.run_once():
            pass
        with store.writing() as tx:
            tx.outbox.resume("cis")
            for dead in tx.outbox.items("cis", [OutboxState.DEAD]):
                tx.outbox.replay("cis", dead.key, clock.now())
            due = tx.outbox.next_due("cis")
        if due is None:
            return
        clock.set(max(due, clock.now()) + timedelta(seconds=1))


def _accept_all(store: Store, clock: FixedClock) -> None:
    with store.reading() as tx:
        asked = tx.billing.exceptions([ExceptionState.OPEN], limit=100)
    for one in asked:
        Operator(store, UTILITY, clock, "A. Kos").decide(one.number, Action.ACCEPT, "the reads came late")
