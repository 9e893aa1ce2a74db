"""What a database refuses becomes one sentence: what, where, what to do. Never a password, never a value."""

from __future__ import annotations

import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa

from metering.clock import FixedClock
from metering.errors import InvalidValue, SchemaTooOld, StoreError, StoreUnavailable
from metering.meter import Meter, MeterId
from metering.ports import Quarantined
from metering.store import SqlStore, memory_store, upgrade
from metering.store.sql.engine import Database
from metering.store.sql.faults import sentence_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METER = MeterId.parse("KAM-76348799-1b-16")


@pytest.fixture
def path(tmp_path) -> Path:
    upgrade(f"sqlite:///{tmp_path}/nurt.db")
    return tmp_path / "nurt.db"


@pytest.fixture
def store(path):
    opened = SqlStore(f"sqlite:///{path}", FixedClock(NOON))
    opened.database = Database(f"sqlite:///{path}", patience=0.1)
    yield opened
    opened.close()


def items(count: int) -> list[Quarantined]:
    return [Quarantined(0, "roof", "topic", "bad_json", "", bytes(60_000), 60_000, NOON)] * count


def test_a_full_disk_is_told_and_nothing_of_the_transaction_is_kept(store):
    def small_disk(connection, _):
        connection.execute("PRAGMA max_page_count=200")

    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
    store.database.close()
    sa.event.listen(store.database.engine, "connect", small_disk)
    full = pytest.raises(StoreUnavailable, match=r"disk under the database .*nurt\.db is full; free")
    with full, store.writing() as tx:
        tx.ledger.quarantine(items(50))
    sa.event.remove(store.database.engine, "connect", small_disk)
    store.database.close()
    with store.writing() as tx:
        assert list(tx.ledger.quarantined()) == []
        tx.ledger.quarantine(items(50))
        assert METER in tx.registry.meters([METER])


def test_another_process_that_keeps_writing_is_told(store, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="busy: another process keeps writing"):
        store.check()
    with store.reading() as tx:
        assert list(tx.ledger.gateways()) == []
    other.execute("ROLLBACK")
    other.close()
    store.check()


@pytest.mark.parametrize("memory", [False, True])
def test_a_thread_that_keeps_writing_is_told(store, memory):
    """In memory readers wait as well: there is one connection."""
    if memory:
        store = memory_store(FixedClock(NOON))
        store.database._patience = 0.1
    inside, done = Event(), Event()

    def keep_writing():
        with store.writing():
            inside.set()
            done.wait(10)

    thread = Thread(target=keep_writing)
    thread.start()
    inside.wait(10)
    with pytest.raises(StoreUnavailable, match="busy"), store.reading() if memory else store.writing():
        pass
    done.set()
    thread.join()
    store.check()


def test_readers_see_a_snapshot_while_a_writer_commits(store):
    with store.reading() as reader:
        assert dict(reader.registry.meters([METER])) == {}
        with store.writing() as tx:
            tx.registry.put_meters([Meter(METER)])
        assert dict(reader.registry.meters([METER])) == {}
    with store.reading() as reader:
        assert METER in reader.registry.meters([METER])


def test_a_missing_file_is_told_and_not_made(tmp_path):
    store = SqlStore(f"sqlite:///{tmp_path}/nurt.db", FixedClock(NOON))
    with pytest.raises(StoreUnavailable, match=r"cannot be opened.*nurt db upgrade"):
        store.check()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqlStore(f"sqlite:///{tmp_path}", FixedClock(NOON)).check()


def test_a_file_of_something_else_is_told_and_not_touched(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear customer,\n" * 1000)
    for attempt in (
        SqlStore(f"sqlite:///{path}", FixedClock(NOON)).check,
        lambda: upgrade(f"sqlite:///{path}"),
    ):
        with pytest.raises(StoreUnavailable, match="not a SQLite database"):
            attempt()
    assert path.read_text() == "Dear customer,\n" * 1000


def test_a_damaged_file_is_told(store, path):
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StoreUnavailable, match=r"damaged.*backup"):
        store.check()


def test_commits_are_synced_to_the_disk(store):
    """Acknowledged means durable also when the power fails."""
    with store.database.transaction(write=True) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


NO_URLS = [
    "nurt.db",
    "mysql://root:s3cret@host/nurt",
    "sqlite://host/nurt.db",
    "sqlite:///nurt.db?mode=rw",
    "postgresql+asyncpg://nurt:s3cret@host/nurt",
    "postgresql://nurt:s3cret@host:port/nurt",
]


@pytest.mark.parametrize("url", ["", *NO_URLS])
def test_a_url_of_another_kind_is_refused_without_repeating_it(url):
    with pytest.raises(InvalidValue, match="looks like sqlite:") as told:
        SqlStore(url, FixedClock(NOON))
    assert "s3cret" not in str(told.value)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path):
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    store = SqlStore(f"postgresql://nurt:s3cret@/nurt?host={tmp_path}", FixedClock(NOON))
    with pytest.raises(StoreUnavailable, match="cannot be reached") as told:
        store.check()
    assert "s3cret" not in repr(told.value) + repr(told.value.__cause__) + store.database.where


def test_a_missing_driver_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install nurt\[postgres\]"):
        SqlStore("postgresql://nurt@/nurt", FixedClock(NOON))


class Fault(Exception):
    def __init__(self, sqlite: str | None = None, postgresql: str | None = None) -> None:
        super().__init__("table t; value s3cret")
        if sqlite:
            self.sqlite_errorname = sqlite
        self.sqlstate = postgresql


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault("SQLITE_FULL"), StoreUnavailable, "is full; free some space"),
        (Fault("SQLITE_IOERR_WRITE"), StoreUnavailable, "reports an error; check the disk"),
        (Fault("SQLITE_READONLY_DBMOVED"), StoreUnavailable, "cannot be written; give this user"),
        (Fault("SQLITE_BUSY_SNAPSHOT"), StoreUnavailable, "is busy"),
        (Fault("SQLITE_CANTOPEN_ISDIR"), StoreUnavailable, "cannot be opened"),
        (Fault(postgresql="53100"), StoreUnavailable, "out of disk"),
        (Fault(postgresql="57P01"), StoreUnavailable, "shutting down"),
        (Fault(postgresql="55P03"), StoreUnavailable, "busy"),
        (Fault(postgresql="28P01"), StoreUnavailable, "refused the login"),
        (Fault(postgresql="25006"), StoreUnavailable, "only allows reading"),
        (Fault(postgresql="42P01"), SchemaTooOld, "nurt db upgrade"),
        (Fault(postgresql="23505"), StoreError, "SQLSTATE 23505"),
        (Fault(), StoreError, "refused: Fault"),
    ],
)
def test_driver_errors_become_sentences(fault, kind, sentence):
    told = sentence_of(fault, "the database here")
    assert type(told) is kind
    assert sentence in str(told)
    assert "the database here" in str(told)
    assert "s3cret" not in str(told)


def test_who_waits_for_another_process_begins_within_milliseconds_of_its_end(store, path):
    """SQLite alone would sleep up to 100 ms, and workers would starve each other."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    waits = []
    for _ in range(5):
        other.execute("BEGIN IMMEDIATE")
        ended: list[float] = []

        def end(ended: list[float] = ended) -> None:
            time.sleep(0.24)  # SQLite would look at 228 ms and then at 328
            ended.append(time.monotonic())
            other.execute("ROLLBACK")

        thread = Thread(target=end)
        thread.start()
        store.database._patience = 10
        with store.writing():
            waits.append(time.monotonic() - ended[0])
        thread.join()
    other.close()
    assert min(waits) < 0.04
