"""What ``nurt meters import`` and ``nurt keys import`` share: the file, the rehearsal, the progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metering.errors import ImportRefused, RowFault

if TYPE_CHECKING:
    from metering.ports import Transaction
    from metering.store import SqlStore
    from service.settings_model import Settings, StoreSettings

__all__ = ["File", "importing", "read_file", "tell_mended", "told"]

File = Annotated[
    Path, typer.Argument(metavar="FILE.csv", help="Table with a header row, UTF-8, , or ; separated.")
]

_LARGEST = 200 * 1024 * 1024
"""Bytes: two million rows of any table, and less than a small machine's memory."""
_LONG = 2000
"""Rows from which on a progress bar is worth its place."""


def read_file(file: Path) -> bytes:
    """Read the file.

    Raises:
        ImportRefused: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
    except OSError as wrong:
        raise ImportRefused(
            str(file), [RowFault(1, None, f"the file cannot be read: {wrong.strerror}")]
        ) from wrong
    if len(raw) > _LARGEST:
        said = f"the file is larger than {_LARGEST // 1024 // 1024} MB; take it in in parts"
        raise ImportRefused(str(file), [RowFault(1, None, said)])
    return raw


class _Rehearsal(Exception):
    """Ends a dry run: rolls the transaction back."""


@contextmanager
def importing(settings: StoreSettings, *, dry_run: bool) -> Iterator[Transaction]:
    """Open a transaction to import in; a dry run does everything and keeps nothing."""
    store = _store(settings, dry_run=dry_run)
    try:
        with store.writing() as transaction:
            yield transaction
            _end(dry_run=dry_run)
    except _Rehearsal:
        pass
    finally:
        store.close()


def _end(*, dry_run: bool) -> None:
    if dry_run:
        raise _Rehearsal


def _store(settings: StoreSettings, *, dry_run: bool) -> SqlStore:
    """Open the database; a dry run must not even make it."""
    from metering.clock import SystemClock
    from metering.store import load_master_key, memory_store
    from service.database import prepared_store, version_of

    if dry_run and version_of(settings) == 0:
        return memory_store(SystemClock(), lambda: load_master_key(settings.master_key))
    return prepared_store(settings, SystemClock())


def tell_mended(settings: Settings) -> None:
    """Read telegrams that waited for what was imported, and say how many."""
    from service.mending import mend_now

    healed = mend_now(settings)
    if healed:
        typer.echo(f"{healed} telegrams that waited are read now.")


@contextmanager
def told(rows: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show progress on a terminal if there is much to do; gives what to call with rows done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=rows < _LONG, transient=True) as progress:
        task = progress.add_task(what, total=rows)
        yield lambda done: progress.advance(task, done)
