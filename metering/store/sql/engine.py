"""A database, opened: transactions that begin as they should, and errors that say what to do."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import QueuePool, StaticPool

from metering.errors import InvalidValue, StoreError
from metering.store.sql.bulk import forget_stages
from metering.store.sql.faults import busy, sentence_of
from metering.store.sql.partitions import forget_months
from metering.store.sql.wal import Log

__all__ = ["Database"]

_MEMORY = ("", ":memory:")

_SQLITE_SETTINGS = (
    "PRAGMA journal_mode=WAL",  # readers see a snapshot and never wait for the writer
    # Acknowledged means durable: with NORMAL, WAL commits reach the disk only at the next checkpoint,
    # and a power cut takes back what gateways were told is safe. FULL syncs at each commit.
    "PRAGMA synchronous=FULL",
    "PRAGMA cache_size=-16384",  # 16 MiB per connection
    # A batch touches thousands of pages, the next one mostly the same: what is folded into the file every
    # 32 MiB instead of at every commit is written once instead of many times.
    "PRAGMA wal_autocheckpoint=8192",
    "PRAGMA journal_size_limit=67108864",  # a WAL blown up by one long reader shrinks again
)

_LOOK_AGAIN_S = 0.001
"""Seconds between two looks whether another process still writes."""

_PRIMARY = 0xFF
"""Bits of a result code that say what is wrong; the others say in detail."""

_IDLE_S = 60
"""Seconds the one writer on PostgreSQL may do nothing: a machine that froze or was cut off in mid-transaction
must not keep the others waiting until TCP gives it up, hours later."""

_WRITER = 0x4E757274
"""Advisory lock of the one writer on PostgreSQL: "Nurt"."""


class Database:
    """One SQLite file, one in-memory SQLite, or one PostgreSQL database.

    One writer at a time on all of them: what a batch finds to be new is still new when it commits.

    Attributes:
        where: the database in words, never with a password.
        path: the SQLite file, ``None`` if it is not one.
        engine: for schema upgrades and tests.
    """

    def __init__(self, url: str, *, patience: float = 10.0, upgrading: bool = False) -> None:
        """Prepare; nothing is opened before the first transaction.

        Args:
            url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite://`` (memory) or
                ``postgresql://user:password@host/name``.
            patience: how long to wait for another writer, seconds.
            upgrading: make the file if it is missing; no foreign keys while tables are rebuilt.

        Raises:
            InvalidValue: not such a URL.
        """
        self._patience = patience
        self._turn = Lock()
        parsed = _parse(url)
        self._sqlite = parsed.drivername == "sqlite"
        self._alone = self._sqlite and (parsed.database or "") in _MEMORY
        self.path: Path | None = None
        self._log: Log | None = None
        if not self._sqlite:
            self.where = f"the database {parsed.set(drivername='postgresql', query={}).render_as_string()}"
            self.engine = _postgresql_engine(parsed)
        elif self._alone:
            self.where = "the database in memory"
            self.engine = _sqlite_engine(StaticPool, self._opener(":memory:", upgrading=upgrading))
        else:
            self.path = Path(str(parsed.database)).absolute()
            self._log = Log(self.path)
            mode = "rwc" if upgrading else "rw"
            self.where = f"the database {self.path}"
            opener = self._opener(f"file:{quote(str(self.path))}?mode={mode}", upgrading=upgrading)
            self.engine = _sqlite_engine(QueuePool, opener)
        sa.event.listen(self.engine, "begin", self._begin)
        sa.event.listen(self.engine, "handle_error", self._translate)

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sa.Connection]:
        """Open a transaction: commits when the block ends, rolls back when it raises.

        Raises:
            StoreUnavailable: cannot be opened, written or committed.
            StoreError: the database refused.
        """
        try:
            with self._my_turn(wait=write or self._alone), self.engine.connect() as connection:
                connection.execution_options(nurt_write=write)
                try:
                    with connection.begin():
                        yield connection
                    if write and self._log is not None:
                        driver = connection.connection.driver_connection
                        self._log.fold(driver, int(self._patience * 1000))
                except BaseException:
                    forget_months(connection)
                    forget_stages(connection)
                    raise
        except PoolExhausted:
            raise busy(self.where) from None
        except SQLAlchemyError as fault:
            raise StoreError(f"{self.where}: {type(fault).__name__}") from fault
        except Exception as fault:
            if type(fault).__module__.partition(".")[0] != "psycopg":
                raise
            raise sentence_of(fault, self.where) from fault  # of COPY, which goes past SQLAlchemy

    def close(self) -> None:
        """Let go of all connections; the last one folds SQLite's WAL into the file."""
        self.engine.dispose()

    @contextmanager
    def _my_turn(self, *, wait: bool) -> Iterator[None]:
        """Queue threads up before SQLite, whose own waiting is a poll that can starve one of them.

        In memory there is one connection only, so readers queue up as well.
        """
        if not wait:
            yield
            return
        if not self._turn.acquire(timeout=self._patience):
            raise busy(self.where)
        try:
            yield
        finally:
            self._turn.release()

    def _begin(self, connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("nurt_write", True)
        if self._sqlite:
            # The driver's own BEGIN is late and deferred; a deferred writer can fail in mid-flight.
            connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if write else 'ON'}")
            if write:
                self._begin_writing(connection)
            else:
                connection.exec_driver_sql("BEGIN DEFERRED")
        elif write:
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = {int(self._patience * 1000)};"
                f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_S * 1000};"
                f"SELECT pg_advisory_xact_lock({_WRITER})"
            )
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def _begin_writing(self, connection: sa.Connection) -> None:
        """Begin to write as soon as other processes let us.

        SQLite's own waiting sleeps up to 100 ms between two looks: with several workers the disk would rest.
        """
        driver = connection.connection.driver_connection
        until = time.monotonic() + self._patience
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            while _another_writes(driver):
                if time.monotonic() > until:
                    raise busy(self.where)
                time.sleep(_LOOK_AGAIN_S)
        except sqlite3.Error as fault:
            raise sentence_of(fault, self.where) from fault
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(self._patience * 1000)}")

    def _translate(self, context: ExceptionContext) -> None:
        fault = context.original_exception
        if isinstance(fault, InvalidValue):  # a column type refused a value
            raise InvalidValue(str(fault))
        if isinstance(fault, Exception):
            raise sentence_of(fault, self.where)

    def _opener(self, name: str, *, upgrading: bool) -> Callable[[], sqlite3.Connection]:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                name,
                uri=True,
                timeout=self._patience,
                isolation_level=None,  # we begin ourselves
                check_same_thread=False,  # the pool hands a connection to one thread at a time
                cached_statements=256,
            )
            for setting in (*_SQLITE_SETTINGS, f"PRAGMA foreign_keys={'OFF' if upgrading else 'ON'}"):
                connection.execute(setting)
            return connection

        return connect


def _another_writes(driver: Any) -> bool:
    """Begin to write, unless another process does."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY:
            return True
        raise
    return False


def _sqlite_engine(
    pool: type[QueuePool | StaticPool], creator: Callable[[], sqlite3.Connection]
) -> sa.Engine:
    sizes = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 10} if pool is QueuePool else {}
    return sa.create_engine("sqlite://", poolclass=pool, creator=creator, hide_parameters=True, **sizes)


def _postgresql_engine(url: URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError:
        raise StoreError(
            "PostgreSQL needs its driver; install it with `pip install nurt[postgres]`"
        ) from None
    sa.event.listen(engine, "connect", _speak_utc)
    return engine


def _speak_utc(driver: Any, _record: object) -> None:
    """Have times told in UTC, so that none has to be converted, whatever zone the server lives in."""
    with driver.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    driver.commit()


def _parse(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        parsed = URL.create("unreadable")
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite" or parsed.host or parsed.query:
        raise InvalidValue(
            "a database URL looks like sqlite:////var/lib/nurt/nurt.db or postgresql://user@host/nurt"
        )
    return parsed
