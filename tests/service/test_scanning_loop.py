"""The scan beside the running service."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metering.clock import FixedClock, SystemClock
from metering.store import memory_store
from service import scanning_loop
from service.anomaly_settings import AnomalySettings
from service.checking.scanning import scan_lines
from service.demo.findings_stage import judging
from service.scanning import Scanner, ScanReport
from service.scanning_loop import scan_in_turn, watching
from service.scanning_turn import LEASE, SCAN, Turn, TurnLost
from service.settings_model import IngestSettings, Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store():
    made = memory_store(FixedClock(NOW))
    yield made
    made.close()


@pytest.fixture
def scans(monkeypatch):
    """Count scans instead of making them."""
    made: list[str] = []

    def run(_self, **_more):
        made.append("scan")
        if len(made) == 1:
            raise RuntimeError("a fault of one scan")
        return ScanReport()

    monkeypatch.setattr(Scanner, "run", run)
    monkeypatch.setattr(scanning_loop, "FIRST_AFTER_S", 0.01)
    monkeypatch.setattr(scanning_loop, "LOOK_S", 0.01)
    return made


def settings(minutes):
    anomaly = AnomalySettings.model_construct(**{**AnomalySettings().model_dump(), "every_minutes": minutes})
    return Settings.model_construct(anomaly=anomaly)


def wait(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def test_the_service_scans_again_and_again_and_outlives_a_fault_of_one(store, scans):
    with watching(settings(0.001), store, SystemClock()):
        wait(lambda: len(scans) >= 3)
    done = len(scans)
    time.sleep(0.2)
    assert len(scans) == done, "it ends with the service"


def test_zero_minutes_is_never(store, scans):
    with watching(settings(0), store, FixedClock(NOW)):
        time.sleep(0.1)
    assert scans == []


def test_the_demo_judges_its_history_once_it_is_booked(store, scans):
    scans.append("earlier")
    waited = []
    with judging(store, FixedClock(NOW), lambda seconds: bool(waited.append(seconds))):
        wait(lambda: len(scans) == 2)
    assert waited


class Later:
    """A clock that is moved on by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self):
        return self.at


HOURLY = timedelta(hours=1)


def test_of_many_processes_one_scans_a_slot(store):
    clock = Later()
    turns = [Turn(store, clock) for _ in range(3)]
    assert [turn.take(HOURLY) is None for turn in turns] == [True, False, False]
    turns[0].done(HOURLY, {"judged": 7})
    assert not any(turn.is_due(HOURLY) for turn in turns)
    clock.at += HOURLY
    assert [turn.take(HOURLY) is None for turn in reversed(turns)] == [True, False, False]


def test_the_turn_of_a_process_that_died_is_taken_over_and_the_dead_keep_nothing_more(store):
    clock = Later()
    dead, heir = Turn(store, clock), Turn(store, clock)
    assert dead.take(HOURLY) is None
    clock.at += LEASE
    assert heir.take(HOURLY) is None
    with pytest.raises(TurnLost), store.writing() as tx:  # noqa: PT012  the second line refuses the first
        tx.upkeep.set_mark("kept", "by the dead")
        dead.hold(tx)
    with store.reading() as tx:
        assert tx.upkeep.mark("kept") == ""
    dead.give_up()
    heir.done(HOURLY, {})


def test_who_works_on_keeps_the_turn_however_long_it_takes(store):
    clock = Later()
    slow, other = Turn(store, clock), Turn(store, clock)
    assert slow.take(HOURLY) is None
    for _ in range(5):
        clock.at += LEASE * 0.9
        with store.writing() as tx:
            slow.hold(tx)
    assert other.take(HOURLY) is not None
    assert other.take() is not None


def test_a_scan_that_was_stopped_is_due_at_once_one_that_failed_in_the_next_slot(store, monkeypatch):
    clock, made = Later(), []
    turn = Turn(store, clock)
    scanner = Scanner(store, clock, ZoneInfo("UTC"), AnomalySettings(), hold=turn.hold)
    assert scan_in_turn(lambda: scanner, turn, HOURLY, lambda: True) is not None
    assert turn.is_due(HOURLY)
    monkeypatch.setattr(Scanner, "run", lambda _self, **_more: made.append(1) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scan_in_turn(lambda: scanner, turn, HOURLY, lambda: False)
    assert not turn.is_due(HOURLY)
    assert scan_in_turn(lambda: scanner, turn, HOURLY, lambda: False) is None
    assert made == [1]


@pytest.mark.parametrize(
    ("later", "took", "said"),
    [
        (timedelta(minutes=50), 30, "ok: last scan at 2026-03-01 13:00, took 30 s"),
        (
            timedelta(hours=5),
            30,
            "warning: last scan at 2026-03-01 13:00, took 30 s; one is due every 60 minutes",
        ),
        (
            timedelta(hours=2),
            4000,
            "warning: last scan at 2026-03-01 13:00, took 4000 s, longer than the 60 minutes",
        ),
    ],
)
def test_a_check_says_whether_the_scan_comes_round_in_time(store, later, took, said):
    clock, in_force = (
        Later(),
        settings(60).model_copy(update={"ingest": IngestSettings(zone="Europe/Warsaw")}),
    )
    (nothing,) = scan_lines(in_force, store, clock)
    assert "no scan yet" in nothing.sentence
    turn = Turn(store, clock)
    turn.take(HOURLY)
    clock.at += timedelta(seconds=min(took, 100))
    turn.done(HOURLY, {})
    with store.writing() as tx:
        tx.upkeep.set_mark(
            SCAN, json.dumps({**json.loads(tx.upkeep.mark(SCAN)), "ended": NOW.timestamp() + took})
        )
    clock.at = NOW + later
    (line,) = scan_lines(in_force, store, clock)
    assert f"{line.state}: {line.sentence}".startswith(said)
