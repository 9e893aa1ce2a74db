"""Signing in to the operators' pages: who is let in, what a role may do, whose name is under a decision."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from street import Street, at, utility

from metering.billing import ExceptionState
from metering.clock import FixedClock
from metering.store import memory_store
from service.operators.book import OperatorFile, Role
from service.operators.gate import Gate, ProxyGate, SessionGate
from service.web.app import create_app

PASSWORD = "correct horse battery"
PEOPLE = {"anna": Role.OPERATOR, "jan": Role.SECOND, "ola": Role.READER}
QUESTION = "/billing/exceptions/1"


@dataclass
class Browser:
    """Asks the application in this thread and keeps its cookies."""

    app: FastAPI
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    scheme: str = "http"

    def get(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", address, **more))

    def post(self, address: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", address, **more))

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return self.post("/login", data={"name": name, "password": password, **more})

    async def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        base = f"{self.scheme}://nurt.test"
        async with httpx.AsyncClient(transport=transport, base_url=base, cookies=self.cookies) as client:
            answer = await client.request(method, address, **more)
            self.cookies = client.cookies
            return answer


@pytest.fixture
def street():
    """February is far above January."""
    clock = FixedClock(at(1))
    store = memory_store(clock)
    made = Street(store, clock, utility(four_eyes_m3=Decimal(100)))
    made.house()
    made.sends((at(1), "80"), (at(2), "100"), (at(3), "300"))
    made.close(at(1), at(2))
    made.close(at(2), at(3))
    yield made
    store.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> OperatorFile:
    made = OperatorFile(tmp_path_factory.mktemp("people") / "operators")
    for name, role in PEOPLE.items():
        made.put(name, role, PASSWORD)
    return made


def browser(street: Street, gate: Gate) -> Browser:
    zone = street.utility.rounding.zone
    return Browser(
        create_app(
            store=street.store,
            clock=street.clock,
            ingest_status=None,
            zone=zone,
            utility=street.utility,
            gate=gate,
        )
    )


@pytest.fixture
def pages(street, file) -> Browser:
    return browser(street, SessionGate(file, street.clock, timedelta(hours=10)))


def decision(**said: str) -> dict[str, str]:
    return {"reason": "pool filled", "action": "accept", **said}


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back(pages):
    sent = pages.get("/meters?after=x&limit=2")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=%2Fmeters%3Fafter%3Dx%26limit%3D2"
    asked = pages.get(sent.headers["location"])
    assert 'name="next" value="/meters?after=x&amp;limit=2"' in asked.text
    assert "/gateways" not in asked.text
    assert (
        pages.sign_in("anna", next="/meters?after=x&limit=2").headers["location"] == "/meters?after=x&limit=2"
    )
    assert pages.get("/meters").status_code == 200


@pytest.mark.parametrize("address", ["/", "/telegrams", "/billing/exceptions", "/openapi.json", "/nothing"])
def test_no_page_is_shown_to_who_is_not_signed_in(pages, address):
    assert pages.get(address).status_code == 303


@pytest.mark.parametrize("host", ["nurt.test/c/?x=", "nurt.test/login#", "nurt.test/static/x?"])
def test_a_host_header_that_looks_like_a_path_opens_nothing(pages, host):
    answer = pages.get("/meters", headers={"host": host})
    assert answer.status_code in {303, 400}
    assert "Search by number" not in answer.text


@pytest.mark.parametrize(
    "path", ["/c/../meters", "/static/../meters", "/c/%2e%2e/meters", "//meters", "/c//meters"]
)
def test_a_winding_path_opens_nothing(pages, path):
    assert "Search by number" not in pages.get(path).text


def test_programs_are_told_in_their_own_form(pages):
    refused = pages.get("/api/v1/meters")
    assert (refused.status_code, refused.json()["detail"]) == (401, "Sign in at /login first.")
    pages.sign_in("ola")
    assert pages.get("/api/v1/meters").status_code == 200


@pytest.mark.parametrize("address", ["/healthz", "/metrics", "/static/nurt.css", "/login"])
def test_what_needs_no_operator_stays_open(pages, address):
    assert pages.get(address).status_code == 200


def test_a_wrong_password_or_name_is_answered_alike_and_after_five_one_waits(pages):
    for name in ("anna", "nobody"):
        refused = pages.sign_in(name, "wrong password!")
        assert (refused.status_code, "Name or password is wrong." in refused.text) == (401, True)
        assert "set-cookie" not in refused.headers
    answers = [pages.sign_in("anna", "wrong password!") for _ in range(4)]
    assert [one.status_code for one in answers] == [401, 401, 429, 429]
    assert answers[-1].headers["retry-after"] == "10"
    assert pages.sign_in("anna").status_code == 429


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(pages):
    said = pages.sign_in("anna").headers["set-cookie"]
    assert re.search(r"nurt_operator=[^;]+; HttpOnly; Max-Age=36000; Path=/; SameSite=strict$", said)
    pages.scheme = "https"
    assert pages.sign_in("jan").headers["set-cookie"].endswith("; Secure")


def test_who_signs_out_is_out_even_with_the_old_cookie(pages):
    pages.sign_in("anna")
    kept = httpx.Cookies(pages.cookies)
    assert pages.post("/logout").headers["location"] == "/login"
    assert pages.get("/meters").status_code == 303
    pages.cookies = kept
    assert pages.get("/meters").status_code == 303


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example", "/\\evil.example", "/login", ""])
def test_signing_in_never_leads_to_another_site(pages, away):
    assert pages.sign_in("anna", next=away).headers["location"] == "/"


def test_a_link_on_another_site_is_asked_for_once_more_by_a_page_of_ours(pages):
    away = pages.get("/meters", headers={"sec-fetch-site": "cross-site"})
    assert (away.status_code, 'http-equiv="refresh"' in away.text) == (200, True)
    assert pages.get("/meters", headers={"sec-fetch-site": "same-origin"}).status_code == 303


@pytest.mark.parametrize("address", ["/login", "/logout", QUESTION])
def test_a_form_on_another_site_does_nothing(pages, address):
    pages.sign_in("anna")
    said = decision(name="anna", password=PASSWORD)
    answer = pages.post(address, data=said, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 422


def test_a_reader_looks_and_decides_nothing(pages, street):
    pages.sign_in("ola")
    assert pages.get(QUESTION).status_code == 200
    refused = pages.post(QUESTION, data=decision())
    assert refused.status_code == 403
    assert "ola may look, and decide nothing." in refused.text
    with street.store.reading() as tx:
        assert tx.billing.exception(1).state is ExceptionState.OPEN


def test_the_name_under_a_decision_is_whose_session_it_is(pages, street):
    pages.sign_in("anna")
    shown = pages.get(QUESTION).text
    assert "Decided by anna, who is signed in." in shown
    assert 'name="by"' not in shown
    assert pages.post(QUESTION, data=decision(by="somebody else")).status_code == 303
    with street.store.reading() as tx:
        asked = tx.billing.exception(1)
    assert [one.by for one in asked.decisions] == ["anna"]
    assert asked.state is ExceptionState.SECOND


def test_four_eyes_take_a_second_person_with_that_role(pages, street):
    pages.sign_in("anna")
    pages.post(QUESTION, data=decision())
    refused = pages.post(QUESTION, data=decision(action="agree"))
    assert (refused.status_code, "takes the role second" in refused.text) == (403, True)
    pages.sign_in("jan")
    assert pages.post(QUESTION, data=decision(action="agree", reason="seen")).status_code == 303
    with street.store.reading() as tx:
        asked = tx.billing.exception(1)
    assert [one.by for one in asked.decisions] == ["anna", "jan"]
    assert asked.state is ExceptionState.ACCEPTED


def test_a_proxy_names_who_it_is_and_without_a_name_nothing_is_shown(street):
    pages = browser(street, ProxyGate("x-remote-user"))
    assert pages.get("/meters").status_code == 403
    assert pages.get("/login", headers={"x-remote-user": "jan"}).status_code == 404
    shown = pages.get(QUESTION, headers={"X-Remote-User": "jan"}).text
    assert "Decided by jan" in shown
    pages.post(QUESTION, data=decision(by="x"), headers={"X-Remote-User": "jan"})
    with street.store.reading() as tx:
        assert [one.by for one in tx.billing.exception(1).decisions] == ["jan"]
