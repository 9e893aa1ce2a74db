"""A customer's chart of one year, with 100,000 meters stored: from the token to the page, in this process.

Two hundred of the meters have a year of hours, the others a reading a month: what is asked for is found by
meter and time, so the others weigh by their number. Each request writes down its look and commits.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from figures import Figure

from metering.billing_customers import Contract, Customer, Tenancy
from metering.clock import FixedClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import SqlStore, upgrade
from service.customers.app import customer_app
from service.customers.door import Door
from service.customers.site import CustomerSite
from service.customers.token import Claims, Secrets, mint
from service.lifetime import settle_memory
from service.settings_model import Settings

METERS = 100_000
CLOSE = 200
"""Meters with a year of hours."""
REQUESTS = 400
WARMING = 20
ZONE = "Europe/Warsaw"
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRETS = Secrets({"bench": bytes(32)})
VOLUME = Register("volume")


def figures() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        clock = FixedClock(NOW)
        url = f"sqlite:///{Path(folder) / 'nurt.db'}"
        upgrade(url)
        store = SqlStore(url, clock)
        began = time.perf_counter()
        rows = _fill(store)
        built = time.perf_counter() - began
        settle_memory()  # as the service does
        yield Figure(
            "charts: readings stored", rows, "readings", f"{METERS:,} meters, built in {built:.0f} s"
        )
        for what, query in (
            ("a year by months, page", "?span=year&day=2025-06-01"),
            ("a year by days, JSON", "/data.json?span=year&day=2025-06-01&step=day"),
            ("a month by days, page", "?span=month&day=2025-06-01"),
        ):
            yield from _asked(store, clock, what, query)
        store.close()


def _fill(store: SqlStore) -> int:
    rows = 0
    for first in range(0, METERS, 5000):
        numbers = range(first, first + 5000)
        with store.writing() as tx:
            tx.registry.put_meters([Meter(_meter(n)) for n in numbers])
            tx.registry.put_service_points([ServicePoint(f"SP-{n}") for n in numbers])
            tx.registry.put_installations([Installation(_meter(n), f"SP-{n}", SINCE) for n in numbers])
            tx.customers.put_customers([Customer(f"K-{n}") for n in numbers])
            tx.customers.put_contracts([Contract(f"U-{n}", f"K-{n}") for n in numbers])
            tx.customers.put_tenancies([Tenancy(f"U-{n}", f"SP-{n}", SINCE) for n in numbers])
            monthly = [one for n in numbers if n >= CLOSE for one in _readings(n, timedelta(days=30.4))]
            rows += tx.readings.add(monthly)
    for n in range(CLOSE):
        with store.writing() as tx:
            rows += tx.readings.add(_readings(n, timedelta(hours=1)))
    return rows


def _meter(number: int) -> MeterId:
    return MeterId("SEN", f"{number:08d}", "68", "07")


def _readings(number: int, every: timedelta) -> list[Reading]:
    chance, total, at = random.Random(number), number, SINCE
    source, found = Provenance(None, "roof", "sensus", "1"), []
    while at < NOW:
        value = Decimal(total).scaleb(-3)
        found.append(Reading(_meter(number), VOLUME, value, "m3", at, at, Way.RADIO, Quality.RAW, source))
        total += chance.randrange(40)
        at += every
    return found


def _asked(store: SqlStore, clock: FixedClock, what: str, query: str) -> Iterator[Figure]:
    settings = Settings()
    door = Door(
        store=store,
        secrets=SECRETS,
        clock=clock,
        utility=settings.billing.utility(ZONE),
        zone=ZoneInfo(ZONE),
        hourly_months=24,
    )
    app = customer_app(CustomerSite(door, None, "pl", [], "Bench", clock.now))
    took = sorted(asyncio.run(_ask(app, query)))
    yield Figure(f"charts: {what}, median", took[len(took) // 2] * 1000, "ms")
    yield Figure("  99 of 100 within", took[int(len(took) * 0.99)] * 1000, "ms", f"{len(took)} requests")


async def _ask(app: object, query: str) -> list[float]:
    chance, took = random.Random(3), []
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://nurt.test") as client:
        for number in range(REQUESTS + WARMING):
            n = chance.randrange(CLOSE)
            token = mint(Claims("bench", f"U-{n}", f"SP-{n}", NOW, NOW + timedelta(hours=1)), SECRETS)
            began = time.perf_counter()
            answer = await client.get(f"/{token}{query}")
            if number >= WARMING:
                took.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise SystemExit(f"bench: {answer.status_code} {answer.text[:200]}")
    return took
