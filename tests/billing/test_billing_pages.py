"""The queue of questions on pages: shown with its evidence, decided by name and reason."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from street import Street, at, utility

from metering.billing import ExceptionState
from metering.clock import FixedClock
from metering.store import memory_store
from service.web.app import create_app

KEY = "br:wod:SP1%2Fvolume:2026-02-01..2026-03-01:1"


@dataclass(frozen=True)
class Client:
    """Asks the application in this thread, without a server."""

    app: FastAPI

    def get(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", address, **more))

    def post(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", address, **more))

    async def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://nurt.test") as client:
            return await client.request(method, address, **more)


@pytest.fixture
def street():
    """February is far above January; March was not read."""
    clock = FixedClock(at(1))
    store = memory_store(clock)
    made = Street(store, clock, utility(four_eyes_m3=Decimal(500)))
    made.house()
    made.sends((at(1), "80"), (at(2), "100"), (at(3), "300"))
    made.close(at(1), at(2))
    made.close(at(2), at(3))
    yield made
    store.close()


@pytest.fixture
def pages(street) -> Client:
    zone = street.utility.rounding.zone
    app = create_app(
        store=street.store, clock=street.clock, ingest_status=None, zone=zone, utility=street.utility
    )
    return Client(app)


def test_the_queue_lists_what_waits(pages):
    shown = pages.get("/billing/exceptions").text
    assert "Much more was used than usual." in shown
    assert "2026-02-01..2026-03-01" in shown


def test_a_question_shows_its_evidence_and_what_may_be_done(pages):
    shown = pages.get("/billing/exceptions/1").text
    for told in ("rules R9 expected_m3", "200 m³", "100 → 300 m³", "Łąkowa 1", "Send a reader", "Accept"):
        assert told in shown
    assert pages.get("/billing/exceptions/99").status_code == 404


def test_a_decision_is_booked_with_name_and_reason(pages, street):
    said = {"by": "A. Kos", "reason": "pool <filled>", "action": "accept"}
    answer = pages.post("/billing/exceptions/1", data=said)
    assert (answer.status_code, answer.headers["location"]) == (303, "/billing/exceptions/1")
    shown = pages.get("/billing/exceptions/1").text
    assert "pool &lt;filled&gt;" in shown
    assert "What is to be done?" not in shown
    street.send()
    assert list(street.books.in_force.values()) == [20, 200]


def test_an_index_is_put_by_hand(pages, street):
    said = {"by": "A. Kos", "reason": "photo", "action": "edit", "index_m3": "118,5"}
    assert pages.post("/billing/exceptions/1", data=said).status_code == 303
    assert street.volumes() == [20, 18]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"action": "accept", "reason": "r"}, "a decision needs a name"),
        ({"action": "accept", "by": "K"}, "a decision needs a reason"),
        ({"action": "dance", "by": "K", "reason": "r"}, "nobody said what to do"),
        ({"action": "edit", "by": "K", "reason": "r", "index_m3": "many"}, "is not an index like"),
        ({"action": "edit", "by": "K", "reason": "r", "index_m3": "99"}, "below the 100 m3 at the start"),
        ({"action": "agree", "by": "K", "reason": "r"}, "waits for nobody to agree"),
        ({"action": "accept", "by": "K", "reason": "r" * 9000}, "the form is longer than"),
    ],
)
def test_what_cannot_be_decided_so_is_one_sentence(pages, street, said, sentence):
    answer = pages.post("/billing/exceptions/1", data=said)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert len(street.questions(ExceptionState.OPEN)) == 1


def test_another_site_decides_nothing(pages, street):
    said = {"by": "K", "reason": "r", "action": "reject"}
    answer = pages.post("/billing/exceptions/1", data=said, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 422
    assert len(street.questions(ExceptionState.OPEN)) == 1


def test_the_evidence_is_a_page_to_print(pages):
    shown = pages.get("/billing/evidence", params={"key": KEY})
    assert shown.status_code == 200
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert f"Evidence of {KEY}" in shown.text
    assert "telegram removed by retention" in shown.text, "these readings were made without one"
    assert pages.get("/billing/evidence", params={"key": "br:none"}).status_code == 404


def test_what_does_not_agree_and_what_is_overdue_is_an_alarm_above_the_queue(pages, street):
    from datetime import date

    from metering.billing import ExceptionKind, NewException
    from metering.orders import NewOrder

    assert 'role="alert"' not in pages.get("/billing/exceptions").text
    asked = NewException(
        "SP1", "volume", "2026-01", at(1), at(2), ExceptionKind.RECONCILIATION, "The chart shows 9 m3."
    )
    with street.store.writing() as tx:
        tx.billing.ask([asked], at(3))
        tx.orders.place([NewOrder("SP1", date(2026, 2, 1), "dial <b>hidden</b>", "A. Kos")], at(1))
    shown = pages.get("/billing/exceptions").text
    assert "1 billed reads do not agree" in shown
    assert "1 reading orders are overdue." in shown
    assert "overdue since 2026-02-01" in pages.get("/billing/exceptions/1").text
    orders = pages.get("/billing/orders").text
    assert "overdue since 2026-02-01" in orders
    assert "dial &lt;b&gt;hidden&lt;/b&gt;" in orders
    assert pages.get("/billing/orders?show=all").status_code == 200
    metrics = pages.get("/metrics").text
    assert "nurt_billing_disagreements 1.0" in metrics
    assert 'nurt_billing_orders{state="overdue"} 1.0' in metrics


def test_what_rules_found_is_listed_and_stands_beside_the_question(pages, street):
    from billing_bridge.arriving import Arrivals

    assert "Nothing was raised." in pages.get("/billing/checks").text
    street.sends((at(2, 10), "90000"))
    Arrivals(street.store, street.utility, street.clock).run()
    shown = pages.get("/billing/checks").text
    assert "90000 m³: More than the meter can pass." in shown
    assert "IEC 61968-9 3.5.256, ESPI 10" in shown
    assert "90000 m³, More than the meter can pass." in pages.get("/billing/exceptions/1").text


def test_a_reader_is_sent_by_a_day_from_the_page(pages, street):
    said = {"by": "A. Kos", "reason": "look at it", "action": "reader"}
    assert pages.post("/billing/exceptions/1", data=said | {"due": "soon"}).status_code == 422
    assert pages.post("/billing/exceptions/1", data=said | {"due": "2026-01-01"}).status_code == 422
    assert pages.post("/billing/exceptions/1", data=said | {"due": "2026-04-01"}).status_code == 303
    assert "A reader is ordered till 2026-04-01 (order 1)." in pages.get("/billing/exceptions/1").text
    with street.store.reading() as tx:
        assert tx.orders.order(1).about.question == 1
