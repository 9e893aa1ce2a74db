"""Districts on pages: the list, one with picture and balance, findings that lead there."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from anomaly.plot_district import district_plot
from metering.clock import FixedClock
from metering.districts import DistrictHour, DistrictMeter
from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier
from metering.meter import Meter, MeterId
from metering.reading import Register
from metering.store import memory_store
from service.scanning_districts import DistrictState, keep_states, read_districts

BORDER = MeterId("KAM", "90000001", "1b", "16")
NAME = "Ząb / <3>"
HOURS = 24 * 65
ZONE = ZoneInfo("Europe/Warsaw")


@pytest.fixture
def now(town):
    return town.clock.now()


@pytest.fixture
def store(now):
    made = memory_store(FixedClock(now))
    begin = now - timedelta(hours=HOURS)
    state = DistrictState(now.isoformat(), 0.05, 1.5, net=True, known=1.0)
    stage = Stage(
        Tier.NOTIFY,
        "district.leak",
        now - timedelta(days=2),
        now - timedelta(days=5),
        300.0,
        9000.0,
        {"rise_percent": 6.0},
    )
    with made.writing() as tx:
        tx.registry.put_meters([Meter(BORDER)])
        tx.districts.put_meters([DistrictMeter(NAME, BORDER, 1, Register("volume"), begin)])
        tx.districts.put_hours(
            DistrictHour(NAME, begin + timedelta(hours=hour), 3600.0, 1800.0, 10, 10) for hour in range(HOURS)
        )
        keep_states(tx, {NAME: state})
        tx.findings.keep(Finding(NAME, (stage,)), now)
    yield made
    made.close()


@pytest.fixture
def page(store, app_of):
    return app_of(store)


def test_the_list_says_how_small_a_leak_shows(page):
    listed = page.get("/districts").text
    assert "Ząb / &lt;3&gt;" in listed
    assert "180 L/h (3 %)" in listed


def test_one_district_has_its_picture_balance_and_findings(page):
    address = "/districts/Z%C4%85b%20/%20%3C3%3E"
    assert 'href="/districts/Z%C4%85b%20/%20%3C3%3E"' in page.get("/districts").text
    one = page.get(address)
    assert one.status_code == 200
    assert "Leaks from 180 L/h show within five nights" in one.text
    assert "Customers&#39; use is taken off: 100 %" in one.text
    assert "(50 %)" in one.text, "half of what flows in is used"
    assert "district.leak" in one.text
    drawn = page.get("/district-night.svg", params={"name": NAME, "lang": "pl"})
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "minimalny przepływ nocny bez zużycia odbiorców" in drawn.text
    assert "Ząb / &lt;3&gt;" in drawn.text


def test_a_finding_of_a_district_leads_to_it_and_is_drawn(page):
    listed = page.get("/findings").text
    assert "/districts/Z%C4%85b%20/%20%3C3%3E" in listed
    assert page.get("/findings/1").status_code == 200
    assert page.get("/api/v1/findings/1/evidence.svg").text.count("<path") > 4


def test_what_is_not_there_is_said(page):
    assert page.get("/districts/none").status_code == 404
    assert page.get("/district-night.svg?name=none").status_code == 404


def test_there_is_a_sentence_where_there_are_no_districts(empty_web):
    assert "nurt districts import" in empty_web.get("/districts").text


def test_a_picture_of_nothing_is_empty_and_unknown_languages_are_refused(store, now):
    with store.reading() as tx:
        inflow, use = read_districts(tx, NAME, now)
        nothing, _ = read_districts(tx, "none", now)
    assert district_plot(nothing, None, (), ZONE) == ""
    with pytest.raises(InvalidValue, match="en, pl, ro"):
        district_plot(inflow, use, (), ZONE, "xx")


def test_programs_have_the_list_and_the_hours(page):
    (one,) = page.get("/api/v1/districts").json()["districts"]
    assert one["name"] == NAME
    assert (one["minimum_detectable_lps"], one["net"], one["customers"], one["open_findings"]) == (
        0.05,
        True,
        0,
        1,
    )
    (border,) = one["borders"]
    assert (border["meter"], border["register"], border["direction"]) == (str(BORDER), "volume", "in")
    found = page.get("/api/v1/district-hours", params={"name": NAME}).json()
    assert len(found["hours"]) == 24 * 7
    assert found["hours"][0]["inflow_l"] == 3600.0
    assert page.get("/api/v1/district-hours?name=none").status_code == 404
    wrong = {"name": NAME, "from": "2026-03-02", "to": "2026-03-01"}
    assert page.get("/api/v1/district-hours", params=wrong).status_code in {400, 422}
