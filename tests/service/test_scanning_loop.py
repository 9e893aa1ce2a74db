"""The scan beside the running service."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from metering.clock import FixedClock
from metering.store import memory_store
from service import scanning_loop
from service.anomaly_settings import AnomalySettings
from service.demo.findings_stage import judging
from service.scanning import Scanner, ScanReport
from service.scanning_loop import watching
from service.settings_model import Settings

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
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def test_the_service_scans_again_and_again_and_outlives_a_fault_of_one(store, scans):
    with watching(settings(0.001), store, FixedClock(NOW)):
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
