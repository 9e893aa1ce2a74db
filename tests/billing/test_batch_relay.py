"""Files handed over: each read in one batch, the same bytes for ever, each answered once, killed anywhere."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from billing_payloads import NOW, WARSAW, reads
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.export.batch_relay import OVERDUE, BatchRelay
from billing_bridge.export.columns import shipped_template
from billing_bridge.export.csv_form import CsvForm
from billing_bridge.export.drop import DropUnavailable, FolderDrop
from billing_bridge.outbox import enter
from metering.clock import FixedClock
from metering.outbox import OutboxState
from metering.store import memory_store

PLAIN = CsvForm(shipped_template("plain"), WARSAW)
HEAD = "key;result;receipt;reason\n"
HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone."""


class Folder:
    """A drop in memory that breaks off where it is told to."""

    def __init__(self, deaths=()) -> None:
        self.files: dict[str, bytes] = {}
        self.written: dict[str, set[bytes]] = {}
        self.away = False
        self._deaths = iter(deaths)

    def put(self, name: str, content: bytes) -> None:
        self._look("before")
        if self.away:
            raise DropUnavailable("sftp: away")
        self.files[name] = content
        self.written.setdefault(name, set()).add(content)
        self._look("after")

    def names(self):
        return sorted(self.files)

    def get(self, name: str) -> bytes:
        return self.files[name]

    def close(self) -> None: ...

    def _look(self, _where: str) -> None:
        if next(self._deaths, False):
            raise Killed


class House:
    """An outbox with reads, a folder, a clock."""

    def __init__(self, places: int = 2, deaths=()) -> None:
        self.clock = FixedClock(NOW)
        self.store = memory_store(self.clock)
        self.folder = Folder(deaths)
        self.reads = reads(places)
        enter(self.store, self.reads, "cis", NOW)

    def relay(self, **more) -> BatchRelay:
        more.setdefault("every", HOUR)
        return BatchRelay(
            store=self.store, target="cis", form=PLAIN, drop=self.folder, clock=self.clock, **more
        )

    def later(self, hours: float = 1) -> None:
        self.clock = FixedClock(self.clock.now() + timedelta(hours=hours))

    def batches(self) -> list[list[str]]:
        names = [name for name in self.folder.files if name.endswith(".csv") and ".ack" not in name]
        return [keys_in(self.folder.files[name]) for name in sorted(names)]

    def answer(self, number: int, text: str, more: str = "") -> None:
        self.folder.files[f"nurt-cis-{number:08d}.ack{more}.csv"] = (HEAD + text).encode()

    def states(self) -> dict[str, OutboxState]:
        with self.store.reading() as tx:
            return {item.key: item.state for item in tx.outbox.items("cis")}


def keys_in(content: bytes) -> list[str]:
    return [row["key"] for row in csv.DictReader(io.StringIO(content.decode()), delimiter=";")]


def accept(keys) -> str:
    return "".join(f"{key};accepted;R;\n" for key in keys)


def test_reads_of_one_register_go_in_order_one_batch_after_another():
    house = House(places=2)
    done = house.relay().run_once()
    assert (done.made, done.sent) == (2, 1)
    (first,) = house.batches()
    assert [key.split(":")[3][:10] for key in first] == ["2026-01-01", "2026-01-01"]
    assert house.relay().run_once().made == 0
    house.answer(1, accept(first))
    house.later()
    done = house.relay().run_once()
    assert (done.accepted, done.made, done.told) == (2, 2, [])
    assert [key.split(":")[3][:10] for key in house.batches()[1]] == ["2026-02-01", "2026-02-01"]


def test_numbers_have_no_holes_and_nothing_due_makes_no_file():
    house = House(places=1)
    for number in range(1, 4):
        house.relay().run_once()
        house.answer(number, accept(house.batches()[number - 1]))
        house.later()
    for _ in range(3):
        house.later()
        house.relay().run_once()
    assert sorted(name for name in house.folder.files if "manifest" in name) == [
        f"nurt-cis-{number:08d}.manifest.json" for number in (1, 2, 3)
    ]
    assert set(house.states().values()) == {OutboxState.DELIVERED}


def test_a_full_batch_does_not_wait_for_the_hour():
    house = House(places=5)
    made = [house.relay(most=2).run_once().made for _ in range(4)]
    assert made == [2, 2, 1, 0]


