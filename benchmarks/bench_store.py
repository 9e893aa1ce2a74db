"""A million registered meters; a year of one meter, hourly, among 10 million readings and 100 million.

The registry and the readings are made by the database itself out of a series of numbers, in the form ingest
writes them. `store` measures the first and SQLite with 10 million readings; `query`, which takes long, is
PostgreSQL with 100 million in monthly partitions (`make bench-query`).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from bench_ingest import deployment, listening, started, wait_until
from figures import Figure
from servers import MOSQUITTO, POSTGRESQL, broker, postgresql

from metering.clock import SystemClock
from metering.meter import MeterId
from metering.reading import Register
from metering.store import SqlStore, upgrade
from metering.store.sql.partitions import make_room
from metering.store.sql.schema import readings

MILLION = 1_000_000
HOURS = 8760
SQLITE_METERS = int(os.environ.get("NURT_BENCH_SQLITE_METERS", "1142"))
"""Times a year of hours: 10 million readings."""
POSTGRESQL_METERS = int(os.environ.get("NURT_BENCH_POSTGRESQL_METERS", "11416"))
"""Times a year of hours: 100 million readings."""
ASKED = 300
"""Queries, each of another meter, drawn with seed 1."""
YEAR = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
VOLUME = Register("volume")


def identity(number: int) -> MeterId:
    return MeterId("SEN", f"{number:08d}", "68", "07")


def figures() -> Iterator[Figure]:
    """Measure what `make bench` shows."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield from _million(Path(folder))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        url = f"sqlite:///{folder}/nurt.db"
        upgrade(url)
        yield from _year_of_one(url, "SQLite", SQLITE_METERS, _fill_sqlite)


def query_figures() -> Iterator[Figure]:
    """Measure what `make bench-query` shows; nothing without PostgreSQL."""
    if not POSTGRESQL:
        yield Figure("one meter, one year hourly", float("nan"), "ms", "PostgreSQL is not installed")
        return
    with postgresql() as url:
        upgrade(url)
        yield from _year_of_one(url, "PostgreSQL", POSTGRESQL_METERS, _fill_postgresql)


# --- a million meters ----------------------------------------------------------------------------


def _million(folder: Path) -> Iterator[Figure]:
    looked_up = [
        (1000, _lookup(folder / "small.db", 1000)),
        (MILLION, _lookup(folder / "data" / "nurt.db", MILLION)),
    ]
    for registered, (cold, warm) in looked_up:
        what = f"a batch of 1000 meters looked up, {registered:,} registered"
        yield Figure(what, cold, "ms", "SQLite, a process that remembers none")
        yield Figure("  the same meters again", warm, "ms", "as ingest hears them")
    if Path(MOSQUITTO).exists():
        yield Figure(
            "start of `nurt ingest` to its subscription", _start(folder), "s", "1,000,000 registered"
        )


def _lookup(path: Path, meters: int) -> tuple[float, float]:
    """Milliseconds the median batch of 1000 meters takes a process that remembers none; and once it does."""
    url = f"sqlite:///{path}"
    upgrade(url)
    store = SqlStore(url, SystemClock())
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql(_NUMBERS + _IDENTITIES, {"n": meters})
        connection.exec_driver_sql(_NUMBERS + _METERS, {"n": meters})
    store.close()
    times: tuple[list[float], list[float]] = [], []
    for seed in range(20):
        asked = [identity(one) for one in random.Random(seed).sample(range(meters), 1000)]
        store = SqlStore(url, SystemClock())
        for turn in times:
            with store.reading() as view:
                begun = time.perf_counter()
                found = view.registry.meters(asked)
                turn.append(time.perf_counter() - begun)
            if len(found) != len(asked):
                raise SystemExit("bench: registered meters were not found")
        store.close()
    cold, warm = (sorted(turn)[10] * 1000 for turn in times)
    return cold, warm


def _start(folder: Path) -> float:
    """Seconds from the command to the subscription at the broker."""
    with broker(folder) as port:
        store = deployment(folder, f"sqlite:///{folder}/data/nurt.db", port)
        begun = time.perf_counter()
        process = started(folder)
        try:
            wait_until(lambda: listening(store) > 0, "ingest did not subscribe")
            return time.perf_counter() - begun
        finally:
            process.send_signal(signal.SIGTERM)
            _ended(process)
            store.close()


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


_NUMBERS = "WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < :n) "
_NAME = "'SEN-' || printf('%08d', i) || '-68-07'"
_IDENTITIES = f"INSERT INTO identities (id, name) SELECT i + 1, {_NAME} FROM number"
_METERS = (
    "INSERT INTO meters (meter, medium, label, model, search)"
    f" SELECT i + 1, 'water', '', NULL, lower({_NAME}) FROM number"
)


# --- a year of one meter -------------------------------------------------------------------------


