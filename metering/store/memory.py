"""A store in memory, for tests and the demo.

The same SQL adapter on an in-memory SQLite: one adapter, one contract suite, no second implementation that
could drift from the first. All threads share its one connection, one transaction at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from threading import Lock

from metering.ports import Clock
from metering.store.sql.engine import Database
from metering.store.sql.store import SqlStore
from metering.store.sql.versions import upgrade_database

__all__ = ["memory_store"]

_copying = Lock()


def memory_store(clock: Clock, master_key: Callable[[], bytes] | None = None) -> SqlStore:
    """Make an empty store with the current schema; it is gone when closed."""
    store = SqlStore("sqlite://", clock, master_key)
    with _copying:
        _driver_connection(_template()).backup(_driver_connection(store.database))
    return store


@cache
def _template() -> Database:
    """The schema, made once per process by the migrations themselves."""
    database = Database("sqlite://", upgrading=True)
    upgrade_database(database)
    return database


def _driver_connection(database: Database) -> sqlite3.Connection:
    pooled = database.engine.raw_connection()
    try:
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # noqa: S101  tells the type
        return connection
    finally:
        pooled.close()
