"""Coverage, gaps and meters of others: pages and API."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("address", ["/coverage", "/coverage?days=1", "/foreign", "/gateways"])
def test_pages_show_on_a_full_and_on_an_empty_store(web, empty_web, address):
    assert web.get(address).status_code == 200
    assert empty_web.get(address).status_code == 200


def test_the_page_tells_the_share_that_was_read(web):
    text = web.get("/coverage").text
    assert "2 of 3 meters read:" in text
    assert "66.7 %" in text
    assert "KAM-11223344-1b-16" not in text.split("Silent meters")[0].split("Meters only one")[0]


def test_the_api_tells_coverage_by_route_district_and_gateway(web):
    told = web.get("/api/v1/coverage").json()
    assert (told["meters"], told["read"], told["window_days"]) == (3, 2, 3)
    assert {row["group"]: (row["meters"], row["read"]) for row in told["districts"]} == {
        "": (2, 1),
        "Dolna": (1, 1),
    }
    assert [(row["gateway"], row["meters"], row["alone"]) for row in told["gateways"]] == [
        ("gw-north", 3, 0),
        ("gw-south", 3, 0),
    ]
    assert told["gateways"][0]["mean_rssi_dbm"] == -71


def test_a_meter_not_registered_is_a_row_of_the_foreign_page_and_of_the_api(web):
    assert "TCH-31415926-74-72" in web.get("/foreign").text
    told = web.get("/api/v1/foreign").json()
    assert told["total"] == 1
    (row,) = told["meters"]
    assert (row["meter_id"], row["heard"], row["gateways"]) == (
        "TCH-31415926-74-72",
        2,
        ["gw-north", "gw-south"],
    )
    assert (row["best_rssi_dbm"], row["kept"]) == (-71, 1)


def test_gaps_of_a_gateway_are_told(web):
    told = web.get("/api/v1/gaps?gateway=gw-north").json()["gaps"]
    assert len(told) >= 3
    assert all(gap["missing"] == gap["last"] - gap["first"] + 1 for gap in told)
    assert web.get("/api/v1/gaps?gateway=nobody").json() == {"gaps": []}
    assert "Numbers that never came" in web.get("/gateways").text


def test_the_signal_of_a_meter_is_told_by_day_and_gateway(web):
    rows = web.get("/api/v1/meters/KAM-11223344-1b-16/signal").json()["signals"]
    assert [(row["day"], row["gateway"], row["mean_rssi_dbm"]) for row in rows] == [
        ("2026-03-30", "gw-north", -71),
        ("2026-03-30", "gw-south", -93),
    ]
    assert web.get("/api/v1/meters/KAM-99999999-1b-16/signal").status_code == 404


def test_the_condition_of_a_gateway_is_judged_now(web):
    """Both were heard an hour ago; what one said of itself then does not make it look alive."""
    rows = web.get("/api/v1/gateways").json()["gateways"]
    assert {row["name"]: row["condition"] for row in rows} == {"gw-north": "silent", "gw-south": "silent"}


def test_the_page_of_a_meter_shows_who_hears_it_how_well(web):
    text = web.get("/meters/KAM-11223344-1b-16").text
    assert "How each gateway heard it" in text
    assert "-93 dBm" in text
