"""Facts of the JSON API: exact numbers, clear refusals, nothing secret."""

from __future__ import annotations

import csv
import io
import json
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from metering.clock import FixedClock
from metering.errors import KeyringError, StoreUnavailable
from metering.meter import Meter, MeterId
from metering.store import memory_store

PLAIN, SECRET, KEYLESS = "KAM-11223344-1b-16", "SEN-55667788-68-07", "DME-99001122-70-07"
KEY = "00112233445566778899aabbccddeeff"


def exact(answer):
    """Read JSON with numbers as decimals: what binary floats would have hidden is seen."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    return body["detail"]


# --- meters --------------------------------------------------------------------------------------


def test_meters_are_listed_with_their_newest_index(web):
    body = exact(web.get("/api/v1/meters"))
    assert body["total"] == 3
    plain = next(row for row in body["meters"] if row["meter_id"] == PLAIN)
    assert plain["label"] == 'House <b>7</b> & "Co"'
    assert plain["address"] == "ul. Długa 7, Dolna"
    assert plain["last_index"]["register"] == "volume"
    assert plain["last_index"]["measured_at"] == "2026-03-30T10:00:00Z"


def test_search_takes_its_characters_literally(web):
    assert exact(web.get("/api/v1/meters?search=pump"))["total"] == 1
    assert exact(web.get("/api/v1/meters?search=%25"))["total"] == 0


def test_pages_of_meters_follow_one_another(web):
    pages = [exact(web.get(f"/api/v1/meters?limit=1&offset={n}"))["meters"] for n in range(4)]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert len({page[0]["meter_id"] for page in pages[:3]}) == 3


def test_one_meter_tells_installations_and_newest_values(web):
    body = exact(web.get(f"/api/v1/meters/{PLAIN.lower()}"))
    assert body["installations"] == [
        {"service_point": "SP-1", "valid_from": "2026-02-18T23:00:00Z", "valid_to": None}
    ]
    assert [reading["register"] for reading in body["latest"]] == ["volume"]


def test_held_telegrams_are_counted(web):
    assert exact(web.get(f"/api/v1/meters/{KEYLESS}"))["meter"]["held"] == 1


@pytest.mark.parametrize("path", ["", "/readings", "/readings.csv", "/consumption", "/consumption.csv"])
def test_an_unknown_meter_is_not_found(web, path):
    assert "is not in the registry" in problem(web.get(f"/api/v1/meters/KAM-00000000-1b-16{path}"), 404)


@pytest.mark.parametrize("path", ["", "/readings", "/consumption"])
def test_a_bad_meter_id_is_refused_with_what_one_looks_like(web, path):
    assert "KAM-76348799-1b-16" in problem(web.get(f"/api/v1/meters/12345678{path}"), 422)


# --- readings ------------------------------------------------------------------------------------


def test_readings_are_exact_json_numbers(town, app_of):
    value = Decimal("12345678901234567.1234567890123456789")
    store = store_with(town, [value])
    answer = app_of(store).get(f"/api/v1/meters/{PLAIN}/readings?to=2026-03-31")
    store.close()
    assert f'"value":{value},' in answer.text


def store_with(town, values):
    """A store with one meter that had all these values at the same moment."""
    store = memory_store(FixedClock(town.clock.now()))
    meter = MeterId.parse(PLAIN)
    with town.store.reading() as tx:
        like = tx.readings.latest(meter)[0]
    pulse = replace(like, provenance=replace(like.provenance, telegram=None))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(meter)])
        tx.readings.add([replace(pulse, value=value) for value in values])
    return store


def test_readings_of_a_range_include_its_beginning_and_not_its_end(web):
    query = "from=2026-03-10T00:00:00Z&to=2026-03-10T03:00:00Z"
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?{query}"))
    assert [reading["measured_at"] for reading in body["readings"]] == [
        f"2026-03-10T0{hour}:00:00Z" for hour in range(3)
    ]
    assert body["next_from"] is None


def test_a_plain_date_is_the_beginning_of_the_local_day(web):
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?from=2026-03-29&to=2026-03-30"))
    assert (body["since"], body["until"]) == ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
    assert len(body["readings"]) == 23


def test_an_offset_whose_plus_was_not_encoded_is_understood(web):
    query = "from=2026-03-10T01:00:00+01:00&to=2026-03-10T01:00:01%2B01:00"
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?{query}"))
    assert [reading["measured_at"] for reading in body["readings"]] == ["2026-03-10T00:00:00Z"]


def test_pages_of_readings_lead_through_the_whole_range(web):
    whole = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?from=2026-03-01&to=2026-03-05"))["readings"]
    found, start = [], "2026-03-01"
    while start:
        body = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?from={start}&to=2026-03-05&limit=17"))
        assert len(body["readings"]) <= 17
        found += body["readings"]
        start = body["next_from"]
    assert found == whole
    assert len(whole) == 96


def test_values_of_one_moment_stay_on_one_page(town, app_of):
    store = store_with(town, [Decimal(0), Decimal(1), Decimal(2)])
    address = f"/api/v1/meters/{PLAIN}/readings?to=2026-03-31&limit=1"
    body = exact(app_of(store).get(address))
    rest = exact(app_of(store).get(f"{address}&from={body['next_from']}"))
    store.close()
    assert [reading["value"] for reading in body["readings"]] == [0, 1, 2]
    assert (rest["readings"], rest["next_from"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-03-10&to=2026-03-01", "must be before"),
        ("from=2026-03-10&to=2026-03-10", "must be before"),
        ("from=2005-01-01&to=2026-01-01", "at most 3700 days"),
        ("from=yesterday", "is not a time"),
        ("from=2026-02-30", "is not a time"),
        ("from=2026-03-10T25:00:00Z", "is not a time"),
        ("from=2026-03-10T12:00:00", "is not a time"),
        ("from=0001-01-01", "is not between 1990 and 2200"),
        ("to=9999-12-31T23:59:59Z", "is not between 1990 and 2200"),
        ("limit=10001", "10000"),
        ("limit=0", "greater"),
        ("register=volume/x1", "is not a register key"),
        ("form=2026-03-10", "form"),
    ],
)
def test_a_wrong_range_is_refused_with_one_clear_sentence(web, query, sentence):
    assert sentence in problem(web.get(f"/api/v1/meters/{PLAIN}/readings?{query}"), 422)


def test_readings_as_csv_are_the_same_numbers(web):
    query = "from=2026-03-10&to=2026-03-11"
    answer = web.get(f"/api/v1/meters/{PLAIN}/readings.csv?{query}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{PLAIN}-readings.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/readings?{query}"))
    assert [Decimal(row["value"]) for row in rows] == [reading["value"] for reading in body["readings"]]
    assert rows[0]["measured_at"] == "2026-03-09T23:00:00.000000Z"


# --- consumption ---------------------------------------------------------------------------------


def test_days_of_a_month_add_up_over_a_change_of_clocks(web):
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/consumption?from=2026-03-27&to=2026-03-30"))
    assert [one["start"] for one in body["intervals"]] == [
        "2026-03-27T00:00:00+01:00",
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
    ]
    assert body["intervals"][2]["end"] == "2026-03-30T00:00:00+02:00"
    assert sum(one["volume"] for one in body["intervals"]) == body["volume"]
    assert body["complete"] is True


def test_a_gap_is_one_interval_and_a_fall_is_negative(web):
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/consumption?from=2026-03-20&to=2026-03-27"))
    kinds = [one["kind"] for one in body["intervals"]]
    assert kinds == ["partial", "gap", "partial", *["metered"] * 4]
    assert [one["falling"] for one in body["intervals"]] == [False] * 6 + [True]
    closing, opening = body["intervals"][-1]["closing_index"], body["intervals"][0]["opening_index"]
    assert body["volume"] == closing - opening


def test_hours_of_a_day_add_up_to_the_day(web):
    address = f"/api/v1/meters/{PLAIN}/consumption?from=2026-03-29&to=2026-03-30&step="
    hours, day = exact(web.get(address + "hour")), exact(web.get(address + "day"))
    assert len(hours["intervals"]) == 23
    assert hours["volume"] == day["volume"] == day["intervals"][0]["volume"]


def test_consumption_of_a_register_that_does_not_count_is_refused(web):
    answer = web.get(f"/api/v1/meters/{PLAIN}/consumption?register=volume_flow")
    assert "does not count up" in problem(answer, 422)


@pytest.mark.parametrize(("step", "days"), [("hour", 400), ("day", 3700)])
def test_too_wide_a_range_for_a_step_is_refused(web, step, days):
    answer = web.get(f"/api/v1/meters/{PLAIN}/consumption?from=2000-01-01&to=2026-01-01&step={step}")
    assert f"at most {days} days" in problem(answer, 422)


def test_consumption_as_csv_is_the_same_numbers(web):
    query = "from=2026-03-20&to=2026-03-27&step=day"
    rows = list(csv.DictReader(io.StringIO(web.get(f"/api/v1/meters/{PLAIN}/consumption.csv?{query}").text)))
    body = exact(web.get(f"/api/v1/meters/{PLAIN}/consumption?{query}"))
    assert [(row["start"], row["kind"], Decimal(row["volume"])) for row in rows] == [
        (one["start"], one["kind"], one["volume"]) for one in body["intervals"]
    ]


# --- telegrams, gateways, quarantine -------------------------------------------------------------


def test_telegrams_come_newest_first_and_by_state(web):
    numbers = [one["id"] for one in exact(web.get("/api/v1/telegrams"))["telegrams"]]
    assert numbers == sorted(numbers, reverse=True)
    (held,) = exact(web.get("/api/v1/telegrams?state=held"))["telegrams"]
    assert (held["meter_id"], held["reason"]) == (KEYLESS, "missing_key")
    assert [one["rssi_dbm"] for one in held["receptions"]] == [-71, -93]


def test_pages_of_telegrams_lead_to_the_oldest(web):
    found, following = [], ""
    while following is not None:
        body = exact(web.get(f"/api/v1/telegrams?limit=2{following}"))
        found += [one["id"] for one in body["telegrams"]]
        following = f"&before={body['next_before']}" if body["next_before"] else None
    assert found == [4, 3, 2, 1]


@pytest.mark.parametrize("meter", [PLAIN, SECRET])
def test_a_telegram_is_decoded_again_with_the_key_in_store(web, town, meter):
    body = exact(web.get(f"/api/v1/telegrams/{town.telegrams[MeterId.parse(meter)]}"))
    assert body["error"] is None
    assert body["fields"]["total_m3"] == Decimal("7.704")
    assert "".join(span["hex"] for span in body["spans"]) == body["telegram"]["hex"]
    assert sum(body["bytes"].values()) == len(body["telegram"]["hex"]) // 2
    assert set(body["fields"]) == {name for span in body["spans"] for name in span["fields"]} | {
        name for name, value in body["fields"].items() if name == "status" or value in {None, ""}
    }


def test_a_telegram_without_a_key_tells_what_is_known_and_why_no_more(web, town):
    body = exact(web.get(f"/api/v1/telegrams/{town.telegrams[MeterId.parse(KEYLESS)]}"))
    assert body["error"]["code"] == "missing_key"
    assert body["spans"][-1]["understanding"] == "not"
    assert body["bytes"]["not"] > 0
    assert body["fields"] == {}


def test_a_keyring_that_cannot_be_opened_explains_as_far_as_it_goes(town, app_of):
    number = town.telegrams[MeterId.parse(SECRET)]
    body = exact(app_of(Locked(town.store)).get(f"/api/v1/telegrams/{number}"))
    assert body["error"]["code"] == "missing_key"
    assert body["spans"][0]["meaning"] == "L field"


def test_gateways_tell_their_account(web):
    north, south = exact(web.get("/api/v1/gateways"))["gateways"]
    outcomes = ("stored", "duplicate", "held", "foreign", "quarantined")
    assert north["received"] == sum(north[name] for name in outcomes) == 9
    assert (north["online"], south["online"]) == (True, None)


def test_a_quarantined_item_is_given_byte_for_byte(web):
    (item,) = exact(web.get("/api/v1/quarantine"))["items"]
    assert exact(web.get(f"/api/v1/quarantine/{item['id']}")) == item
    assert bytes.fromhex(item["payload_hex"]).startswith(b"<script>alert(1)</script>\x00\x01")
    assert item["reason"] == "bad_json"


@pytest.mark.parametrize("path", ["telegrams/99", "quarantine/99", "nothing"])
def test_what_is_not_there_is_not_found(web, path):
    problem(web.get(f"/api/v1/{path}"), 404)


@pytest.mark.parametrize("path", ["telegrams/0", "telegrams/x", f"telegrams/{2**63}", "quarantine/-1"])
def test_a_number_that_cannot_be_is_refused(web, path):
    problem(web.get(f"/api/v1/{path}"), 422)


# --- the whole ----------------------------------------------------------------------------------

ADDRESSES = [
    "/api/v1/meters",
    f"/api/v1/meters/{SECRET}",
    f"/api/v1/meters/{SECRET}/readings",
    "/api/v1/telegrams",
    "/api/v1/telegrams/2",
    "/api/v1/gateways",
    "/api/v1/quarantine",
    "/metrics",
    "/",
    "/meters",
    f"/meters/{SECRET}",
    "/telegrams/2",
    "/telegrams",
    "/openapi.json",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_key_leaves_the_system(web, address):
    answer = web.get(address)
    assert answer.status_code == 200
    assert KEY not in answer.text.lower().replace(" ", "")


def test_a_store_that_is_away_is_said_in_one_sentence(app_of):
    assert "the database is locked" in problem(app_of(Away()).get("/api/v1/gateways"), 503)


def test_a_fault_of_ours_shows_nothing_of_itself(app_of):
    answer = app_of(Broken()).get("/api/v1/gateways")
    assert problem(answer, 500) == "Something went wrong here; the log says what."
    assert "secret detail" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_description_tells_every_answer_and_decimals_are_numbers(web):
    body = web.get("/openapi.json").json()
    reading = body["components"]["schemas"]["ReadingOut"]["properties"]
    assert reading["value"]["type"] == "number"
    assert "register" in reading
    names = {one["name"] for one in body["paths"]["/api/v1/meters/{meter_id}/readings"]["get"]["parameters"]}
    assert names == {"meter_id", "from", "to", "register", "limit"}


class Locked:
    """A store whose master key is gone: keys are there, none can be opened."""

    def __init__(self, store) -> None:
        self._store = store

    @contextmanager
    def reading(self):
        with self._store.reading() as tx:
            yield SimpleNamespace(
                archive=tx.archive, readings=tx.readings, registry=tx.registry, keyring=LockedKeyring()
            )


class LockedKeyring:
    def have_keys(self, meters):
        return set(meters)

    def keys(self, meters):  # noqa: ARG002  the port gives them
        raise KeyringError("the master key file is gone")


class Away:
    def reading(self):
        raise StoreUnavailable("nurt.db: the database is locked; trying again may help")


class Broken:
    def reading(self):
        raise RuntimeError("secret detail")
