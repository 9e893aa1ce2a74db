"""One sender at a time, over all threads, processes and hosts that share a database.

The lock goes with whoever holds it: a file lock beside SQLite, an advisory lock of a session on PostgreSQL.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import sqlalchemy as sa

from metering.errors import StoreError, StoreUnavailable
from metering.store.sql.engine import Database
from metering.store.sql.faults import sentence_of

__all__ = ["Turn"]

_TURN = 0x4E757275
"""Advisory lock of the one sender on PostgreSQL, beside that of the one writer."""

_LOOK_S = 0.02


class Turn:
    """Whose turn it is to send from one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mine = Lock()

    @contextmanager
    def taken(self, patience: float = 60.0) -> Iterator[None]:
        """Have it; waits for another.

        Raises:
            StoreUnavailable: another is still at it.
        """
        until = time.monotonic() + patience
        if not self._mine.acquire(timeout=patience):
            raise _another()
        try:
            if self._database.path is not None:
                with self._file_lock(until):
                    yield
            elif self._database.engine.dialect.name == "postgresql":
                with self._advisory_lock(until):
                    yield
            else:
                yield
        finally:
            self._mine.release()

    @contextmanager
    def _file_lock(self, until: float) -> Iterator[None]:
        path = self._database.path
        assert path is not None  # noqa: S101  looked at by the caller
        with path.with_name(f"{path.name}.series").open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    _wait(until)
            yield  # closing lets go, and so does the end of the process

    @contextmanager
    def _advisory_lock(self, until: float) -> Iterator[None]:
        try:
            session = self._database.engine.raw_connection()
        except Exception as fault:
            raise sentence_of(fault, self._database.where) from fault
        try:
            while not self._asked(session, f"pg_try_advisory_lock({_TURN})"):
                _wait(until)
            yield
        finally:
            self._give_back(session)

    def _give_back(self, session: sa.PoolProxiedConnection) -> None:
        try:
            self._asked(session, f"pg_advisory_unlock({_TURN})")
        except StoreError:
            session.invalidate()  # a lock that was not given back goes with its connection
        else:
            session.close()

    def _asked(self, session: sa.PoolProxiedConnection, question: str) -> bool:
        try:
            cursor = session.cursor()
            cursor.execute(f"SELECT {question}")
            said = cursor.fetchone()
            session.commit()
        except Exception as fault:
            raise sentence_of(fault, self._database.where) from fault
        return bool(said and said[0])


def _wait(until: float) -> None:
    if time.monotonic() > until:
        raise _another()
    time.sleep(_LOOK_S)


def _another() -> StoreUnavailable:
    return StoreUnavailable("another process is writing to the series store; it is tried again")
