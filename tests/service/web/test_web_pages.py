"""Facts of the pages: whole without a script, safe with any text, readable by machines that read aloud."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from metering.clock import FixedClock
from metering.meter import Meter, MeterId
from metering.ports import GatewayRow, Outcome
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store

PLAIN, SECRET, KEYLESS = "KAM-11223344-1b-16", "SEN-55667788-68-07", "DME-99001122-70-07"
PAGES = [
    "/",
    "/fragments/overview",
    "/meters",
    "/meters?search=pump&page=1",
    "/meters?page=99",
    *(f"/meters/{PLAIN}?span={span}&day=2026-03-20" for span in ("day", "week", "month", "year")),
    f"/meters/{PLAIN}?span=week&step=hour",
    f"/meters/{PLAIN}?day=1999-01-01",
    f"/meters/{PLAIN}?register=volume_flow",
    f"/meters/{SECRET}",
    f"/meters/{KEYLESS}",
    "/telegrams",
    "/telegrams?state=held",
    f"/telegrams?meter={PLAIN}",
    *(f"/telegrams/{number}" for number in range(1, 5)),
    "/gateways",
    "/quarantine",
    "/quarantine/1",
    "/api/docs",
]
VOID = {"meta", "link", "br", "input"}


class Checker(HTMLParser):
    """Collects what a browser or a screen reader would trip over."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.inputs: set[str] = set()
        self.captions = self.tables = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.labels |= {given["for"]} if tag == "label" else set()
        self.inputs |= {given["id"]} if tag == "input" else set()
        self.captions += tag == "caption"
        self.tables += tag == "table"
        if tag == "script" and "src" not in given:
            self.faults.append("inline script")
        self.faults += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            if not (given.get(name) or "/").startswith(("/", "#")):
                self.faults.append(f"{name} leads elsewhere: {given[name]}")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_well_formed_self_contained_and_labelled(web, address):
    answer = web.get(address)
    assert answer.status_code == 200, answer.text[:300]
    checker = Checker()
    checker.feed(answer.text)
    assert checker.faults == []
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert checker.inputs <= checker.labels
    assert checker.captions == checker.tables


@pytest.mark.parametrize("address", [page for page in PAGES if not page.startswith("/fragments")])
def test_a_page_has_language_title_skip_link_and_one_main_heading(web, address):
    text = web.get(address).text
    assert '<html lang="en">' in text
    assert '<a class="skip" href="#content">' in text
    assert text.count("<h1>") == text.count('<main id="content"') == 1
    assert re.search(r"<title>[^<]+ · Nurt</title>", text)


@pytest.mark.parametrize(
    "address", ["/", "/meters", "/api/v1/gateways", "/nope", "/static/nurt.css", "/healthz"]
)
def test_every_answer_carries_the_security_headers(web, address):
    headers = web.get(address).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("address", ["/", "/meters", "/telegrams", "/gateways", "/quarantine"])
def test_an_empty_system_says_that_there_is_nothing_yet(empty_web, address):
    answer = empty_web.get(address)
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


def test_texts_from_outside_are_never_markup(web):
    for address in ("/meters", f"/meters/{PLAIN}"):
        text = web.get(address).text
        assert "House &lt;b&gt;7&lt;/b&gt; &amp; &#34;Co&#34;" in text
        assert "<b>7" not in text
    for address in ("/quarantine", "/quarantine/1"):
        assert "not JSON: &lt;script&gt;" in web.get(address).text
    assert "<script>alert" not in web.get("/meters?search=%3Cscript%3Ealert(1)%3C/script%3E").text


def test_the_overview_shows_the_account_and_what_it_adds_up_to(web):
    text = web.get("/").text
    tiles = dict(re.findall(r'tile-name">(\w+)</span><span class="tile-number num">(\d+)<', text))
    counts = {name: int(count) for name, count in tiles.items()}
    assert counts.pop("Received") == sum(counts.values()) == 13
    assert len(counts) == 5
    assert "does not add up" not in text


def test_an_account_that_does_not_add_up_is_told(town, app_of):
    row = GatewayRow("gw", None, None, None, 5, {Outcome.STORED: 3})
    text = app_of(Unbalanced(town.store, row)).get("/").text
    assert "2 items are missing from it" in text


class Unbalanced:
    """A store that dropped items; the real one refuses to."""

    def __init__(self, store, row) -> None:
        self._store = store
        self._ledger = SimpleNamespace(gateways=lambda: [row], words=list)

    @contextmanager
    def reading(self):
        with self._store.reading() as tx:
            yield SimpleNamespace(ledger=self._ledger, registry=tx.registry, archive=tx.archive)


def test_the_fragment_is_the_live_part_of_the_overview(web):
    fragment = web.get("/fragments/overview").text
    assert fragment.strip() in web.get("/").text
    assert "<html" not in fragment


