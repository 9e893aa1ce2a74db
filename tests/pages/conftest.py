"""A real server and Debian's Chromium for the pages people look at."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from customer_house import CONTRACT, NOW, POINT, build
from fastapi import FastAPI
from operators_street import PASSWORD, PEOPLE, bill
from playwright.sync_api import Browser, Page, sync_playwright
from street import Street, at, utility

from metering.clock import FixedClock
from metering.ports import Store
from metering.store import memory_store
from service.billing_self_reading import SelfReadings
from service.customers.app import customer_app
from service.customers.door import Door
from service.customers.site import CustomerSite
from service.customers.token import Claims, Secrets, mint
from service.operators.book import OperatorFile
from service.operators.gate import SessionGate
from service.settings_model import Settings
from service.web.app import create_app

CHROMIUM = Path("/usr/bin/chromium")
SECRETS = Secrets({"ebok": bytes(32)})
ZONE = "Europe/Warsaw"


@dataclass
class House:
    """The house on a server: its store, its address."""

    store: Store
    app: FastAPI
    base: str = ""

    def link(self, **claims) -> str:
        said = {"portal": "ebok", "contract": CONTRACT, "service_point": POINT, **claims}
        made = Claims(issued_at=NOW, expires_at=NOW + timedelta(hours=1), **said)
        return f"{self.base}/c/{mint(made, SECRETS)}"


def house_of(store: Store) -> House:
    """Put the customers' pages over a store."""
    settings, clock = Settings(), FixedClock(NOW)
    door = Door(
        store=store,
        secrets=SECRETS,
        clock=clock,
        utility=settings.billing.utility(ZONE),
        zone=ZoneInfo(ZONE),
        hourly_months=12,
    )
    readings = SelfReadings(store, settings, clock)
    embed = ["https://ebok.example.org"]
    customers = customer_app(CustomerSite(door, readings, "pl", embed, "Wodociągi", clock.now))
    app = create_app(store=store, clock=clock, ingest_status=None, zone=ZoneInfo(ZONE), customers=customers)
    return House(store, app)


@pytest.fixture
def quiet_house() -> Iterator[House]:
    """The house without a server; for tests that ask it within this process."""
    store = memory_store(FixedClock(NOW))
    build(store)
    yield house_of(store)
    store.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application as long as the block lasts; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """The house on a server of this process."""
    store = memory_store(FixedClock(NOW))
    build(store)
    made = house_of(store)
    with served(made.app) as made.base:
        yield made
    store.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The operators' pages on a server of this process: a street billed up to April, people who sign in."""
    clock = FixedClock(at(1))
    store = memory_store(clock)
    street = Street(store, clock, utility(four_eyes_m3=Decimal(50)))
    bill(street)
    file = OperatorFile(tmp_path_factory.mktemp("desk") / "operators")
    for name, role in PEOPLE.items():
        file.put(name, role, PASSWORD)
    gate = SessionGate(file, clock, timedelta(hours=10))
    app = create_app(
        store=store,
        clock=clock,
        ingest_status=None,
        zone=ZoneInfo(ZONE),
        title="Wodociągi",
        utility=street.utility,
        gate=gate,
    )
    with served(app) as base:
        yield base
    store.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    yield opened
    context.close()
