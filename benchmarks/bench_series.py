"""Points a second into InfluxDB and VictoriaMetrics; a year of one meter, hourly, out of InfluxDB and SQLite.

Real servers as Debian has them, started here, with nothing else in them. First points alone, over each write
API; then the whole way: readings committed in SQLite with the queue noted, and sent from there.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from figures import Figure

from metering.clock import SystemClock
from metering.meter import MeterId
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore, upgrade
from metering.store.series.address import Access
from metering.store.series.influx import InfluxSeries
from metering.store.series.lines import Point
from metering.store.series.sender import Sender
from metering.store.series.target import SeriesTarget
from metering.store.series.victoria import VictoriaSeries
from metering.store.sql.series_queue import SeriesQueue

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
from series_servers import influxdb, victoria  # the tests' own servers

METERS = 100
HOURS = 8760
YEAR = datetime(2025, 1, 1, tzinfo=UTC)
VOLUME = Register("volume")
WRITTEN = 200_000
QUERIES = 200
SOURCE = Provenance(None, "roof", "kamstrup-mc21", "1")


def figures() -> Iterator[Figure]:
    """Measure; nothing of what is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        if shutil.which("victoria-metrics"):
            with victoria(Path(folder) / "victoria") as server:
                yield _written("VictoriaMetrics, v2 API", VictoriaSeries(Access(server.url)))
        if not shutil.which("influxd"):
            yield Figure("points into InfluxDB", float("nan"), "points/s", "InfluxDB is not installed")
            return
        with influxdb(Path(folder) / "influx") as server:
            server.ask('CREATE DATABASE "nurt"')
            series = InfluxSeries(Access(server.url, write_api="v1"))
            yield _written("InfluxDB 1.6, v1 API", series)
            server.ask('DROP DATABASE "nurt"; CREATE DATABASE "nurt"')
            yield from _whole_way(Path(folder), series)


def _written(what: str, target: SeriesTarget) -> Figure:
    points = [Point(one, 0) for meter in range(WRITTEN // HOURS + 1) for one in _year(meter)][:WRITTEN]
    began = time.perf_counter()
    target.write(points)
    rate = len(points) / (time.perf_counter() - began)
    return Figure(f"points into {what}", rate, "points/s", f"{WRITTEN:,} points, packed, 5,000 a request")


def _whole_way(folder: Path, series: InfluxSeries) -> Iterator[Figure]:
    url = f"sqlite:///{folder / 'nurt.db'}"
    upgrade(url)
    store = SqlStore(url, SystemClock())
    queue = SeriesQueue(store.database)
    alone = _stored(store, range(METERS // 2))
    queue.enable()
    noted = _stored(store, range(METERS // 2, METERS))
    yield Figure("readings into SQLite, no series store", alone, "readings/s", "8,760 a transaction")
    yield Figure("the same, noted for a series store", noted, "readings/s", "a trigger and a row each")
    number, began = queue.waiting(), time.perf_counter()
    Sender(queue, series).drain()
    yield Figure(
        "from SQLite's queue to InfluxDB, booked as sent",
        number / (time.perf_counter() - began),
        "readings/s",
        f"{number:,} readings",
    )
    for meter in range(METERS // 2):
        series.write([Point(one, 0) for one in _year(meter)])
    until = YEAR + timedelta(days=365)

    def out_of_influx(meter: MeterId) -> int:
        return len(series.series(meter, VOLUME, YEAR, until, None))

    def out_of_sqlite(meter: MeterId) -> int:
        with store.reading() as view:
            return len(view.readings.series(meter, VOLUME, YEAR, until))

    yield from _asked("InfluxDB", out_of_influx)
    yield from _asked("SQLite", out_of_sqlite)
    series.close()
    store.close()


def _asked(where: str, ask: Callable[[MeterId], int]) -> Iterator[Figure]:
    times = []
    for number in range(QUERIES):
        began = time.perf_counter()
        found = ask(_meter(number % METERS))
        times.append((time.perf_counter() - began) * 1000)
        if found != HOURS:
            raise AssertionError(f"{found} readings where there are {HOURS}")
    remark = f"8,760 whole readings, {METERS * HOURS:,} stored, {QUERIES} queries"
    yield Figure(
        f"one meter, one year hourly, out of {where}, median", statistics.median(times), "ms", remark
    )
    yield Figure(f"the same, out of {where}, p99", statistics.quantiles(times, n=100)[98], "ms", remark)


def _stored(store: SqlStore, meters: range) -> float:
    years = [_year(meter) for meter in meters]
    began = time.perf_counter()
    for year in years:
        with store.writing() as transaction:
            transaction.readings.add(year)
    return sum(map(len, years)) / (time.perf_counter() - began)


def _meter(number: int) -> MeterId:
    return MeterId("KAM", f"{number + 10_000_000}", "1b", "16")


def _year(number: int) -> list[Reading]:
    meter = _meter(number)
    return [
        Reading(
            meter,
            VOLUME,
            Decimal(number * 1000 + 7 * hour).scaleb(-3),
            "m3",
            at := YEAR + timedelta(hours=hour),
            at + timedelta(seconds=3),
            Way.DECODED,
            Quality.RAW,
            SOURCE,
        )
        for hour in range(HOURS)
    ]
