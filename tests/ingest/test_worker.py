"""The worker acknowledges only what is durable, keeps what is not, and no delivery can stop the others."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.batching import Batcher, Limits, weight_of
from ingest.inbox import Arrival, Inbox
from ingest.items import Delivery
from ingest.worker import Worker
from metering.clock import FixedClock
from metering.errors import StoreUnavailable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUICK = Limits(most=3, oldest_s=0.05, quiet_s=0.01)


def arrival(number: int, size: int = 1) -> Arrival:
    return Arrival(Delivery(f"t/{number}", b"x" * size, NOON), connection=1, packet=number, qos=1)


def until(condition, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


# --- batching ------------------------------------------------------------------------------------


def test_an_empty_batch_is_never_due():
    assert Batcher(Limits()).wait(1e9) is None


def test_a_batch_is_due_when_it_is_full_by_number_or_by_bytes():
    batch: Batcher[str] = Batcher(Limits(most=2, most_bytes=10, oldest_s=9, quiet_s=9))
    batch.add("a", 1, now=0)
    assert batch.wait(0) == 9
    batch.add("b", 1, now=0)
    assert batch.wait(0) == 0
    assert (batch.take(), len(batch), batch.wait(0)) == (["a", "b"], 0, None)
    batch.add("c", 10, now=0)
    assert batch.wait(0) == 0


def test_a_batch_is_due_when_nothing_follows_or_its_first_waited_long_enough():
    batch: Batcher[str] = Batcher(Limits(oldest_s=1, quiet_s=0.25))
    batch.add("a", 1, now=10)
    assert batch.wait(10) == 0.25
    batch.add("b", 1, now=10.875)
    assert batch.wait(10.875) == 0.125, "the first has waited"
    assert batch.wait(12) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50)), max_size=40))
def test_nothing_is_lost_or_doubled_by_batching(steps):
    batch: Batcher[int] = Batcher(Limits(most=5, most_bytes=100, oldest_s=0.5, quiet_s=0.2))
    out: list[int] = []
    now = 0.0
    for number, (pause, size) in enumerate(steps):
        now += pause
        if batch.wait(now) == 0:
            out += batch.take()
        batch.add(number, size, now)
        assert len(batch) <= 5
    assert out + batch.take() == list(range(len(steps)))


# --- inbox ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inbox", "size"), [(Inbox(2, 1000), 1), (Inbox(100, 20), 10)], ids=["number", "bytes"]
)
def test_a_full_inbox_makes_the_sender_wait_until_there_is_room(inbox, size):
    assert inbox.put(arrival(1, size))
    assert inbox.put(arrival(2, size))
    sender = threading.Thread(target=inbox.put, args=(arrival(3, size),), daemon=True)
    sender.start()
    sender.join(0.1)
    assert sender.is_alive()
    assert inbox.take(0) == arrival(1, size)
    sender.join(5)
    assert not sender.is_alive()
    assert len(inbox) == 2


def test_a_message_larger_than_the_room_passes_an_empty_inbox():
    assert Inbox(10, 20).put(arrival(1, 1000))


def test_a_closed_inbox_takes_nothing_and_gives_what_it_has():
    inbox = Inbox(1, 1000)
    inbox.put(arrival(1))
    refused: list[bool] = []
    sender = threading.Thread(target=lambda: refused.append(inbox.put(arrival(2))), daemon=True)
    sender.start()
    inbox.close()
    sender.join(5)
    assert refused == [False]
    assert (inbox.take(None), inbox.take(None)) == (arrival(1), None)


# --- worker --------------------------------------------------------------------------------------


class Pipe:
    """A pipeline of the test: remembers what it committed."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.refused: list[tuple[str, str]] = []
        self.away = threading.Event()
        self.poison = ""

    def accept(self, deliveries):
        if self.away.is_set():
            raise StoreUnavailable("the disk is full")
        topics = [delivery.topic for delivery in deliveries]
        if self.poison in topics:
            raise ZeroDivisionError("a defect of ours")
        self.batches.append(topics)
        return topics

    def refuse(self, delivery, reason, sentence):
        assert sentence
        self.refused.append((delivery.topic, reason))
        return [delivery.topic]

    @property
    def committed(self) -> list[str]:
        return [topic for batch in self.batches for topic in batch]


