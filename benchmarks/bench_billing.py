"""Registers closed a second on PostgreSQL with two processes, and reads handed over a second over HTTP.

Every service point has a meter that was read once a day; September is closed for all of them: reads fetched,
settled, validated, kept, and put into the outbox, in transactions of 500. PostgreSQL runs on the same cores.
``NURT_BILLING_REGISTERS`` says how many (50,000; a million with ``make bench-billing``).
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent))

from figures import Figure
from servers import POSTGRESQL, postgresql

from billing_bridge.bridge import Tally
from billing_bridge.export.json_http import JsonHttpTarget, Url
from billing_bridge.export.signature import Secret
from billing_bridge.outbox import Relay
from metering.clock import FixedClock, SystemClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.outbox import OutboxState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore, upgrade
from service.billing import Run, run, span_of
from service.demo.billing_books import Books
from service.demo.billing_receiver import receiver
from service.settings_model import Settings

REGISTERS = int(os.environ.get("NURT_BILLING_REGISTERS", "50000"))
WORKERS = 2
SENT = 2_000
WARSAW = ZoneInfo("Europe/Warsaw")
FIRST = datetime(2026, 8, 29, tzinfo=WARSAW).astimezone(UTC)
DAYS = 36
NOW = datetime(2026, 10, 5, tzinfo=UTC)
SECRET = Secret.parse("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=")


def figures() -> Iterator[Figure]:
    """Measure; nothing if PostgreSQL is not installed."""
    if not POSTGRESQL:
        yield Figure("billing", float("nan"), "registers/s", "PostgreSQL is not installed")
        return
    with postgresql() as url:
        upgrade(url)
        store = SqlStore(url, FixedClock(NOW), lambda: bytes(32))
        filled = _fill(store, REGISTERS)
        readings = f"{REGISTERS:,} registers, {DAYS} daily reads each (filled in {filled:.0f} s)"
        seconds, spent, tally, grown = _closed(store, url)
        assert tally.billed == REGISTERS, tally
        yield Figure(
            "periods closed",
            REGISTERS / seconds,
            "registers/s",
            f"{readings}, {WORKERS} processes, PostgreSQL",
        )
        each = 1000 * spent / REGISTERS
        yield Figure("CPU a register, PostgreSQL's included", each, "ms", "the machine's other work left out")
        yield Figure("a million registers", 1e6 / REGISTERS * seconds, "s", "target: under 600" + _scaled())
        yield Figure("memory of a process, peak", grown, "MB", f"{REGISTERS:,} registers")
        yield _sent(store)
        store.close()


def _scaled() -> str:
    return "" if REGISTERS >= 1_000_000 else f"; reckoned from {REGISTERS:,}"


def _fill(store: SqlStore, count: int) -> float:
    """Fill registry and readings with statements of the database's own, day by day as reads arrive."""
    begun = time.monotonic()
    first = MeterId("KAM", "99999999", "1b", "16")
    source = Provenance(None, "roof", "kamstrup-mc21", "1")
    with store.writing() as tx:
        tx.registry.put_service_points([ServicePoint("SP")])
        tx.registry.put_meters([Meter(first)])
        tx.registry.put_installations([Installation(first, "SP", FIRST, FIRST + timedelta(seconds=1))])
        tx.readings.add(
            [
                Reading(first, Register("volume"), Decimal(1), "m3", at, at, Way.RADIO, Quality.RAW, source)
                for at in (FIRST, FIRST + timedelta(days=10), FIRST + timedelta(days=DAYS - 1))
            ]
        )
    with store.database.transaction(write=True) as connection:
        for statement in _STATEMENTS:
            connection.execute(sa.text(statement), {"count": count, "first": FIRST, "days": DAYS})
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("ANALYZE")
    return time.monotonic() - begun


_STATEMENTS = (
    """INSERT INTO identities (id, name)
    SELECT 1000000 + n, 'KAM-' || lpad(n::text, 8, '0') || '-1b-16' FROM generate_series(1, :count) n""",
    """INSERT INTO meters (meter, medium, label, model, search)
    SELECT 1000000 + n, 'water', '', NULL, '' FROM generate_series(1, :count) n""",
    """INSERT INTO service_points (id, address, district, route, search)
    SELECT 'P' || lpad(n::text, 8, '0'), '', '', 'R' || (n % 40), '' FROM generate_series(1, :count) n""",
    """INSERT INTO installations (meter, service_point, valid_from)
    SELECT 1000000 + n, 'P' || lpad(n::text, 8, '0'), timestamptz '2025-01-01'
    FROM generate_series(1, :count) n""",
    """INSERT INTO readings (meter, register, measured_at, value, received_at, telegram, origin)
    SELECT 1000000 + n, (SELECT id FROM registers WHERE key = 'volume'),
    :first + d * interval '24 hours' + (n % 600) * interval '1 second',
    (100 + n % 9000 + d * 0.317)::numeric, :first + d * interval '24 hours' + interval '1 hour', NULL,
    (SELECT min(id) FROM origins WHERE unit = 'm3')
    FROM generate_series(0, :days - 1) d, generate_series(1, :count) n ORDER BY d, n""",
    "DELETE FROM installations WHERE service_point = 'SP'",
)


def _closed(store: SqlStore, url: str) -> tuple[float, float, Tally, float]:
    """Give seconds, seconds of CPU in all processes, what was done, and the peak memory of a process, MB."""
    settings = Settings.model_validate({"store": {"url": url, "data": tempfile.gettempdir()}})
    span = span_of("2026-09", WARSAW)
    begun, spent = time.monotonic(), _cpu(url)
    tally = run(settings, store, FixedClock(NOW), Run(span, workers=WORKERS))
    seconds, spent = time.monotonic() - begun, _cpu(url) - spent
    return seconds, spent, tally, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _cpu(url: str) -> float:
    """Seconds of CPU used so far by this process, those it started and waited for, and PostgreSQL."""
    server = Path(url.partition("host=")[2]) / "data" / "postmaster.pid"
    postmaster = int(server.read_text().splitlines()[0])
    ticks = sum(_stat(postmaster)[11:15])
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = _stat(int(one.name))
            ticks += sum(stat[11:13]) if stat[1] == postmaster else 0
    mine = os.times()
    return ticks / os.sysconf("SC_CLK_TCK") + sum(mine[:4])


def _stat(process: int) -> list[int]:
    """Fields of /proc/PID/stat behind the name: parent at 1, user and system time at 11-14."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def _sent(store: SqlStore) -> Figure:
    """Hand over to the reference receiver on the same machine, eight at a time."""
    books = Books(None, now=SystemClock().now, customer_of=lambda _read: "C1")
    with receiver(books, SECRET, SystemClock().now) as listening:
        target = JsonHttpTarget(
            name="cis", url=Url.parse(f"{listening.url}/reads"), secrets=[SECRET], clock=SystemClock()
        )
        relay = Relay(
            store=store,
            target=target,
            clock=SystemClock(),
            owner="bench",
            chance=lambda: 0.0,
            batch=200,
            senders=8,
        )
        begun, settled = time.monotonic(), 0
        while settled < SENT and (done := relay.run_once()):
            settled += done
        seconds = time.monotonic() - begun
        relay.close()
        target.close()
    with store.reading() as tx:
        delivered = tx.outbox.counts("cis")[OutboxState.DELIVERED]
    assert delivered == settled == len(books.arrivals())
    books.close()
    return Figure(
        "reads handed over", settled / seconds, "reads/s", "HTTP, signed, acknowledged, receiver beside it"
    )


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what}: {figure.text} {figure.unit} ({figure.remark})", flush=True)
