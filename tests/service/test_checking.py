"""What `nurt check` makes of what it finds."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.roster import Load, Member, Roster
from metering.clock import FixedClock
from metering.store import SqlStore, create_master_key, load_master_key, upgrade
from service.checking import machine
from service.checking.certificates import days_line, file_lines
from service.checking.keeping import master_key_lines, store_lines, telegram_lines, worker_lines
from service.settings_model import StoreSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GB = 1 << 30


@pytest.mark.parametrize(("free", "state"), [(50 * GB, "ok"), (GB, "warning"), (GB // 20, "fault")])
def test_room_on_the_disk(monkeypatch, tmp_path, free, state):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024  as the standard library's
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100 * GB, 0, free))
    [line] = machine.disk_lines(tmp_path / "not" / "made" / "yet")
    assert line.state == state


@pytest.mark.parametrize(
    ("now", "newest", "server", "state"),
    [
        (NOW, None, None, "ok"),
        (NOW, NOW - timedelta(days=3), NOW + timedelta(seconds=30), "ok"),
        (datetime(1970, 1, 1, tzinfo=UTC), None, None, "fault"),
        (NOW, NOW + timedelta(hours=1), None, "fault"),
        (NOW, None, NOW + timedelta(minutes=10), "fault"),
    ],
)
def test_a_clock_is_believed_unless_something_speaks_against_it(monkeypatch, now, newest, server, state):
    monkeypatch.setattr(machine, "_is_set", lambda: True)
    [line] = machine.clock_lines(now, newest=newest, server=server)
    assert line.state == state


def test_a_clock_nobody_sets_is_a_warning(monkeypatch):
    monkeypatch.setattr(machine, "_is_set", lambda: False)
    [line] = machine.clock_lines(NOW, newest=None, server=None)
    assert line.state == "warning"


@pytest.mark.parametrize(
    ("days", "state"), [(90, "ok"), (30, "ok"), (29, "warning"), (7, "warning"), (6, "fault"), (-1, "fault")]
)
def test_a_certificate_is_told_before_it_ends(days, state):
    line = days_line("broker", "the certificate", NOW + timedelta(days=days, hours=1), NOW)
    assert line.state == state
    assert bool(line.do) == (state != "ok")


def test_a_file_without_a_certificate_is_a_fault(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    assert [line.state for line in file_lines("authority", tmp_path / "ca.pem", NOW)] == ["fault"]
    assert [line.state for line in file_lines("authority", tmp_path / "gone.pem", NOW)] == ["fault"]


# --- what is kept --------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> StoreSettings:
    return StoreSettings(data=tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def store(settings, clock):
    opened = SqlStore(settings.database, clock, lambda: load_master_key(settings.master_key))
    yield opened
    opened.close()


def test_a_database_is_missing_then_there_then_spoilt(store, settings):
    assert [line.state for line in store_lines(store, settings)] == ["warning"]
    upgrade(settings.database)
    assert [line.state for line in store_lines(store, settings)] == ["ok"]
    store.close()
    (settings.data / "nurt.db").write_bytes(b"no database" * 1000)
    assert [line.state for line in store_lines(store, settings)] == ["fault"]


def test_a_master_key_is_missing_then_open_to_others_then_well(store, settings):
    upgrade(settings.database)
    assert [line.state for line in master_key_lines(store, settings)] == ["warning"]
    create_master_key(settings.master_key)
    settings.master_key.chmod(0o644)
    assert [line.do for line in master_key_lines(store, settings)] == [f"chmod 600 {settings.master_key}"]
    settings.master_key.chmod(0o600)
    assert [line.state for line in master_key_lines(store, settings)] == ["ok"]


def test_a_worker_that_is_gone_is_told_with_what_to_do(store, settings):
    upgrade(settings.database)
    assert [line.state for line in worker_lines(store, NOW)] == ["warning"]
    clock = FixedClock(NOW - timedelta(hours=1))
    for name in ("nurt-ingest-a-1", "nurt-ingest-b-1"):
        Roster(store, Member(name, "box", [], NOW), clock=clock).sign()
    assert [(line.state, "retire" in line.do) for line in worker_lines(store, NOW)] == [
        ("warning", False)
    ] * 2
    Roster(store, Member("nurt-ingest-a-1", "box", [], NOW), clock=FixedClock(NOW)).sign()
    gone, here = worker_lines(store, NOW)
    assert (gone.state, here.state) == ("warning", "ok")
    assert "`nurt workers retire nurt-ingest-b-1`" in gone.do


def test_a_worker_that_is_late_is_told(store, settings):
    upgrade(settings.database)
    roster = Roster(store, Member("a", "box", [], NOW), clock=FixedClock(NOW))
    roster._load = lambda: Load(oldest_s=75)
    roster.sign()
    late, here = worker_lines(store, NOW)
    assert (late.state, here.state) == ("warning", "ok")
    assert "75 s old" in late.sentence


def test_silence_is_told(store, settings, clock):
    upgrade(settings.database)
    assert [line.state for line in telegram_lines(store, clock)] == ["warning"]
    with store.writing() as transaction:
        transaction.ledger.count("roof", 0, {}, NOW - timedelta(hours=5))
    [line] = telegram_lines(store, clock)
    assert (line.state, line.sentence) == ("warning", "the last came 5 hours ago")
    with store.writing() as transaction:
        transaction.ledger.count("roof", 0, {}, NOW - timedelta(seconds=5))
    assert [line.state for line in telegram_lines(store, clock)] == ["ok"]
