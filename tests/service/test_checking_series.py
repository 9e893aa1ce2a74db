"""`nurt check` of a series store."""

from __future__ import annotations

import pytest
from series_servers import influxdb

from metering.clock import SystemClock
from metering.store import memory_store
from metering.store.sql.series_queue import SeriesQueue
from service.checking.series import series_lines
from service.settings_series import SeriesSettings


@pytest.fixture
def store():
    opened = memory_store(SystemClock())
    yield opened
    opened.close()


def said(settings: SeriesSettings, store) -> list[tuple[str, str]]:
    return [(line.state.value, line.sentence) for line in series_lines(settings, store)]


def test_without_a_series_store_nothing_is_said_unless_something_is_noted_for_one(store):
    assert said(SeriesSettings(), store) == []
    SeriesQueue(store.database).enable()
    assert said(SeriesSettings(), store) == [("warning", "none is set, but 0 changes are noted for one")]


@pytest.mark.servers
def test_a_series_store_is_away_then_new_then_served(store, tmp_path):
    away = SeriesSettings(kind="influxdb", url="http://127.0.0.1:9", write_api="v1", timeout_s=1)
    [(state, sentence)] = said(away, store)
    assert (state, sentence.endswith("is not reached: connection refused")) == ("fault", True)
    with influxdb(tmp_path) as server:
        there = SeriesSettings(kind="influxdb", url=server.url, write_api="v1")
        [(state, sentence)] = said(there, store)
        assert (state, "has no such database or bucket" in sentence) == ("fault", True)
        server.ask('CREATE DATABASE "nurt"')
        assert [state for state, _ in said(there, store)] == ["warning"]
        SeriesQueue(store.database).enable()
        [(state, sentence)] = said(there, store)
        assert (state, sentence.endswith("is there; 0 changes wait for it")) == ("ok", True)
