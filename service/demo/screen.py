"""What the demo says: progress of the history, running counters, where to look, and the closing account.

A terminal gets a progress bar and one table that is kept up to date; anything else gets plain lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from metering.ports import GatewayRow, Outcome

__all__ = ["Account", "Counters", "HistoryBar", "Sight", "say_sights"]

_PLAIN_EVERY_S = 5.0
"""Seconds between lines where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Account:
    """What was published and how it was booked.

    Attributes:
        published: items published per gateway.
        rows: the ledger's account per gateway.
    """

    published: Mapping[str, int]
    rows: Sequence[GatewayRow]

    @property
    def received(self) -> int:
        """Items received, all gateways."""
        return sum(row.received for row in self.rows)

    def ended(self, outcome: Outcome) -> int:
        """Items that ended so, all gateways."""
        return sum(row.outcomes.get(outcome, 0) for row in self.rows)

    @property
    def balanced(self) -> bool:
        """Per gateway: published = received = the sum of the five outcomes."""
        booked = {row.name: (row.received, sum(row.outcomes.values())) for row in self.rows}
        return all(
            booked.get(name, (0, 0)) == (published, published) for name, published in self.published.items()
        )

    def sentence(self) -> str:
        """``received 1,234 = stored 800 + duplicate 300 + held 100 + foreign 30 + quarantined 4``."""
        parts = " + ".join(f"{outcome} {self.ended(outcome):,}" for outcome in Outcome)
        return f"received {self.received:,} = {parts}"

    def closing(self) -> str:
        """The last line: the account, and whether it balances."""
        verdict = "the account balances" if self.balanced else "the account does NOT balance"
        return f"published {sum(self.published.values()):,}, {self.sentence()}: {verdict}"

    def table(self) -> Table:
        """One row per gateway, one column per outcome."""
        table = Table(expand=False, pad_edge=False)
        table.add_column("gateway")
        for heading in ("received", *Outcome):
            table.add_column(heading, justify="right")
        for row in self.rows:
            counts = (f"{row.outcomes.get(outcome, 0):,}" for outcome in Outcome)
            table.add_row(row.name, f"{row.received:,}", *counts)
        return table


@dataclass(frozen=True, slots=True)
class Sight:
    """Something worth looking at, and where."""

    sentence: str
    url: str


def say_sights(console: Console, url: str, sights: Sequence[Sight]) -> None:
    """Print the address of the service and what to look at first."""
    console.print(f"Nurt runs at {url}", soft_wrap=True, highlight=False)
    for sight in sights:
        console.print(f"  {sight.sentence}", soft_wrap=True, highlight=False)
        console.print(f"    {sight.url}", soft_wrap=True, highlight=False)


class HistoryBar:
    """Progress over the hours of the history."""

    def __init__(self, console: Console, hours: int) -> None:
        self._console = console
        self._hours = hours
        self._day = 0
        self._stack = ExitStack()
        self._progress = Progress(
            TextColumn("history"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("hours, {task.fields[items]:,} items"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("history", total=hours, items=0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._stack.enter_context(self._progress)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def at(self, hour: int, items: int) -> None:
        """Say that the history is told up to this hour."""
        if self._console.is_terminal:
            self._progress.update(self._task, completed=hour, items=items)
        elif hour // 24 >= self._day + 10:
            self._day = hour // 24
            self._console.print(f"history: day {self._day} of {self._hours // 24}, {items:,} items")


@dataclass
class Counters:
    """The running counters, shown while the town is live.

    Attributes:
        console: where to.
        now: gives the present.
    """

    console: Console
    now: Callable[[], datetime]
    _last: tuple[datetime, int] | None = None
    _said: datetime | None = None
    _rate: float = 0.0
    _stack: ExitStack = field(default_factory=ExitStack)
    _live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = self._stack.enter_context(Live(console=self.console, auto_refresh=False))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def show(self, account: Account) -> None:
        """Show the account as it stands now."""
        now = self.now()
        self._measure(now, account.received)
        if self._live is not None:
            self._live.update(self._picture(account), refresh=True)
        elif self._said is None or (now - self._said).total_seconds() >= _PLAIN_EVERY_S:
            self._said = now
            self.console.print(f"{account.sentence()} ({self._rate:.1f}/s)", soft_wrap=True, highlight=False)

    def _measure(self, now: datetime, received: int) -> None:
        if self._last is None:
            self._last = (now, received)
        elif (seconds := (now - self._last[0]).total_seconds()) >= 1:
            self._rate = (received - self._last[1]) / seconds
            self._last = (now, received)

    def _picture(self, account: Account) -> RenderableType:
        return Group(account.table(), Text(f"{self._rate:.1f} items a second. Ctrl-C ends the demo."))
