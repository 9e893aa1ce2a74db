"""A small utility with everything a page can show, and a client that opens no sockets."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI

from decoders.build import build
from metering.clock import FixedClock
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.ports import NewTelegram, Outcome, Quarantined, Store, TelegramState, Transaction
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store
from metering.uplink import ClockSource, GatewayState, Reception
from service.web.app import IngestStatus, create_app

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 3, 30, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
PAYLOAD = bytes.fromhex("0413181e00004413e8030000426c1f3c02fd170000")  # 7.704 m3, 1 m3 at the due date


@dataclass(frozen=True)
class Client:
    """Asks an application in this thread, without a server."""

    app: FastAPI

    def get(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", address, **more))

    def post(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", address, **more))

    async def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://nurt.test") as client:
            return await client.request(method, address, **more)


@dataclass(frozen=True)
class Town:
    """What is in the store."""

    store: Store
    clock: FixedClock
    telegrams: dict[MeterId, int]


PLAIN = MeterId.parse("KAM-11223344-1b-16")
"""Registered, hourly readings for 40 days with a gap and a fall."""
SECRET = MeterId.parse("SEN-55667788-68-07")
"""Registered, encrypted, its key is in store."""
KEYLESS = MeterId.parse("DME-99001122-70-07")
"""Registered, encrypted, no key."""
STRANGER = MeterId.parse("TCH-31415926-74-72")
"""Not registered."""
GAP = (datetime(2026, 3, 20, 15, tzinfo=UTC), datetime(2026, 3, 22, 9, tzinfo=UTC))
FALL = datetime(2026, 3, 26, 12, tzinfo=UTC)
FIRST = datetime(2026, 2, 18, 23, tzinfo=UTC)
LABEL = 'House <b>7</b> & "Co"'


def index_at(at: datetime) -> Decimal:
    """Ten litres an hour, five more in the evening; five cubic metres lost at the fall."""
    hours = int((at - FIRST) / HOUR)
    litres = sum(15 if (23 + n) % 24 >= 17 else 10 for n in range(hours))
    return Decimal(100) + Decimal(litres).scaleb(-3) - (5 if at >= FALL else 0)


def readings_of_plain(telegram: int) -> list[Reading]:
    hours = int((NOW - FIRST) / HOUR) + 1
    times = [FIRST + n * HOUR for n in range(hours)]
    kept = [at for at in times if not GAP[0] < at < GAP[1]]
    return [reading(PLAIN, at, index_at(at), telegram) for at in kept]


def reading(meter: MeterId, at: datetime, value: Decimal, telegram: int | None = None) -> Reading:
    provenance = Provenance(telegram, "gw-north", None, "1")
    register = Register("volume")
    return Reading(meter, register, value, "m3", at, at, Way.RADIO, Quality.RAW, provenance)


def heard(meter: MeterId, frame: bytes, state: TelegramState, reason: str = "") -> NewTelegram:
    digest = hashlib.blake2b(frame, digest_size=16).digest()
    seq = int.from_bytes(digest[:2], "big")
    first = Reception("gw-north", NOW - HOUR, NOW - HOUR, ClockSource.NTP, -71, "T1", "9f3a11c2", seq)
    second = replace(first, gateway="gw-south", rssi_dbm=-93, boot="77aa00bb")
    return NewTelegram(meter, frame, digest, state, reason, [(first, None), (second, None)])


def fill(store: Store) -> dict[MeterId, int]:
    """Put the town into a store; gives the archive number of each meter's telegram."""
    told = [
        heard(PLAIN, build(PLAIN, PAYLOAD, access=1), TelegramState.STORED),
        heard(SECRET, build(SECRET, PAYLOAD, mode=5, key=KEY, access=2), TelegramState.STORED),
        heard(KEYLESS, build(KEYLESS, PAYLOAD, mode=5, key=KEY, access=3), TelegramState.HELD, "missing_key"),
        heard(STRANGER, build(STRANGER, PAYLOAD, access=4), TelegramState.FOREIGN),
    ]
    with store.writing() as tx:
        tx.registry.put_meters(
            [
                Meter(PLAIN, "cold water", LABEL),
                Meter(SECRET, "water", "Pump house"),
                Meter(KEYLESS, "water", ""),
            ]
        )
        tx.registry.put_service_points([ServicePoint("SP-1", "ul. Długa 7, Dolna", "Dolna", "R1")])
        tx.registry.put_installations([Installation(PLAIN, "SP-1", FIRST)])
        tx.keyring.put([(SECRET, KEY)])
        numbers = dict(zip((PLAIN, SECRET, KEYLESS, STRANGER), tx.archive.add(told), strict=True))
        tx.readings.add(readings_of_plain(numbers[PLAIN]))
        tx.readings.add([reading(SECRET, NOW - HOUR, Decimal("7.704"), numbers[SECRET])])
        _account(tx)
    return numbers


def _account(tx: Transaction) -> None:
    ended = {
        Outcome.STORED: 2,
        Outcome.DUPLICATE: 4,
        Outcome.HELD: 1,
        Outcome.FOREIGN: 1,
        Outcome.QUARANTINED: 1,
    }
    tx.ledger.count("gw-north", 9, ended, NOW - HOUR)
    tx.ledger.count("gw-south", 4, {Outcome.DUPLICATE: 4}, NOW - HOUR)
    tx.ledger.set_gateway_state(GatewayState("gw-north", online=True, at=NOW - HOUR))
    payload = b"<script>alert(1)</script>" + bytes(range(16))
    tx.ledger.quarantine(
        [
            Quarantined(
                0,
                "gw-north",
                "amr/1/gw-north/up",
                "bad_json",
                "not JSON: <script>",
                payload,
                len(payload),
                NOW - HOUR,
            )
        ]
    )


def status(**changes: object) -> IngestStatus:
    usual = IngestStatus(True, 3, 0.25, 13, 5, NOW - timedelta(seconds=2))
    return replace(usual, **changes)  # type: ignore[arg-type]  # tests name real fields


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    """One store for all tests: they only read it."""
    clock = FixedClock(NOW)
    store = memory_store(clock, lambda: bytes(32))
    yield Town(store, clock, fill(store))
    store.close()


@pytest.fixture
def app_of() -> Callable[..., Client]:
    """Make a client of an application over a store."""

    def make(store: Store, ingest_status: Callable[[], IngestStatus] | None = status) -> Client:
        return Client(
            create_app(store=store, clock=FixedClock(NOW), ingest_status=ingest_status, zone=WARSAW)
        )

    return make


@pytest.fixture
def web(town: Town, app_of: Callable[..., Client]) -> Client:
    return app_of(town.store)


@pytest.fixture
def empty_web(app_of: Callable[..., Client]) -> Iterator[Client]:
    store = memory_store(FixedClock(NOW))
    yield app_of(store, None)
    store.close()
