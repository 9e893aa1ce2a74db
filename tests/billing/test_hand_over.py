"""The hand-over survives every death and every answer: the receiver ends with each read exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.boundary import Dial, Rounding
from billing_bridge.closing import close_periods, revise_periods
from billing_bridge.estimate import Method, Settings
from billing_bridge.outbox import Accepted, Answer, Gone, Refused, Relay, TryLater, enter
from billing_bridge.period import Calendar
from billing_bridge.read import BillingRead, Subject
from metering.clock import FixedClock
from metering.consumption import IndexPoint, Limits, Segment
from metering.meter import MeterId
from metering.outbox import KeyReused, OutboxItem, OutboxState
from metering.store import memory_store

WARSAW = ZoneInfo("Europe/Warsaw")
START = datetime(2026, 4, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class Receiver:
    """A billing system that knows the keys it has. Faults come as they are told to."""

    name = "cis"

    def __init__(self, faults: Iterator[str], at: Callable[[], None] = lambda: None) -> None:
        self.booked: dict[str, bytes] = {}
        self.arrivals: list[str] = []
        self._faults = faults
        self._at = at

    def send(self, item: OutboxItem) -> Answer:
        self._at()
        fault = next(self._faults, "")
        early = self._before(fault)
        if early is not None:
            return early
        if item.key not in self.booked:
            self.booked[item.key] = item.payload
            self.arrivals.append(item.key)
        elif self.booked[item.key] != item.payload:
            return Refused("422: key reused with another content")
        self._at()
        return self._after(fault, item)

    def _before(self, fault: str) -> Answer | None:
        if fault == "killed before":
            raise Killed
        answers: dict[str, Answer] = {
            "500": TryLater("500"),
            "409": TryLater("409: the first call still runs"),
            "422": Refused("422: no such contract"),
            "410": Gone("410: gone"),
            "429": TryLater("429", timedelta(minutes=7)),
        }
        return answers.get(fault)

    def _after(self, fault: str, item: OutboxItem) -> Answer:
        """The receiver has booked it, whatever we hear of that."""
        if fault == "killed after":
            raise Killed
        if fault == "answer lost":
            return TryLater("no answer in 30 s")
        if fault == "lies":
            return Accepted("br:another", item.sha256)
        return Accepted(item.key, item.sha256, receipt=f"R{len(self.arrivals)}")


def reads() -> list[BillingRead]:
    """Two houses, three months; of the first house February comes with a revision."""
    periods = Calendar(WARSAW).periods(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    marks = [periods[0].start, *(one.end for one in periods)]
    rounding = Rounding(WARSAW, estimates=Settings((Method.NORM,), norm_m3_per_day=Decimal("0.1")))
    found: list[BillingRead] = []
    for number in (1, 2):
        meter = MeterId("KAM", f"0000000{number}", "1b", "16")
        points = [IndexPoint(mark, Decimal(100 + 12 * n)) for n, mark in enumerate(marks)]
        early = Dial(meter, Segment(points[:2], Limits.of_water_m3(), marks[0]))
        late = Dial(meter, Segment(points, Limits.of_water_m3(), marks[0]))
        house = Subject("wod", f"SP{number}")
        first = [
            one
            for one in close_periods(house, [early], periods[:2], rounding)
            if isinstance(one, BillingRead)
        ]
        found += [*first, *revise_periods([late], rounding, first)]
        newest = {one.period.id: one for one in found if one.subject == house}
        last = close_periods(house, [late], periods, rounding, newest.values())
        found += [one for one in last if isinstance(one, BillingRead)]
    assert len(found) == 8
    return found


READS = reads()


@contextmanager
def outbox() -> Iterator[tuple[FixedClock, object]]:
    clock = FixedClock(START)
    store = memory_store(clock)
    try:
        yield clock, store
    finally:
        store.close()


def relay(store, receiver: Receiver, clock: FixedClock, owner: str = "w1") -> Relay:
    return Relay(store=store, target=receiver, clock=clock, owner=owner, chance=lambda: 0.5, batch=3)


def live(store, receiver: Receiver, clock: FixedClock, *, rounds: int = 400) -> int:
    """Let a process work, die and be started again until nothing waits; people replay and resume."""
    deaths = 0
    for number in range(rounds):
        try:
            relay(store, receiver, clock, f"w{number}").run_once()
        except Killed:
            deaths += 1
        with store.writing() as tx:
            tx.outbox.resume("cis")
            for dead in tx.outbox.items("cis", [OutboxState.DEAD]):
                tx.outbox.replay("cis", dead.key, clock.now())
            due = tx.outbox.next_due("cis")
        if due is None:
            return deaths
        clock.set(max(clock.now(), due))
    raise AssertionError("it never ended")


def assert_each_once_and_in_order(receiver: Receiver, expected: list[BillingRead] = READS) -> None:
    assert receiver.booked == {read.key: read.payload() for read in expected}
    assert len(receiver.arrivals) == len(expected)
    for house in {read.subject for read in expected}:
        sent = [read.key for read in expected if read.subject == house]
        assert [key for key in receiver.arrivals if key in sent] == sent


FAULTS = ["", "500", "409", "422", "410", "429", "answer lost", "lies", "killed before", "killed after"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(FAULTS), max_size=40))
def test_whatever_the_receiver_answers_it_ends_with_each_read_once(faults):
    with outbox() as (clock, store):
        enter(store, READS, "cis", clock.now())
        receiver = Receiver(iter(faults))
        live(store, receiver, clock)
        assert_each_once_and_in_order(receiver)
        with store.reading() as tx:
            assert tx.outbox.counts("cis")[OutboxState.DELIVERED] == len(READS)


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_each_fault_alone_is_survived(fault):
    with outbox() as (clock, store):
        enter(store, READS, "cis", clock.now())
        receiver = Receiver(iter([fault]))
        deaths = live(store, receiver, clock)
        assert deaths == fault.startswith("killed")
        assert_each_once_and_in_order(receiver)


class Life:
    """A process that dies at its n-th breath: at every transaction's begin and commit, around every send."""

    def __init__(self, store, dies_at: int) -> None:
        self._store = store
        self._dies_at = dies_at
        self.breaths = 0

    def breathe(self) -> None:
        self.breaths += 1
        if self.breaths == self._dies_at:
            raise Killed

    @contextmanager
    def writing(self):
        self.breathe()
        with self._store.writing() as tx:
            yield tx
            self.breathe()  # not committed
        self.breathe()  # committed, and nobody knows


