"""One contract suite, run on every store: in memory, SQLite files, PostgreSQL and InfluxDB where there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp

import pytest
from series_servers import SeriesServer, influxdb

from metering.clock import FixedClock
from metering.meter import MeterId
from metering.ports import NewTelegram, TelegramState
from metering.reading import Detail, Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore, memory_store, upgrade
from metering.store.series.address import Access
from metering.store.series.influx import InfluxSeries
from metering.store.series.sender import Sender
from metering.store.series.store import SeriesStore
from metering.store.sql.schema import SCHEMA, metadata
from metering.store.sql.series_queue import SeriesQueue
from metering.uplink import ClockSource, Reception

_POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MASTER = bytes(range(32))


class Make:
    """Builds what the contracts are about, from as little as a test wants to say."""

    noon = NOON
    meter = MeterId("KAM", "76348799", "1b", "16")
    other = MeterId("KAM", "76348800", "1b", "16")
    volume = Register("volume")

    @staticmethod
    def at(seconds: float) -> datetime:
        return NOON + timedelta(seconds=seconds)

    def reception(self, gateway: str = "roof", at: float = 0, seq: int | None = None) -> Reception:
        boot = None if seq is None else "9f3a11c2"
        return Reception(
            gateway, self.at(at), self.at(at + 1), ClockSource.NTP, -71, "T1", boot, seq, history=False
        )

    def telegram(
        self,
        frame: bytes = b"\x2a\x44",
        *receptions: Reception,
        meter: MeterId = meter,
        state: TelegramState = TelegramState.STORED,
    ) -> NewTelegram:
        heard = receptions or (self.reception(),)
        reason = "missing_key" if state is TelegramState.HELD else ""
        fingerprint = blake2b(frame, digest_size=16).digest()
        return NewTelegram(meter, frame, fingerprint, state, reason, [(one, None) for one in heard])

    def reading(
        self,
        value: str = "7.7",
        at: float = 0,
        *,
        meter: MeterId = meter,
        register: Register = volume,
        telegram: int | None = None,
        way: Way = Way.RADIO,
        unit: str = "m3",
    ) -> Reading:
        source = Provenance(telegram, "roof", "kamstrup-mc21", "1")
        return Reading(
            meter, register, Decimal(value), unit, self.at(at), self.at(at + 1), way, Quality.RAW, source
        )

    def detail(self, text: str = "2026-01-01", at: float = 0, telegram: int | None = None) -> Detail:
        return Detail(self.meter, Register("date", storage=1), text, self.at(at), telegram)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.servers),
        pytest.param("influxdb", marks=pytest.mark.servers),
    ]
)
def backend(request: pytest.FixtureRequest) -> str:
    """What the store is on; "influxdb": SQL in memory, dense series read from InfluxDB."""
    kind: str = request.param
    return kind


@pytest.fixture
def url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    if backend in {"memory", "influxdb"}:
        return "sqlite://"
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/nurt.db"
    emptied: Callable[[], str] = request.getfixturevalue("postgresql")
    return emptied()


@pytest.fixture
def store(
    url: str, backend: str, clock: FixedClock, request: pytest.FixtureRequest
) -> Iterator[SqlStore | OnInflux]:
    """An empty store with the current schema and a master key."""
    opened: SqlStore | OnInflux
    if url != "sqlite://":
        upgrade(url)
        opened = SqlStore(url, clock, lambda: MASTER)
    else:
        opened = memory_store(clock, lambda: MASTER)
    if backend == "influxdb":
        opened = OnInflux(opened, request.getfixturevalue("influx"))
    yield opened
    opened.close()


class OnInflux(SeriesStore):
    """Writes go to SQL and on to InfluxDB, views read series from InfluxDB."""

    def __init__(self, sql: SqlStore, access: Access) -> None:
        series, queue = InfluxSeries(access), SeriesQueue(sql.database)
        queue.enable()
        super().__init__(sql, series, Sender(queue, series))
        self.schema = sql.schema
        self.rotate_master = sql.rotate_master
        self.__dict__.update(sql.__dict__)


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeriesServer]:
    """An InfluxDB of our own."""
    with influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture
def influx(influxd: SeriesServer) -> Access:
    """An empty database in it; Debian's 1.6 takes the API of 1.x."""
    influxd.ask('DROP DATABASE "nurt"; CREATE DATABASE "nurt"')
    return Access(influxd.url, write_api="v1")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A server of our own, on a socket in a temporary directory; gives its database, emptied."""
    if not _POSTGRESQL:
        pytest.skip("PostgreSQL is not installed")
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = Path(mkdtemp(prefix="nurt-pg-"))
    url = f"postgresql://nurt@/postgres?host={folder}"
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)

    def emptied() -> str:
        with psycopg.connect(host=str(folder), user="nurt", dbname="postgres") as admin:
            admin.execute(f"TRUNCATE {tables} RESTART IDENTITY")
            admin.execute("UPDATE alembic_version SET version_num = %s", [f"{SCHEMA:04}"])
        return url

    with _server(folder):
        upgrade(url)
        yield emptied


@contextmanager
def _server(folder: Path) -> Iterator[None]:
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
    if user:
        subprocess.run(["chown", user, folder], check=True)

    def run(program: str, *arguments: str) -> None:
        command = [str(_POSTGRESQL[-1].with_name(program)), *arguments, "-D", str(folder / "data")]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    try:
        run("initdb", "-U", "nurt", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)
