"""The billing process dies by SIGKILL at every commit and every send: each read is booked once, in order.

``NURT_BILLING_KILLS`` says how many kills (20 in ``make test``, 500 in ``make kills-billing``).
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import mkdtemp

import pytest
from billing_victim import HOUSES, MONTHS, SECRET, furnish, live, month

from billing_bridge.export.signature import Secret
from metering.billing import ReadState
from metering.clock import FixedClock
from metering.outbox import OutboxState
from metering.store import SqlStore, upgrade
from service.demo.billing_books import Books
from service.demo.billing_receiver import Receiver, receiver

KILLS = int(os.environ.get("NURT_BILLING_KILLS", "20"))
SEED = int(os.environ.get("NURT_SEED", "1"))
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = get_context("forkserver")
    # what the victim imports: the server of forks does not know the folder of tests
    context.set_forkserver_preload(
        [
            "metering.store",
            "billing_bridge.review",
            "billing_bridge.deciding",
            "billing_bridge.export.json_http",
        ]
    )
    return context


@pytest.fixture(scope="module")
def furnished(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("furnished") / "nurt.db"
    upgrade(f"sqlite:///{path}")
    store = SqlStore(f"sqlite:///{path}", FixedClock(BEGIN), lambda: bytes(32))
    furnish(store)
    store.close()
    return path


def copied(furnished: Path, folder: Path) -> str:
    shutil.copyfile(furnished, folder / "nurt.db")
    return f"sqlite:///{folder}/nurt.db"


class World:
    """One database and one receiver, and as many lives of the billing process as it takes."""

    def __init__(self, url: str, listening: Receiver, processes) -> None:
        self.url = url
        self._where = f"{listening.url}/reads"
        self._processes = processes
        self._lives = 0
        self.now = BEGIN

    def life(self, at: int) -> int | None:
        """Live until a point; gives the number of points passed if it lived to the end."""
        self._lives += 1
        self.now = BEGIN + timedelta(days=4) * self._lives
        told = self._processes.SimpleQueue()
        process = self._processes.Process(target=live, args=(self.url, self._where, self.now, at, told))
        process.start()
        process.join(60)
        assert process.exitcode in {0, -9}, process.exitcode
        passed = told.get() if process.exitcode == 0 else None
        told.close()
        process.close()
        return passed

    def verify(self, books: Books) -> None:
        """What the receiver holds is what is billed: each once, in order, the right revision."""
        arrivals = books.arrivals()
        keys = [key for key, _register, _revision in arrivals]
        assert len(keys) == len(set(keys)) == HOUSES * MONTHS + CORRECTED
        revisions = defaultdict(list)
        for key, _register, revision in arrivals:
            revisions[key.rpartition(":")[0]].append(revision)
        assert all(numbers == sorted(numbers) for numbers in revisions.values())
        held = {one["key"]: Decimal(one["volume_m3"]) for one in books.held()}
        assert sum(held.values()) == HOUSES * MONTHS * 10
        store = SqlStore(self.url, FixedClock(self.now), lambda: bytes(32))
        with store.reading() as tx:
            counts = tx.outbox.counts("cis")
            rows = tx.billing.reads_ending(month(1), month(MONTHS + 1))
            handed = {key: tx.outbox.item("cis", key).sha256.hex() for key in keys}
        store.close()
        assert counts[OutboxState.DELIVERED] == len(keys)
        assert sum(counts.values()) == len(keys)
        assert {one.key for one in rows if one.state is ReadState.BILLED} == set(keys)
        assert {one["key"]: one["sha256"] for one in books.held()} == {key: handed[key] for key in held}


CORRECTED = 4
"""Of two houses February and March were projected; both months are corrected when the reads have come."""


@pytest.fixture
def books() -> Iterator[Books]:
    made = Books(None, now=lambda: BEGIN, customer_of=lambda _read: "C1")
    yield made
    made.close()


class AnyTime:
    """The receiver's clock: the victims live in their own time."""

    def __init__(self) -> None:
        self.world: World | None = None

    def __call__(self) -> datetime:
        return self.world.now if self.world else BEGIN