def test_answers_may_come_in_parts_and_again_and_are_settled_once():
    house = House(places=2)
    house.relay().run_once()
    one, two = house.batches()[0]
    house.answer(1, accept([one]))
    assert house.relay().run_once().accepted == 1
    house.answer(1, f"{two};refused;;no such contract\n", more="-2")
    done = house.relay().run_once()
    assert (done.accepted, done.refused, done.told) == (0, 1, [])
    done = house.relay().run_once()
    assert (done.accepted, done.refused, done.told) == (0, 0, [])
    states = house.states()
    assert (states[one], states[two]) == (OutboxState.DELIVERED, OutboxState.DEAD)
    with house.store.reading() as tx:
        item = tx.outbox.item("cis", two)
        assert item is not None
        assert item.error == "refused: no such contract"
        assert tx.batches.unanswered("cis") == []


def test_a_refused_read_that_a_person_sends_again_goes_with_another_batch():
    house = House(places=1)
    house.relay().run_once()
    (key,) = house.batches()[0]
    house.answer(1, f"{key};refused;;unknown\n")
    house.relay().run_once()
    with house.store.writing() as tx:
        assert tx.outbox.replay("cis", key, house.clock.now())
    house.later()
    assert house.relay().run_once().made == 1
    assert house.batches()[1] == [key]
    house.answer(2, accept([key]))
    done = house.relay().run_once()
    assert (done.accepted, done.told) == (1, [])


def test_an_answer_that_lies_is_told_and_changes_nothing():
    house = House(places=1)
    house.relay().run_once()
    (key,) = house.batches()[0]
    house.answer(1, f"{key};accepted;;\nbr:other;accepted;;\n")
    done = house.relay().run_once()
    assert done.accepted == 0
    (told,) = done.told
    assert told.startswith("nurt-cis-00000001.ack.csv: line 3: 'br:other' was not in this batch")
    assert house.states()[key] is OutboxState.PENDING


def test_an_answer_that_takes_back_what_it_accepted_is_told():
    house = House(places=2)
    house.relay().run_once()
    one, _ = house.batches()[0]
    house.answer(1, accept([one]))
    house.relay().run_once()
    house.answer(1, f"{one};refused;;changed my mind\n")
    (told,) = house.relay().run_once().told
    assert "was accepted before, now it says 'refused: changed my mind'" in told
    assert house.states()[one] is OutboxState.DELIVERED


def test_a_folder_that_is_away_gets_the_same_bytes_later():
    house = House(places=1)
    house.folder.away = True
    with pytest.raises(DropUnavailable):
        house.relay().run_once()
    house.folder.away = False
    house.later(30)
    assert [batch.number for batch in house.relay().overdue()] == [1]
    assert timedelta(hours=30) > OVERDUE
    done = house.relay().run_once()
    assert (done.made, done.sent) == (0, 1)
    with house.store.reading() as tx:
        batch = tx.batches.batch("cis", 1)
        assert batch is not None
        assert house.folder.files[batch.file] == batch.content


@settings(max_examples=40, deadline=None)
@given(deaths=st.lists(st.booleans(), max_size=60), every=st.sampled_from([0, 1]))
def test_killed_anywhere_each_read_is_in_one_file_with_the_same_bytes(deaths, every):
    house = House(places=2, deaths=deaths)
    for _ in range(100):
        try:
            house.relay(every=timedelta(hours=every)).run_once()
        except Killed:
            continue
        with house.store.reading() as tx:
            waiting = tx.batches.unanswered("cis")
        for batch in waiting:
            assert batch.sent_at is not None
            house.answer(batch.number, accept(batch.keys))
        house.later()
        if set(house.states().values()) == {OutboxState.DELIVERED} and not waiting:
            break
    assert set(house.states().values()) == {OutboxState.DELIVERED}
    keys = [key for batch in house.batches() for key in batch]
    assert sorted(keys) == sorted(read.key for read in house.reads)
    assert all(len(contents) == 1 for contents in house.folder.written.values())


def test_a_folder_never_shows_half_a_file(tmp_path: Path):
    drop = FolderDrop(tmp_path, tmp_path)
    drop.put("a.csv", b"one")
    drop.put("a.csv", b"one")
    assert (drop.names(), drop.get("a.csv")) == (["a.csv"], b"one")
    with pytest.raises(DropUnavailable, match="No such file"):
        FolderDrop(tmp_path / "gone", tmp_path).put("a.csv", b"one")
    with pytest.raises(DropUnavailable, match="No such file"):
        drop.get("b.csv")
