"""`nurt workers`: what is said of those that take telegrams in, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from ingest.roster import Load, Member, Roster
from metering.clock import SystemClock
from metering.errors import TelemetryError
from metering.store import SqlStore, upgrade
from service.commands.workers import _table, app
from service.retiring import retire_worker
from service.settings_model import Settings, StoreSettings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_each_worker_is_a_line_with_its_state_and_its_load():
    members = [
        Member("a", "box", [], NOON, listening=True, load=Load(3, 0.25, 100, 90)),
        Member("b", "box", [], NOON - timedelta(seconds=5)),
        Member("c", "box", [], NOON - timedelta(minutes=3), away=True),
        Member("d", "annex", [], NOON - timedelta(days=3)),
    ]
    lines = [line.split("  ") for line in _table(members, NOON)]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells[1:] == [
        ["a", "box", "listening", "0 s ago", "3", "0.2 s", "90"],
        ["b", "box", "waiting for the broker", "5 s ago", "0", "0.0 s", "0"],
        ["c", "box", "ended", "3 min ago"],
        ["d", "annex", "missing", "3 days ago"],
    ]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nurt.toml").write_text("")
    (tmp_path / "data").mkdir()
    url = StoreSettings().database
    upgrade(url)
    opened = SqlStore(url, SystemClock())
    yield opened
    opened.close()


def listed() -> tuple[int, str]:
    done = CliRunner().invoke(app, ["list"])
    return done.exit_code, done.output


def test_the_exit_code_says_whether_one_is_missing(store):
    assert listed() == (0, "No worker has run on this database yet.\n")
    Roster(store, Member("a", "box", [], NOON), clock=SystemClock()).sign()
    assert listed()[0] == 0
    Roster(store, Member("b", "box", [], NOON), clock=SystemClock()).sign(away=True)
    code, text = listed()
    assert code == 1
    assert "ended" in text


def test_what_would_lose_something_is_refused(store):
    def retired(name: str) -> str:
        with pytest.raises(TelemetryError) as refused:
            retire_worker(Settings(), store, SystemClock(), name)
        return str(refused.value)

    assert retired("a") == "there is no worker a; `nurt workers list` shows them"
    here = Roster(store, Member("a", "box", [], NOON), clock=SystemClock())
    here.sign()
    assert retired("a").startswith("a still runs")
    here.sign(away=True)
    assert retired("a").startswith("nobody else listens: without a what gateways send would be lost")