@pytest.fixture
def world(furnished, books, processes) -> Iterator[World]:
    clock, folder = AnyTime(), Path(mkdtemp(dir=_memory()))
    with receiver(books, Secret.parse(SECRET), clock) as listening:
        clock.world = World(copied(furnished, folder), listening, processes)
        clock.world.receiver = listening
        yield clock.world
    shutil.rmtree(folder)


def test_a_life_without_death_bills_every_month_once_and_corrects_what_came_late(world, books):
    passed = world.life(0)
    world.verify(books)
    assert passed == POINTS
    assert world.life(0)
    world.verify(books)


def test_killed_at_every_commit_and_every_send_the_receiver_ends_with_each_read_once(furnished, processes):
    """Each world dies at points spread over the whole of its life, one death or several, then lives on."""
    chance, kills, worlds = random.Random(SEED), 0, 0
    points = itertools.cycle(_spread(chance))
    begun = time.monotonic()
    while kills < KILLS:
        worlds += 1
        folder = Path(mkdtemp(dir=_memory()))
        books = Books(None, now=lambda: BEGIN, customer_of=lambda _read: "C1")
        clock = AnyTime()
        with receiver(books, Secret.parse(SECRET), clock) as listening:
            clock.world = World(copied(furnished, folder), listening, processes)
            for _death in range(min(5, KILLS - kills)):
                if clock.world.life(next(points)) is not None:
                    break
                kills += 1
            assert clock.world.life(0)
            clock.world.verify(books)
        books.close()
        shutil.rmtree(folder)
    print(f"{kills} kills in {worlds} worlds, seed {SEED}, {time.monotonic() - begun:.0f} s: each read once")


def _memory() -> Path | None:
    """A death is not a power cut: what the kernel has is kept, so the disk need not be waited for."""
    shm = Path("/dev/shm")
    return shm if os.access(shm, os.W_OK) else None


def _spread(chance: random.Random) -> list[int]:
    """Every point of a life, in random order."""
    points = list(range(1, POINTS + 1))
    chance.shuffle(points)
    return points


POINTS = 114
"""Commits and sends of a life without death, before and after each."""


def test_killed_on_postgresql_the_receiver_ends_with_each_read_once(postgresql, books, processes):
    """What a dead process had begun is rolled back by the server; its lock goes with its connection."""
    url, clock = postgresql.database(), AnyTime()
    upgrade(url)
    store = SqlStore(url, FixedClock(BEGIN), lambda: bytes(32))
    furnish(store)
    store.close()
    deaths = 0
    with receiver(books, Secret.parse(SECRET), clock) as listening:
        clock.world = World(url, listening, processes)
        for point in (3, 8, 21, 34, 13)[: max(3, KILLS // 20)]:
            deaths += clock.world.life(point) is None
        assert clock.world.life(0)
        clock.world.verify(books)
    assert deaths >= 3


@pytest.mark.parametrize("status", [500, 503, 409, 429, 422, 410, 301])
def test_whatever_the_receiver_answers_first_each_read_is_booked_once(world, books, status):
    """The first answer for each key is that; people replay what is dead and resume what is paused."""
    seen: set[str] = set()

    def fault(key: str) -> int | None:
        if key in seen:
            return None
        seen.add(key)
        return status

    world.receiver.faults = fault
    assert world.life(0)
    world.verify(books)


@pytest.mark.parametrize(
    "lie", [b"{}", b"not json", b'{"key":"br:another"}', b'{"key": 5, "sha256": "zz"}', b""]
)
def test_a_receiver_that_books_and_then_lies_is_asked_again_until_it_says_the_truth(world, books, lie):
    told: dict[str, int] = defaultdict(int)

    def after(key: str) -> bytes | None:
        told[key] += 1
        return lie if told[key] == 1 else None

    world.receiver.after = after
    assert world.life(0)
    world.verify(books)
    assert set(told.values()) == {2}


def test_a_receiver_that_hangs_up_after_booking_is_asked_again(world, books):
    told: set[str] = set()

    def after(key: str) -> bytes | None:
        if key not in told:
            told.add(key)
            raise ConnectionAbortedError
        return None

    world.receiver.after = after
    assert world.life(0)
    world.verify(books)