def test_the_meter_page_shows_chart_table_and_legend_of_the_same_numbers(web):
    text = web.get(f"/meters/{PLAIN}?span=month&day=2026-03-01").text
    assert text.count('class="chart chart-wide"') == text.count('class="chart chart-narrow"') == 2
    for words in ("metered", "partly covered by readings", "index fell", "only the total is known"):
        assert words in text
    columns = len(re.findall(r'<rect class="col-', text.split("chart-narrow")[0]))
    rows = len(re.findall(r'<tr class="row-', text))
    gaps = len(re.findall(r'<tr class="row-gap', text))
    assert (columns + gaps, gaps) == (rows, 1)
    assert "\N{MINUS SIGN}4.725" in text


def test_the_csv_links_of_the_meter_page_lead_to_the_numbers_it_shows(web):
    text = web.get(f"/meters/{PLAIN}?span=month&day=2026-03-01").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/api/v1/[^"]+\.csv[^"]*)"', text)]
    assert len(links) == 2
    consumption = web.get(links[0]).text.splitlines()
    assert len(consumption) - 1 == len(re.findall(r'<tr class="row-', text))
    assert web.get(links[1]).status_code == 200


def test_previous_and_next_lead_to_the_neighbouring_months(web):
    text = web.get(f"/meters/{PLAIN}?span=month&day=2026-03-15").text
    assert "span=month&amp;day=2026-02-28" in text
    assert "span=month&amp;day=2026-04-01" in text


def test_a_telegram_shows_every_byte_and_marks_what_was_encrypted(web, town):
    text = web.get(f"/telegrams/{town.telegrams[MeterId.parse(SECRET)]}").text
    assert "decrypted" in text
    assert "total_m3" in text
    assert "7.704" in text
    assert "-71 dBm" in text
    with town.store.reading() as tx:
        frame = tx.archive.telegram(town.telegrams[MeterId.parse(SECRET)]).frame
    shown = re.findall(r'<a class="bytes[^>]*>([0-9a-f ]+)</a>', text)
    assert bytes.fromhex("".join(shown)) == frame


def test_a_telegram_names_model_and_fields_and_counts_what_is_understood(web, town):
    text = web.get(f"/telegrams/{town.telegrams[MeterId.parse(SECRET)]}").text
    assert re.search(r"Meter model</dt><dd[^>]*>iperl</dd>", text)
    assert '<span class="id small">total_m3</span>' in text
    size = int(re.search(r">([0-9]+) B</dd>", text)[1])
    counts = re.search(r">([0-9]+) / ([0-9]+) / ([0-9]+) B ", text).groups()
    assert sum(map(int, counts)) == size


def test_a_held_telegram_says_why(web, town):
    text = web.get(f"/telegrams/{town.telegrams[MeterId.parse(KEYLESS)]}").text
    assert "no key is known" in text
    assert "not understood" in text


def test_a_foreign_meter_is_not_a_link_to_a_page_that_is_not_there(web, town):
    text = web.get(f"/telegrams/{max(town.telegrams.values())}").text
    assert "TCH-31415926-74-72" in text
    assert 'href="/meters/TCH' not in text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nope", 404, "There is nothing at this address."),
        ("/meters/KAM-00000000-1b-16", 404, "is not in the registry"),
        ("/meters/KAM", 422, "KAM-76348799-1b-16"),
        (f"/meters/{PLAIN}?span=decade", 422, "span"),
        (f"/meters/{PLAIN}?day=2026-13-01", 422, "is not a date"),
        (f"/meters/{PLAIN}?day=0001-01-01", 422, "is not between 1990 and 2200"),
        ("/telegrams/77", 404, "There is no telegram 77."),
        ("/telegrams?state=lost", 422, "state"),
        ("/quarantine/77", 404, "There is no quarantined item 77."),
        ("/meters?page=0", 422, "page"),
    ],
)
def test_a_wrong_address_gets_a_page_with_one_sentence(web, address, status, words):
    answer = web.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text


@pytest.mark.parametrize("name", ["nurt.css", "live.js", "nurt.svg"])
def test_static_files_are_served(web, name):
    assert web.get(f"/static/{name}").status_code == 200


def test_a_year_of_hourly_readings_is_a_page_by_days(town, app_of):
    store = memory_store(FixedClock(town.clock.now()))
    meter, begin = MeterId.parse(PLAIN), town.clock.now() - timedelta(days=365)
    with store.writing() as tx:
        tx.registry.put_meters([Meter(meter)])
        tx.readings.add([hourly(meter, begin + timedelta(hours=n), n) for n in range(8760)])
    client = app_of(store)
    address = f"/meters/{PLAIN}?span=year&day=2025-06-01&step=day"
    assert client.get(address).text.count('<rect class="col-') > 2 * 270
    store.close()


def hourly(meter, at, n):
    provenance = Provenance(None, "gw-north", None, "1")
    value = Decimal(n * 13).scaleb(-3)
    return Reading(meter, Register("volume"), value, "m3", at, at, Way.PULSE, Quality.RAW, provenance)
