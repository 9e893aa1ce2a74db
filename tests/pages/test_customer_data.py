"""The data behind the customers' pages: the same numbers in every form, closed to others, each look kept."""

from __future__ import annotations

import asyncio
import csv
import io
import xml.etree.ElementTree as ET
from datetime import timedelta
from decimal import Decimal

import httpx
import orjson
import pytest
from customer_house import CONTRACT, MOVED_IN, NOW, POINT

from metering.access import HOURLY, Look

MONTH = "?span=month&day=2026-03-01"
ESPI = "{http://naesb.org/espi}"


class Asking:
    """Asks the application within this process; no socket is opened."""

    def __init__(self, house) -> None:
        self.house = house

    def __call__(self, path: str = "") -> httpx.Response:
        return self.get(self.house.link() + path)

    def get(self, address: str, **more) -> httpx.Response:
        return asyncio.run(self._send("GET", address, **more))

    def post(self, address: str, **more) -> httpx.Response:
        return asyncio.run(self._send("POST", address, **more))

    async def _send(self, method: str, address: str, **more) -> httpx.Response:
        transport = httpx.ASGITransport(self.house.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://nurt.test") as client:
            return await client.request(method, address, **more)


@pytest.fixture
def ask(quiet_house):
    return Asking(quiet_house)


def test_every_form_says_the_same_numbers(ask):
    data = orjson.loads(ask(f"/data.json{MONTH}").content)
    volumes = [Decimal(str(one["volume"])) for one in data["intervals"]]
    rows = list(
        csv.DictReader(io.StringIO(ask(f"/data.csv{MONTH}").content.decode("utf-8-sig")), delimiter=";")
    )
    assert [Decimal(row["volume_m3"].replace(",", ".")) for row in rows] == volumes
    root = ET.fromstring(ask(f"/data.xml{MONTH}").content)
    first = root.find(f".//{ESPI}IntervalBlock")
    assert first is not None
    power = int(root.findtext(f".//{ESPI}powerOfTenMultiplier") or 0)
    assert [Decimal(one.text or "").scaleb(power) for one in first.iter(f"{ESPI}value")] == volumes
    page = ask(MONTH).text
    assert all(f">{volume:.3f}<".replace(".", ",") in page for volume in volumes)
    assert Decimal(str(data["total"])) == sum(volumes)
    assert [one["kind"] for one in data["intervals"]].count("gap") == 1


def test_files_hold_no_hours_unless_the_customer_agreed(ask):
    for name in ("json", "csv", "xml"):
        answer = ask(f"/data.{name}?span=day&day=2026-04-18")
        assert answer.status_code == 403
        assert answer.json()["detail"] == "hourly values need the customer's recorded consent"
    root = ET.fromstring(ask("/data.xml?span=month&day=2026-01-01").content)
    blocks = root.findall(f".//{ESPI}IntervalBlock")
    assert [len(list(block.iter(f"{ESPI}value"))) for block in blocks] == [31, 32]


def test_consent_is_kept_with_who_and_which_text(ask):
    answer = ask.post(ask.house.link() + "/consent", data={"given": "yes"})
    assert answer.status_code == 303
    assert len(ask("/data.json?span=day&day=2026-04-18").json()["intervals"]) == 24
    with ask.house.store.reading() as tx:
        (consent,) = tx.access.consents(CONTRACT)
    assert (consent.kind, consent.given, consent.by, consent.text) == (
        HOURLY,
        True,
        "page, by ebok",
        "2026-11",
    )
    assert ask.post(ask.house.link() + "/consent", data={"given": "maybe"}).status_code == 422
    assert ask.post(ask.house.link() + "/consent", content=b"x" * 10_000).status_code == 422


def test_every_look_is_written_down(ask):
    for path in (MONTH, f"/data.csv{MONTH}", "/data.json?span=year", "/data.xml"):
        assert ask(path).status_code == 200
    with ask.house.store.reading() as tx:
        looks = tx.access.looks(CONTRACT)
    assert [(one.what, one.step, one.by) for one in reversed(looks)] == [
        ("page", "day", "ebok"),
        ("csv", "day", "ebok"),
        ("json", "month", "ebok"),
        ("green button", "day", "ebok"),
    ]
    assert looks[0].at == NOW


def test_a_customer_sees_their_own_span_only(ask):
    data = ask("/data.json?first=2025-02-15&last=2025-03-20").json()
    assert data["yours_from"] == MOVED_IN.isoformat().replace("+00:00", "Z")
    assert min(one["from"] for one in data["intervals"]) == data["yours_from"]
    house = ask.house
    assert ask.get(house.link(contract="U-103") + "/data.json").json()["intervals"] == []
    for stranger in ({"contract": "U-999"}, {"service_point": "SP-8"}):
        assert ask.get(house.link(**stranger) + "/data.json").status_code == 403


def test_a_portal_s_server_asks_with_a_bearer_token(ask):
    token = ask.house.link().rpartition("/")[2]
    path = "/c/api/consumption?span=month"
    assert ask.get(path, headers={"Authorization": f"Bearer {token}"}).json()["service_point"] == POINT
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {token}"}):
        answer = ask.get(path, headers=wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


def test_only_the_utility_s_portal_may_frame_the_pages(ask):
    framed = ask().headers
    assert "frame-ancestors 'self' https://ebok.example.org" in framed["content-security-policy"]
    assert "x-frame-options" not in framed
    assert framed["referrer-policy"] == "no-referrer"
    assert framed["cache-control"] == "private, no-store"
    staff = ask.get("/").headers
    assert (staff["x-frame-options"], "frame-ancestors 'none'" in staff["content-security-policy"]) == (
        "DENY",
        True,
    )


@pytest.mark.parametrize(
    "query", ["?span=x", "?day=2026-99-99", "?nonsense=1", "?first=2026-01-02&last=2026-01-01"]
)
def test_what_cannot_be_shown_is_refused_politely(ask, query):
    page = ask(query)
    assert page.status_code == 422
    assert "Sprawdź wybrany okres" in page.text
    answer = ask(f"/data.json{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_an_hour_is_too_old_after_its_retention(ask):
    ask.post(ask.house.link() + "/consent", data={"given": "yes"})
    old = (NOW - timedelta(days=380)).date().isoformat()
    assert ask(f"/data.json?span=day&day={old}").status_code == 403
    assert ask(f"/data.json?span=month&day={old}").status_code == 200


def test_names_from_outside_never_become_markup(ask):
    with ask.house.store.writing() as tx:
        (point,) = tx.registry.service_points([POINT]).values()
        tx.registry.put_service_points([type(point)(POINT, "<script>alert(1)</script>")])
    assert "<script>alert" not in ask().text


def test_looks_go_when_their_time_is_over(ask):
    old = Look(CONTRACT, POINT, NOW - timedelta(days=731), "ebok", "page", NOW, NOW, "day")
    with ask.house.store.writing() as tx:
        tx.access.add_look(old)
    ask()
    with ask.house.store.reading() as tx:
        assert [one.at for one in tx.access.looks(CONTRACT)] == [NOW]
