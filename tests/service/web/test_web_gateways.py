"""The page of gateways, the API and the overview say how gateways are."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from metering.clock import FixedClock
from metering.ports import Outcome
from metering.store import memory_store
from metering.uplink import GatewayState, GatewayWord
from service.fleet_source import Plan, Plans
from service.web.app import create_app

Get = Callable[[str], httpx.Response]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLANS = Plans({"roof": Plan("agent", "", 17, "aa"), "loft": Plan("esphome-wmbus", "xiao-s3")})


def word(leaf: str, said: dict) -> GatewayWord:
    return GatewayWord("roof", leaf, NOW, json.dumps(said), alive=True)


HEALTH = {
    "firmware": "nurt <b>0.1.0</b>",
    "queue": 1730,
    "queue_oldest_s": 7300,
    "receivers": {"attic": {"open": False, "trouble": "/dev/ttyUSB0 is gone"}},
}


@pytest.fixture
def client() -> Iterator[Get]:
    clock = FixedClock(NOW)
    store = memory_store(clock)
    with store.writing() as tx:
        tx.ledger.count("roof", 1, {Outcome.STORED: 1}, NOW - timedelta(minutes=2))
        tx.ledger.set_gateway_state(GatewayState("roof", online=True, at=NOW))
        tx.ledger.note_alive("roof", NOW)
        tx.ledger.count("stray", 1, {Outcome.FOREIGN: 1}, NOW - timedelta(days=2))
        tx.ledger.keep_word(word("health", HEALTH))
        tx.ledger.keep_word(word("cfg/desired", {"rev": 17, "sha256": "aa"}))
        tx.ledger.keep_word(word("cfg/reported", {"rev": 17, "in_force": 16, "err": "broker.prot: unknown"}))
    app = create_app(
        store=store,
        clock=clock,
        ingest_status=None,
        zone=ZoneInfo("Europe/Warsaw"),
        plans=lambda: PLANS,
    )

    async def ask(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://nurt.test") as asking:
            return await asking.get(address)

    yield lambda address: asyncio.run(ask(address))
    store.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_shows_drift_queue_firmware_and_troubles(client: Get):
    html = client("/gateways").text
    row = re.search(r'<tr id="roof">.*?</tr>', html, re.DOTALL)
    assert row
    said = text_of(row.group())
    assert "refused revision 17" in said
    assert "broker.prot: unknown" in said
    assert "revision 16" in said
    assert "1\u202f730" in said or "1 730" in said or "1730" in said
    assert "oldest 2 h" in said
    assert "attic: /dev/ttyUSB0 is gone" in said
    assert "<b>0.1.0" not in html, "what a gateway says is never markup"


def test_the_page_lists_what_is_planned_and_never_heard_and_what_is_heard_and_not_planned(client: Get):
    text = text_of(client("/gateways").text)
    assert "loft esphome-wmbus, xiao-s3 not heard" in text
    assert "stray in no file of gateways silent" in text


def test_the_overview_names_gateways_somebody_should_look_at(client: Get):
    text = text_of(client("/").text)
    assert "Gateways somebody should look at: loft : not heard roof : online; refused revision 17;" in text
    assert "attic: /dev/ttyUSB0 is gone stray : silent" in text


def test_the_api_says_the_same(client: Get):
    found = {one["name"]: one for one in client("/api/v1/gateways").json()["gateways"]}
    assert found.keys() == {"loft", "roof", "stray"}
    roof = found["roof"]
    assert (roof["drift"], roof["drift_error"]) == ("refused", "broker.prot: unknown")
    assert (roof["revision_told"], roof["revision_in_force"], roof["queue"]) == (17, 16, 1730)
    assert roof["troubles"] == {"attic": "/dev/ttyUSB0 is gone"}
    assert found["stray"]["registered"] is False


def test_drift_is_a_metric(client: Get):
    text = client("/metrics").text
    assert 'nurt_gateway_drift{gateway="roof"} 1.0' in text
    assert 'nurt_gateway_receivers_in_trouble{gateway="roof"} 1.0' in text
