"""``nurt db forward`` and the comparison in ``nurt db check``: the series store beside the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.imports import told
from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from metering.store.series.comparing import Comparison
    from metering.store.series.target import SeriesTarget
    from metering.store.sql.series_queue import SeriesQueue
    from service.settings_model import Settings

__all__ = ["check_series", "forward"]

Again = Annotated[bool, typer.Option("--again", help="Begin anew, wherever an earlier run was interrupted.")]
Differing = Annotated[
    bool, typer.Option("--differing", help="Compare first, and send or remove only what differs.")
]
Remove = Annotated[
    bool, typer.Option("--remove", help="With --differing: remove what only the series store has.")
]
Off = Annotated[
    bool, typer.Option("--off", help="Note no more readings for a series store, and forget what waits.")
]


def forward(
    config: Config = None,
    again: Again = False,  # noqa: FBT002  an option
    differing: Differing = False,  # noqa: FBT002  an option
    remove: Remove = False,  # noqa: FBT002  an option
    off: Off = False,  # noqa: FBT002  an option
) -> None:
    """Fill the series store ([series] in the settings) from the database: all readings, or what differs.

    Run it once after a series store was named in the settings, and after one was lost. It may run beside
    ingest, be interrupted, and begun again: it goes on where it was. What is there already stays the same.
    After an older backup of the database was put back, the series store has more than it: leave out --remove.

    **Examples**

        nurt db forward

        nurt db forward --differing
    """
    settings = settings_in_force(config).settings
    if off:
        _end(settings)
        return
    with _both(settings) as (queue, target):
        if differing:
            _send_differing(queue, target, remove=remove)
            return
        from metering.store.series.refilling import refill

        with told(queue.number(), "Sending readings") as progress:
            number = refill(queue, target, again=again, told=progress)
        drained = _drain(queue, target)
    typer.echo(f"{target.where}: {number} readings written" + (f", {drained} changes since" * bool(drained)))


def check_series(settings: Settings) -> bool:
    """Compare both stores and say what differs, month by month; true if nothing does."""
    from metering.store.series.comparing import compare

    with _both(settings, noting=False) as (queue, target):
        waiting = queue.waiting()
        with told(2 * queue.number(), "Comparing readings") as progress:
            found = compare(queue, target, progress)
        _tell(found)
        if waiting:
            typer.echo(
                f"{waiting} changes wait to be sent; ingest sends them, and so does `nurt db forward`."
            )
        same = all(month.same for month in found.months)
        if same:
            typer.echo(f"{target.where} holds the same readings.")
    return same


def _tell(found: Comparison) -> None:
    header = f"{'month':<8} {'database':>12} {'series store':>12} {'differing':>10}  checksums"
    typer.echo(header)
    for month in found.months:
        here, there = month.here, month.there
        sums = f"{here.checksum:016x}" + ("" if month.same else f" {there.checksum:016x}")
        least = "" if found.whole or month.same else " at least"
        typer.echo(
            f"{month.month:<8} {here.readings:>12} {there.readings:>12} {month.differing:>10}  {sums}{least}"
        )


def _send_differing(queue: SeriesQueue, target: SeriesTarget, *, remove: bool) -> None:
    from metering.errors import StoreError
    from metering.store.series.comparing import compare
    from metering.store.series.refilling import send_again

    _drain(queue, target)
    with told(2 * queue.number(), "Comparing readings") as progress:
        found = compare(queue, target, progress)
    if not found.whole:
        raise StoreError(f"{target.where}: too much differs to send it one by one; run `nurt db forward`")
    send_again(queue, found.keys - found.changed)
    send_again(queue, found.changed | (found.strange if remove else set()), gone=True)
    _drain(queue, target)
    typer.echo(f"{target.where}: sent what differed at {_places(len(found.keys))}.")
    if found.strange:
        more = f"At {_places(len(found.strange))} only the series store has a reading"
        typer.echo(f"{more}: " + ("removed." if remove else "left; --remove takes it away."))


def _places(number: int) -> str:
    return f"{number} place{'' if number == 1 else 's'}"


def _drain(queue: SeriesQueue, target: SeriesTarget) -> int:
    from metering.store.series.sender import Sender

    return Sender(queue, target).drain()


def _end(settings: Settings) -> None:
    from metering.clock import SystemClock
    from metering.store.sql.series_queue import SeriesQueue
    from service.database import prepared_store

    store = prepared_store(settings.store, SystemClock())
    try:
        queue = SeriesQueue(store.database)
        waiting = queue.waiting()
        queue.disable()
    finally:
        store.close()
    typer.echo(f"Readings are noted for no series store any more; {waiting} that waited are forgotten.")


@contextmanager
def _both(settings: Settings, *, noting: bool = True) -> Iterator[tuple[SeriesQueue, SeriesTarget]]:
    """Open both stores; from now on changes are noted, if that is asked."""
    from metering.clock import SystemClock
    from metering.store.sql.series_queue import SeriesQueue
    from service.database import prepared_store
    from service.series import target_of

    target = target_of(settings.series)
    try:
        target.check()
        store = prepared_store(settings.store, SystemClock())
        try:
            queue = SeriesQueue(store.database)
            if noting:
                queue.enable()
            yield queue, target
        finally:
            store.close()
    finally:
        target.close()
