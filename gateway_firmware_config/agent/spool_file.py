"""The spool's file: opened, checked, and moved out of the way when it is damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["connect", "is_sound", "set_aside"]


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """Open the file; ``synchronous`` as SQLite names it: FULL survives a power cut, NORMAL may forget."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA cache_size = -512")
    return db


def is_sound(path: Path) -> bool:
    """Whether the file is a database that can be read."""
    db = sqlite3.connect(path, timeout=30)
    try:
        return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # locked, not allowed: not the file's fault
        raise
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()


def set_aside(path: Path) -> Path:
    """Move a file and its log out of the way, to the first free name."""
    number = next(n for n in range(1, 10_000) if not path.with_name(f"{path.name}.broken-{n}").exists())
    aside = path.with_name(f"{path.name}.broken-{number}")
    for tail in ("-wal", "-shm", ""):
        part = path.with_name(path.name + tail)
        if part.exists():
            part.rename(aside.with_name(aside.name + tail))
    return aside
