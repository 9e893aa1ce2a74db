"""SQLite's write-ahead log, kept from growing while several processes write without a pause.

A commit folds the log into the file once it is long enough (``wal_autocheckpoint``). But the log is begun
anew only by a writer who finds it folded to its end and nobody reading from it: while one worker folds, the
next one writes already, and so it would grow for as long as the backlog lasts, and every look-up in it with
it. So whoever commits to a log of several times the usual length makes the others wait until it is folded
whole. Source: https://www.sqlite.org/wal.html, 6 (avoiding excessively large WAL files).
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

__all__ = ["Log"]

_LARGE = 96 << 20
"""Bytes, three times what is usual."""
_MORE = 64 << 20
"""Bytes it grows before it is tried again where a long reader was in the way."""
_WAIT_MS = 1000
"""How long the readers of a moment are waited for; other writers wait so long, too."""


class Log:
    """The log of one database file."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._most = _LARGE

    def fold(self, driver: Any, patience_ms: int) -> bool:
        """Fold the log if it became too long; to be called after a commit, which nothing here can undo.

        Args:
            driver: the driver's connection, outside of any transaction.
            patience_ms: what its busy time-out is and will be again.

        Returns:
            Whether the next writer begins it anew.
        """
        with contextlib.suppress(OSError, sqlite3.Error):
            size = self._path.stat().st_size
            if size < self._most:
                return False
            driver.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
            try:
                hindered, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                driver.execute(f"PRAGMA busy_timeout={patience_ms}")
            self._most = size + _MORE if hindered else _LARGE
            return not hindered
        return False
