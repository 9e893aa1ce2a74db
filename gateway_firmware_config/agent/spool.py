"""The spool: what has been heard waits on disk until the broker has taken it.

SQLite with a write-ahead log. What :meth:`Spool.add` returns from is on the disk, through a power cut. What
is removed need not be: after a power cut it is published once more under the same number, and the service
knows that number. The spool is bounded; when it is full the oldest go, and how many went is counted.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gateway_firmware_config.agent.envelope import Entry, Item
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.spool_file import connect, is_sound, set_aside
from metering.errors import StoreUnavailable
from metering.uplink import ClockSource

__all__ = ["Spool", "SpoolLimits"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    boot TEXT NOT NULL, seq INTEGER NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL,
    at_ms INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, machine TEXT NOT NULL, source TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS held (
    key TEXT PRIMARY KEY, release_ms INTEGER NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL,
    at_ms INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, machine TEXT NOT NULL, source TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shed (reason TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
"""
_SHED_AT_ONCE = 200
_DAY_MS = 86_400_000
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much is kept at most.

    Attributes:
        most_bytes: of the database.
        most_days: age of an entry, as far as its time is known.
    """

    most_bytes: int = 200_000_000
    most_days: int = 90


class Spool:
    """Numbers what is heard and keeps it; safe to use from several threads.

    Args:
        path: the database file; made if it is not there.
        boot: this run of the agent.
        limits: how much is kept at most.

    Attributes:
        set_aside: where a spool that could not be read was moved to.

    Raises:
        StoreUnavailable: the file cannot be made, read or written. From every method.
    """

    def __init__(self, path: Path, boot: str, limits: SpoolLimits | None = None) -> None:
        self.boot = boot
        self.set_aside: Path | None = None
        self._limits = limits or SpoolLimits()
        self._seq = 0
        self._lock = threading.RLock()
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._durable = self._opened(path)
            self._lazy = connect(path, "NORMAL")  # what it forgets in a power cut is only done once more
        self._path = path

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._lazy.close()
            self._durable.close()

    # --- in ------------------------------------------------------------------------------------------

    def add(self, items: Sequence[Item]) -> None:
        """Number items and keep them; on the disk when this returns."""
        with self._writing(self._durable) as db:
            self._number(db, items)
        self._seq += len(items)

    def hold(self, items: Sequence[tuple[str, Item]], interval_ms: int) -> int:
        """Keep the newest item of each key until its interval ends, counted from the first.

        Returns:
            How many took the place of an older one.
        """
        with self._writing(self._durable) as db:
            [before] = db.execute("SELECT count(*) FROM held").fetchone()
            db.executemany(
                "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "kind = excluded.kind, body = excluded.body, at_ms = excluded.at_ms, "
                "uptime_ms = excluded.uptime_ms, machine = excluded.machine, source = excluded.source",
                [(key, item.heard.uptime_ms + interval_ms, *_columns(item)) for key, item in items],
            )
            [after] = db.execute("SELECT count(*) FROM held").fetchone()
        return len(items) - int(after - before)

    def release(self, now: Moment) -> int:
        """Number what has been held for its interval, or by an earlier start of the machine."""
        due = "machine <> ? OR release_ms <= ?"
        with self._writing(self._durable) as db:
            rows = db.execute(
                "SELECT kind, body, at_ms, uptime_ms, machine, source FROM held "  # noqa: S608  our own text
                f"WHERE {due} ORDER BY release_ms, key",
                (now.machine, now.uptime_ms),
            ).fetchall()
            self._number(db, [_item(row) for row in rows])
            db.execute(f"DELETE FROM held WHERE {due}", (now.machine, now.uptime_ms))  # noqa: S608  same
        self._seq += len(rows)
        return len(rows)

    def restamp(self, now: Moment) -> int:
        """Give what was heard since the machine started, before its clock was right, its right time."""
        if not now.source.trusted:
            return 0
        changed = 0
        with self._writing(self._durable) as db:
            for table in ("entries", "held"):
                changed += db.execute(
                    f"UPDATE {table} SET at_ms = ? - (? - uptime_ms), source = ? "  # noqa: S608  our own names
                    "WHERE source = ? AND machine = ?",
                    (now.at_ms, now.uptime_ms, now.source, ClockSource.NONE, now.machine),
                ).rowcount
        return changed

    def _number(self, db: sqlite3.Connection, items: Sequence[Item]) -> None:
        db.executemany(
            "INSERT INTO entries (boot, seq, kind, body, at_ms, uptime_ms, machine, source) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(self.boot, self._seq + number, *_columns(item)) for number, item in enumerate(items, 1)],
        )

    # --- out -----------------------------------------------------------------------------------------

    def after(self, last: int, most: int) -> list[Entry]:
        """Give the oldest entries behind one, in order."""
        with self._lock, _told(self._path):
            rows = self._lazy.execute(
                "SELECT kind, body, at_ms, uptime_ms, machine, source, id, boot, seq FROM entries "
                "WHERE id > ? ORDER BY id LIMIT ?",
                (last, most),
            ).fetchall()
        return [Entry(id_, boot, seq, _item(item)) for *item, id_, boot, seq in rows]

    def remove(self, ids: Sequence[int]) -> None:
        """Forget what the broker has taken. What had been shed meanwhile came through after all."""
        with self._writing(self._lazy) as db:
            gone = db.executemany("DELETE FROM entries WHERE id = ?", [(one,) for one in ids]).rowcount
            if gone < len(ids):
                _count_shed(db, "size", gone - len(ids))

    # --- bounds --------------------------------------------------------------------------------------

    def shed(self, now: Moment) -> int:
        """Let go what is too old, and the oldest while there is too much; gives how many went."""
        with self._writing(self._lazy) as db:
            gone = self._shed_old(db, now)
            while self._used(db) > self._limits.most_bytes:
                oldest = "SELECT id FROM entries ORDER BY id LIMIT ?"
                went = db.execute(
                    f"DELETE FROM entries WHERE id IN ({oldest})",  # noqa: S608  our own text
                    (_SHED_AT_ONCE,),
                ).rowcount
                _count_shed(db, "size", went)
                gone += went
                if not went:
                    break
        return gone

    def count_shed(self, reason: str, entries: int) -> None:
        """Count what was lost before it could be kept."""
        with self._writing(self._lazy) as db:
            _count_shed(db, reason, entries)

    def _shed_old(self, db: sqlite3.Connection, now: Moment) -> int:
        """Let go what is too old: by uptime what this start of the machine heard; wall clocks may jump."""
        most_ms = self._limits.most_days * _DAY_MS
        oldest_ms = now.at_ms - most_ms if now.source.trusted else 0
        went = db.execute(
            "DELETE FROM entries WHERE (machine = ? AND uptime_ms < ?) "
            "OR (machine <> ? AND at_ms < ? AND source <> ?)",
            (now.machine, now.uptime_ms - most_ms, now.machine, oldest_ms, ClockSource.NONE),
        ).rowcount
        _count_shed(db, "age", went)
        return went

    @staticmethod
    def _used(db: sqlite3.Connection) -> int:
        [pages], [free], [size] = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    # --- what is there -------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Entries that wait, what is held to thin it not counted."""
        return int(self._one("SELECT count(*) FROM entries") or 0)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest entry was heard, UTC, milliseconds since 1970."""
        return cast("int | None", self._one("SELECT at_ms FROM entries ORDER BY id LIMIT 1"))

    @property
    def shed_so_far(self) -> dict[str, int]:
        """How many entries were let go since the spool was made, by reason: ``size``, ``age``, ``disk``."""
        with self._lock, _told(self._path):
            return dict(self._lazy.execute("SELECT reason, entries FROM shed WHERE entries > 0"))

    def _one(self, sql: str) -> Any:
        with self._lock, _told(self._path):
            row = self._lazy.execute(sql).fetchone()
        return row[0] if row else None

    # --- the file ------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self, db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, _told(self._path):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _opened(self, path: Path) -> sqlite3.Connection:
        """Open the spool; one that cannot be read is set aside, for what comes must be kept."""
        if path.exists() and not is_sound(path):
            self.set_aside = set_aside(path)
        db = connect(path, "FULL")
        db.executescript(_SCHEMA)
        path.chmod(0o600)
        return db


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as wrong:
        raise StoreUnavailable(f"the spool {path} cannot be used: {wrong}") from wrong


def _count_shed(db: sqlite3.Connection, reason: str, entries: int) -> None:
    if entries:
        db.execute(
            "INSERT INTO shed VALUES (?, ?) "
            "ON CONFLICT (reason) DO UPDATE SET entries = entries + excluded.entries",
            (reason, entries),
        )


def _columns(item: Item) -> _Row:
    heard = item.heard
    return (item.kind, item.body, heard.at_ms, heard.uptime_ms, heard.machine, heard.source)


def _item(row: Sequence[Any]) -> Item:
    kind, body, at_ms, uptime_ms, machine, source = row
    return Item(kind, body, Moment(at_ms, uptime_ms, machine, ClockSource(source)))
