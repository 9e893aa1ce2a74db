"""Findings on pages and for programs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from metering.clock import FixedClock
from metering.finding import Finding, Stage, Tier
from metering.meter import Meter, MeterId
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store
from service.anomaly_money import Loss, Tariff, loss_so_far

METER = MeterId("KAM", "76348799", "1b", "16")


@pytest.fixture
def leaky(now):
    """A store with a leak of 10 L/h, told five hours ago, over readings of two days; and a district's."""
    store = memory_store(FixedClock(now))
    stage = Stage(
        Tier.NOTIFY, "leak.continuous", now - timedelta(hours=5), now - timedelta(hours=25), 10.0, 200.0
    )
    source = Provenance(None, "roof", None, "1")
    readings = [
        Reading(METER, Register("volume"), Decimal(hour) / 100, "m3", at, at, Way.RADIO, Quality.RAW, source)
        for hour in range(48)
        for at in [now - timedelta(hours=48 - hour)]
    ]
    evidence = {"rise_percent": 6.0}
    district = replace(stage, name="district.leak", tier=Tier.DISPATCH, evidence=evidence)
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
        tx.readings.add(readings)
        tx.findings.keep(Finding(str(METER), (stage,)), now)
        tx.findings.keep(Finding("DMA <b>", (district,)), now)
    yield store
    store.close()


@pytest.fixture
def now(town):
    return town.clock.now()


@pytest.fixture
def page(leaky, app_of):
    return app_of(leaky)


def test_the_list_shows_open_findings_and_filters_by_tier_and_class(page):
    whole = page.get("/findings").text
    assert "Water has been running without a pause" in whole
    assert "DMA &lt;b&gt;" in whole, "texts from outside stay texts"
    assert "district.leak" not in page.get("/findings?class=leak").text
    assert "leak.continuous" not in page.get("/findings?tier=dispatch").text
    assert "No findings" in page.get("/findings?state=confirmed").text


def test_a_finding_says_itself_in_three_languages(page):
    for language, word in (("en", "leak"), ("pl", "wyciek"), ("ro", "pierdere")):
        assert word in page.get(f"/findings/1?lang={language}").text
    assert "wyciek" in page.get("/findings/1", headers={"accept-language": "de,pl;q=0.8"}).text


def test_a_finding_of_a_meter_has_its_picture_and_a_districts_has_none(page):
    drawn = page.get("/api/v1/findings/1/evidence.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert drawn.text.startswith("<svg")
    assert "evidence.svg" in page.get("/findings/1").text
    assert page.get("/api/v1/findings/2/evidence.svg").status_code == 404
    assert "evidence.svg" not in page.get("/findings/2").text


def test_the_buttons_book_a_verdict_with_name_and_reason(page):
    form = {"state": "dismissed", "by": "Anna", "reason": "garden"}
    answer = page.post("/findings/1", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/findings/1")
    shown = page.get("/findings/1").text
    assert "dismissed, Anna: garden" in shown
    assert page.get("/api/v1/findings/1").json()["state"] == "dismissed"


@pytest.mark.parametrize(
    "form",
    [{"state": "dismissed", "by": "Anna"}, {"state": "confirmed", "by": " "}, {"state": "x", "by": "Anna"}],
)
def test_a_verdict_without_name_reason_or_sense_is_refused(page, form):
    assert page.post("/findings/1", data=form).status_code == 422
    assert page.get("/api/v1/findings/1").json()["state"] == "new"


def test_another_site_cannot_judge(page):
    form = {"state": "confirmed", "by": "Anna"}
    assert page.post("/findings/1", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 422


def test_programs_get_findings_with_stages_and_book_verdicts(page):
    listed = page.get("/api/v1/findings?tier=dispatch").json()
    assert [one["subject"] for one in listed["findings"]] == ["DMA <b>"]
    one = page.get("/api/v1/findings/1?lang=pl").json()
    assert one["text"].startswith("Od ")
    assert one["lost_l"] == 250
    assert one["stages"][0]["tier"] == "notify"
    said = page.post("/api/v1/findings/1/verdicts", json={"state": "acknowledged", "by": "crm"})
    assert said.json()["state"] == "acknowledged"
    assert page.get("/api/v1/findings/1/verdicts").json()[0]["by"] == "crm"
    assert page.get("/api/v1/findings/99").status_code == 404
    assert (
        page.post("/api/v1/findings/99/verdicts", json={"state": "confirmed", "by": "x"}).status_code == 404
    )


def test_the_meters_page_shows_its_open_findings(page):
    shown = page.get(f"/meters/{METER}").text
    assert "Open findings" in shown
    assert 'href="/findings/1"' in shown


def test_money_is_litres_times_the_price_and_stops_with_the_finding(leaky, now):
    with leaky.reading() as tx:
        finding = tx.findings.finding(1).finding
    tariff = Tariff(Decimal("4.00"), "PLN")
    assert loss_so_far(finding, now, tariff) == Loss(250, Decimal("1.00"), "PLN")
    over = replace(finding, cleared_at=now - timedelta(hours=3))
    assert loss_so_far(over, now, None) == Loss(220, None, "")
    flowless = replace(finding, stages=(replace(finding.stages[0], loss_l=None),))
    assert loss_so_far(flowless, now, tariff) is None
