"""SQLite's log does not grow for as long as several processes write without a pause."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
import sqlalchemy as sa

from metering.store.sql import wal
from metering.store.sql.engine import Database

LARGE, MORE = 256 << 10, 64 << 10


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(wal, "_LARGE", LARGE)
    monkeypatch.setattr(wal, "_MORE", MORE)
    monkeypatch.setattr(wal, "_WAIT_MS", 1)
    return tmp_path / "nurt.db"


@pytest.fixture
def database(path):
    one = Database(f"sqlite:///{path}", upgrading=True)
    with one.transaction(write=True) as connection:
        connection.execute(sa.text("CREATE TABLE notes (text TEXT)"))
    yield one
    one.close()


def write(database, size=20_000):
    with database.transaction(write=True) as connection:
        connection.execute(sa.text("INSERT INTO notes VALUES (:text)"), {"text": "x" * size})


def notes(database):
    with database.transaction(write=False) as connection:
        return connection.scalar(sa.text("SELECT COUNT(*) FROM notes"))


def length(path):
    return path.with_name(f"{path.name}-wal").stat().st_size


def test_a_log_that_became_too_long_is_begun_anew(database, path):
    seen = []
    for _ in range(60):
        write(database)
        seen.append(length(path))
    assert LARGE / 2 < max(seen) < LARGE + (64 << 10)
    assert min(seen[20:]) == 0
    assert notes(database) == 60


def test_a_long_reader_hinders_nobody_and_is_not_waited_for_every_time(database, path, monkeypatch):
    asked = []
    fold = wal.Log.fold

    def counted(self, driver, patience_ms):
        before = self._most
        done = fold(self, driver, patience_ms)
        asked.append(done or self._most != before)
        return done

    monkeypatch.setattr(wal.Log, "fold", counted)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM notes").fetchone()
        for _ in range(60):
            write(database)
        assert length(path) > 2 * LARGE
        assert 1 < sum(asked) < 30
        reader.execute("COMMIT")
    for _ in range(10):
        write(database)
    assert length(path) < LARGE
    assert notes(database) == 70


def test_what_is_committed_stays_so_where_the_log_cannot_be_folded(database, path, monkeypatch):
    class Broken:
        def stat(self):
            raise PermissionError(path)

    write(database)
    monkeypatch.setattr(database._log, "_path", Broken())
    write(database)
    assert notes(database) == 2


def test_a_database_without_a_file_has_no_log():
    memory = Database("sqlite://", upgrading=True)
    with memory.transaction(write=True) as connection:
        connection.execute(sa.text("CREATE TABLE notes (text TEXT)"))
    write(memory)
    assert notes(memory) == 1
    memory.close()
