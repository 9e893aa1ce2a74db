"""``nurt coverage``: who is read, who hears whom, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.ports import Transaction
    from service.coverage import CoverageReport

__all__ = ["coverage"]

Days = Annotated[int, typer.Option(min=1, max=90, help="Window in days.")]


def coverage(days: Days = 3, config: Config = None) -> None:
    """Say which share of the registered meters was read within the window, and which hang on one gateway.

    A meter counts as read if a valid reading of an index stands within the window.

    **Examples**

        nurt coverage

        nurt coverage --days 1
    """
    from datetime import timedelta

    from metering.clock import SystemClock
    from service.coverage import coverage_of
    from service.database import existing_store

    clock = SystemClock()
    store = existing_store(settings_in_force(config).settings.store, clock)
    try:
        with store.reading() as view:
            report = coverage_of(view, clock.now(), timedelta(days=days))
            typer.echo("\n".join([*_lines(report), *_gaps(view)]))
    finally:
        store.close()


def _lines(report: CoverageReport) -> Iterator[str]:
    whole = report.whole
    within = f"within {report.window.days} days"
    yield f"{whole.read} of {whole.meters} meters read {within}: {_share(report.share)}"
    yield f"(the target is {report.target:.1%})"
    for title, rows in (("Route", report.routes), ("District", report.districts)):
        yield from _table(
            (title, "meters", "read", "share"),
            [(one.group or "-", one.meters, one.read, _share(report.share_of(one))) for one in rows],
        )
    yield from _table(
        ("Gateway", "hears", "read", "alone", "signal"),
        [
            (
                one.gateway,
                one.meters,
                one.read,
                one.alone,
                "-" if one.mean_rssi_dbm is None else f"{one.mean_rssi_dbm} dBm",
            )
            for one in report.gateways
        ],
    )
    yield from _table(
        ("Silent", "last heard", "sends every"),
        [
            (
                one.meter,
                f"{one.last_heard:%Y-%m-%d %H:%MZ}" if one.last_heard else "never",
                one.interval or "not known",
            )
            for one in report.silent
        ],
    )


def _gaps(view: Transaction) -> Iterator[str]:
    yield from _table(
        ("Numbers missing of", "boot", "first", "last"),
        [(gap.gateway, gap.boot, gap.first, gap.last) for gap in view.ledger.gaps(limit=20)],
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Give an aligned table; nothing if it is empty."""
    if not rows:
        return
    texts = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    yield ""
    for row in texts:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