def _year_of_one(url: str, name: str, meters: int, fill: Callable[[SqlStore, int], None]) -> Iterator[Figure]:
    store = SqlStore(url, SystemClock())
    begun = time.perf_counter()
    fill(store, meters)
    rows = meters * HOURS
    yield Figure(f"{name}: {rows / 1e6:,.0f} million readings made", time.perf_counter() - begun, "s")
    times, work = _asked(store, meters)
    store.close()
    for what, share in (("median", 0.5), ("p99", 0.99)):
        remark = f"{ASKED} meters drawn, {HOURS:,} readings each, as objects; at most 50"
        value = times[int(share * len(times))] * 1000
        yield Figure(f"  one meter, one year hourly, {what}", value, "ms", remark)
    yield Figure("  processor time of one", work * 1000, "ms", "of our process, on average")


def _asked(store: SqlStore, meters: int) -> tuple[Sequence[float], float]:
    """Seconds of each query, in order of length, and processor seconds of one."""
    times = []
    worked = time.process_time()
    for number in random.Random(1).sample(range(meters), min(ASKED, meters)):
        begun = time.perf_counter()
        with store.reading() as view:
            found = view.readings.series(identity(number), VOLUME, *YEAR)
        times.append(time.perf_counter() - begun)
        if len(found) != HOURS:
            raise SystemExit(f"bench: {len(found)} readings of a year of hours")
    return sorted(times), (time.process_time() - worked) / len(times)


def _fill_sqlite(store: SqlStore, meters: int) -> None:
    first = int(YEAR[0].timestamp()) * 1_000_000
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql(_NUMBERS + _IDENTITIES, {"n": meters})
        connection.exec_driver_sql(_REGISTER)
        connection.exec_driver_sql(_ORIGIN)
    for start in range(0, meters, 100):
        with store.database.transaction(write=True) as connection:
            connection.exec_driver_sql(
                "WITH RECURSIVE hour (h) AS (SELECT 0 UNION ALL SELECT h + 1 FROM hour WHERE h + 1 < 8760),"
                " meter (i) AS (SELECT :low UNION ALL SELECT i + 1 FROM meter WHERE i + 1 < :high)"
                " INSERT INTO readings (meter, register, measured_at, value, received_at, telegram, origin)"
                " SELECT i + 1, 1, :first + h * 3600000000, (i + h / 100) || '.' || printf('%03d', h % 1000),"
                " :first + h * 3600000000, NULL, 1 FROM meter CROSS JOIN hour",
                {"low": start, "high": min(start + 100, meters), "first": first},
            )


def _fill_postgresql(store: SqlStore, meters: int) -> None:
    """Write rows in the order in which they would arrive, hour by hour; indexes last, as a restore does."""
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql(
            "INSERT INTO identities (id, name) SELECT i + 1, 'SEN-' || lpad(i::text, 8, '0') || '-68-07'"
            f" FROM generate_series(0, {meters - 1}) AS i"
        )
        connection.exec_driver_sql(_REGISTER)
        connection.exec_driver_sql(_ORIGIN)
        make_room(connection, readings, [YEAR[0] + timedelta(days=28 * part) for part in range(13)])
        key = connection.exec_driver_sql(_KEY).scalar_one()
        connection.exec_driver_sql("ALTER TABLE readings DROP CONSTRAINT pk_readings")
        connection.exec_driver_sql("DROP INDEX ix_readings_telegram")
    for month in range(1, 13):
        begin = datetime(2025, month, 1, tzinfo=UTC)
        end = datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        with store.database.transaction(write=True) as connection:
            connection.exec_driver_sql(
                "INSERT INTO readings (meter, register, measured_at, value, received_at, telegram, origin)"
                " SELECT i + 1, 1, hour, i + extract(epoch FROM hour - timestamptz '2025-01-01 00:00:00+00')"
                " ::bigint / 3600 * 0.013, hour, NULL, 1"
                f" FROM generate_series(timestamptz '{begin}', timestamptz '{end}' - interval '1 hour',"
                f" interval '1 hour') AS hour CROSS JOIN generate_series(0, {meters - 1}) AS i"
            )
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        connection.exec_driver_sql(f"ALTER TABLE readings ADD CONSTRAINT pk_readings {key}")
        connection.exec_driver_sql("CREATE INDEX ix_readings_telegram ON readings (telegram)")
    with store.database.engine.connect() as connection:
        settled = connection.execution_options(isolation_level="AUTOCOMMIT")
        settled.execute(sa.text("VACUUM ANALYZE readings"))
        settled.execute(sa.text("CHECKPOINT"))  # a year is asked for, not the writing of it all at once


_KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'pk_readings'"
_REGISTER = "INSERT INTO registers (id, key) VALUES (1, 'volume')"
_ORIGIN = (
    "INSERT INTO origins (id, unit, way, quality, gateway, model, decoder)"
    " VALUES (1, 'm3', 'radio', '2.0.0', 'roof', '', 'nurt')"
)