def one_life(dies_at: int) -> int:
    """Enter and send with one death at a breath, then live on; gives how many breaths the first life took."""
    with outbox() as (clock, store):
        life = Life(store, dies_at)
        receiver = Receiver(iter(()), life.breathe)
        try:
            enter(life, READS, "cis", clock.now())
            while relay(life, receiver, clock).run_once():
                pass
        except Killed:
            pass
        life._dies_at = 0
        enter(store, READS, "cis", clock.now())  # the run is made again: what is there is there
        live(store, receiver, clock)
        assert_each_once_and_in_order(receiver)
        return life.breaths


def test_killed_at_any_step_the_receiver_ends_with_each_read_once():
    """Every step of a whole run, one after another."""
    breaths = one_life(0)
    assert breaths > 40
    for dies_at in range(1, breaths + 1):
        one_life(dies_at)


def test_two_relays_at_once_send_nothing_twice_while_leases_hold():
    with outbox() as (clock, store):
        enter(store, READS, "cis", clock.now())
        receiver = Receiver(iter(()))
        inner = relay(store, receiver, clock, "w2")
        sent: list[str] = []

        class Meanwhile(Receiver):
            def send(self, item: OutboxItem) -> Answer:
                inner.run_once()
                sent.append(item.key)
                return receiver.send(item)

        outer = Relay(store=store, target=Meanwhile(iter(())), clock=clock, owner="w1", chance=lambda: 0)
        while outer.run_once() or inner.run_once():
            pass
        assert_each_once_and_in_order(receiver)
        assert len(sent) == len(set(sent))


def test_a_relay_that_comes_back_after_its_lease_settles_nothing():
    """It stood still for an hour with the answer in its hands; another one has delivered meanwhile."""
    with outbox() as (clock, store):
        enter(store, READS[:1], "cis", clock.now())
        receiver = Receiver(iter(()))

        class Asleep(Receiver):
            def send(self, item: OutboxItem) -> Answer:
                clock.advance(timedelta(hours=1))
                relay(store, receiver, clock, "w2").run_once()
                return Refused(f"422: {item.key} is late")

        assert relay(store, Asleep(iter(())), clock).run_once() == 0
        with store.reading() as tx:
            assert tx.outbox.item("cis", READS[0].key).state is OutboxState.DELIVERED


def test_what_was_handed_over_cannot_be_changed_but_by_a_revision():
    with outbox() as (clock, store):
        enter(store, READS[:1], "cis", clock.now())
        other = READS[0].deduct([], datetime(2026, 2, 1, tzinfo=UTC).date())
        assert enter(store, [other], "cis", clock.now()) == 0
        changed = BillingRead(READS[0].subject, READS[0].period, READS[3].segments)
        with pytest.raises(KeyReused):
            enter(store, [changed], "cis", clock.now())


def test_a_read_that_a_person_must_look_at_stays_out():
    segment = READS[0].segments[0]
    fell = BillingRead(
        READS[0].subject,
        READS[0].period,
        (type(segment)(segment.meter, segment.closing, segment.opening, segment.step_m3),),
    )
    assert fell.blocked
    with outbox() as (clock, store):
        assert enter(store, [fell], "cis", clock.now()) == 0


def test_a_revision_names_what_it_supersedes():
    told = [json.loads(read.payload()) for read in READS if read.revision > 1]
    assert [(one["revision"], one["supersedes"][-1]) for one in told] == [(2, "1"), (2, "1")]
