"""The screen says the account, and never that it balances when it does not."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from metering.clock import FixedClock
from metering.ports import GatewayRow, Outcome
from service.demo.screen import Account, Counters, HistoryBar, Sight, say_sights

NOW = datetime(2026, 3, 30, tzinfo=UTC)


def row(name: str = "gw-1", received: int = 10, **outcomes: int) -> GatewayRow:
    counts = {Outcome(outcome): number for outcome, number in outcomes.items()}
    return GatewayRow(name, online=True, state_at=NOW, last_heard=NOW, received=received, outcomes=counts)


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=100, _environ={}), out


def test_published_received_and_the_sum_must_be_the_same_per_gateway():
    good = row(stored=6, duplicate=1, held=1, foreign=1, quarantined=1)
    assert Account({"gw-1": 10}, [good]).balanced
    assert not Account({"gw-1": 11}, [good]).balanced
    assert not Account({"gw-1": 10}, [row(stored=9)]).balanced
    assert not Account({"gw-1": 10, "gw-2": 1}, [good]).balanced
    assert not Account({"gw-1": 11, "gw-2": 9}, [good, row("gw-2", stored=10)]).balanced
    assert Account({"gw-1": 0}, []).balanced


def test_the_closing_line_says_every_number_and_the_verdict():
    account = Account({"gw-1": 1210}, [row(received=1210, stored=1200, duplicate=10)])
    assert account.closing() == (
        "published 1,210, received 1,210 = stored 1,200 + duplicate 10 + held 0 + foreign 0 + quarantined 0:"
        " the account balances"
    )
    assert "does NOT balance" in Account({"gw-1": 1}, []).closing()


def test_without_a_terminal_a_line_comes_every_five_seconds():
    clock = FixedClock(NOW)
    screen, out = console()
    with Counters(screen, clock.now) as counters:
        for received in range(10, 110, 10):
            counters.show(Account({}, [row(received=received, stored=received)]))
            clock.advance(timedelta(seconds=1))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("received 10 = stored 10")
    assert lines[1].startswith("received 60 = stored 60")
    assert lines[1].endswith("(10.0/s)")


def test_on_a_terminal_a_table_with_every_outcome_is_kept():
    screen, out = console(terminal=True)
    with Counters(screen, FixedClock(NOW).now) as counters:
        counters.show(Account({}, [row(received=1234, stored=1200, held=34)]))
    for word in ("gw-1", "1,234", *Outcome):
        assert word in out.getvalue()


def test_progress_is_told_every_ten_days_without_a_terminal():
    screen, out = console()
    with HistoryBar(screen, 720) as bar:
        for hour in range(0, 721, 20):
            bar.at(hour, hour * 60)
    assert out.getvalue().splitlines() == [
        "history: day 10 of 30, 14,400 items",
        "history: day 20 of 30, 28,800 items",
        "history: day 30 of 30, 43,200 items",
    ]


def test_progress_is_a_bar_on_a_terminal():
    screen, out = console(terminal=True)
    with HistoryBar(screen, 720) as bar:
        bar.at(360, 20_000)
    assert "360/720" in out.getvalue()


@pytest.mark.parametrize("width", [40, 200])
def test_addresses_are_never_broken_over_lines(width: int):
    out = io.StringIO()
    url = "http://127.0.0.1:43001/meters/ZRI-31204598-01-16?range=week"
    say_sights(Console(file=out, width=width, _environ={}), "http://127.0.0.1:43001/", [Sight("A leak", url)])
    assert url in out.getvalue().split()