@pytest.fixture
def rig():
    """A running worker with its inbox, pipeline and acknowledgements."""

    class Rig:
        def __init__(self) -> None:
            self.inbox, self.pipe, self.acked = Inbox(1000, 1 << 20), Pipe(), []
            self.worker = Worker(self.inbox, self.pipe, self._ack, clock=FixedClock(NOON), limits=QUICK)

        def _ack(self, arrivals) -> None:
            topics = [one.delivery.topic for one in arrivals]
            known = self.pipe.committed + [topic for topic, _ in self.pipe.refused]
            assert set(topics) <= set(known), "acknowledged before it was durable"
            self.acked += topics

    rig = Rig()
    rig.worker.start()
    yield rig
    rig.worker.stop(5)


def test_deliveries_are_committed_in_batches_and_then_acknowledged(rig):
    for number in range(7):
        rig.inbox.put(arrival(number))
    until(lambda: len(rig.acked) == 7)
    assert rig.acked == rig.pipe.committed == [f"t/{number}" for number in range(7)]
    assert max(len(batch) for batch in rig.pipe.batches) <= QUICK.most
    progress = rig.worker.progress
    assert (progress.received, progress.items, progress.last_commit_at, progress.oldest_at) == (
        7,
        7,
        NOON,
        None,
    )
    assert progress.batches == len(rig.pipe.batches)


def test_while_the_store_is_away_nothing_is_acknowledged_and_then_everything(rig):
    rig.pipe.away.set()
    with capture_logs() as logs:
        for number in range(5):
            rig.inbox.put(arrival(number))
        until(lambda: not rig.worker.progress.store_available)
        time.sleep(0.5)  # it has been tried again by now
        assert rig.acked == []
        assert rig.worker.progress.oldest_at == NOON
        rig.pipe.away.clear()
        until(lambda: len(rig.acked) == 5)
    assert [entry["event"] for entry in logs] == ["store.unavailable", "store.available"], "once per change"
    assert rig.worker.progress.store_available


def test_a_delivery_we_fail_on_is_kept_aside_and_the_others_go_on(rig):
    rig.pipe.poison = "t/1"
    with capture_logs() as logs:
        for number in range(3):
            rig.inbox.put(arrival(number))
        until(lambda: len(rig.acked) == 3)
    assert rig.pipe.refused == [("t/1", "internal_error")]
    assert sorted(rig.pipe.committed) == ["t/0", "t/2"]
    assert "delivery.failed" in [entry["event"] for entry in logs]


def test_not_even_a_defect_in_keeping_a_delivery_aside_ends_the_worker(rig, monkeypatch):
    def refuse(*_: object):
        raise ZeroDivisionError("another defect of ours")

    monkeypatch.setattr(rig.pipe, "refuse", refuse)
    rig.pipe.poison = "t/0"
    with capture_logs() as logs:
        rig.inbox.put(arrival(0))
        until(lambda: not rig.worker.progress.store_available)
    assert rig.acked == []
    assert [entry["log_level"] for entry in logs if entry["event"] == "store.unavailable"] == ["error"]
    rig.pipe.poison = ""
    until(lambda: rig.acked == ["t/0"])


def test_stopping_commits_and_acknowledges_what_is_here(rig):
    for number in range(100):
        rig.inbox.put(arrival(number))
    assert rig.worker.stop(5)
    assert rig.acked == [f"t/{number}" for number in range(100)]
    assert not rig.inbox.put(arrival(101))


def test_stopping_without_a_store_ends_without_acknowledging(rig):
    rig.pipe.away.set()
    rig.inbox.put(arrival(1))
    until(lambda: not rig.worker.progress.store_available)
    started = time.monotonic()
    assert rig.worker.stop(5)
    assert time.monotonic() - started < 2
    assert rig.acked == []


@pytest.mark.parametrize(
    ("payload", "items"), [(b"", 1), (b'{"v":1}', 1), (b'[{"v":1},{"v":1},{"v":1}]', 3), (b"a;b\nc;d\n", 2)]
)
def test_a_delivery_weighs_at_least_the_items_it_holds(payload, items):
    assert weight_of(payload) == items


def test_a_batch_is_due_by_its_items_not_by_its_deliveries():
    batch: Batcher[str] = Batcher(Limits(most=100, oldest_s=9, quiet_s=9))
    batch.add("one", 10, 0.0, 60)
    assert batch.wait(0.0) > 0
    batch.add("other", 10, 0.0, 60)
    assert batch.wait(0.0) == 0
    batch.take()
    batch.add("next", 10, 0.0, 60)
    assert batch.wait(0.0) > 0
