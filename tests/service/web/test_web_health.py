"""Facts of health, readiness and metrics."""

from __future__ import annotations

from dataclasses import replace

from metering.clock import FixedClock
from metering.errors import StoreUnavailable
from metering.store import memory_store
from service.web.app import IngestStatus

CONNECTED = IngestStatus(True, 3, 0.25, 13, 5, None)


class Unwritable:
    """A store whose disk is full."""

    def __init__(self, store) -> None:
        self._store = store

    def check(self):
        raise StoreUnavailable("nurt.db: the disk is full")

    def reading(self):
        return self._store.reading()


def samples(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_the_process_says_it_is_alive(web):
    answer = web.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


def test_ready_when_the_store_is_writable_and_the_broker_connected(web):
    answer = web.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_not_ready_without_the_broker_and_says_why(town, app_of):
    answer = app_of(town.store, lambda: replace(CONNECTED, connected=False)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "reasons": ["ingest: not connected to the broker; trying again"],
    }


def test_not_ready_when_the_store_cannot_be_written(town, app_of):
    answer = app_of(Unwritable(town.store)).get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["store: nurt.db: the disk is full"])


def test_not_ready_while_a_store_ingest_writes_to_is_away(town, app_of):
    """The series store, say: pages can be read, but nothing is acknowledged."""
    answer = app_of(town.store, lambda: replace(CONNECTED, stores_available=False)).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"][0].startswith("ingest: a store cannot be written; what comes waits")


def test_a_process_without_ingest_is_ready_without_a_broker(empty_web):
    assert empty_web.get("/readyz").status_code == 200


def test_metrics_carry_the_account_of_every_gateway_and_it_adds_up(web):
    found = samples(web.get("/metrics").text)
    for gateway in ("gw-north", "gw-south"):
        ended = [n for name, n in found.items() if name.startswith(f'nurt_items_total{{gateway="{gateway}"')]
        assert len(ended) == 5
        assert sum(ended) == found[f'nurt_items_received_total{{gateway="{gateway}"}}'] > 0


def test_metrics_tell_how_ingest_does(web):
    found = samples(web.get("/metrics").text)
    assert found["nurt_ingest_connected"] == 1
    assert found["nurt_ingest_queue_depth"] == 3
    assert found["nurt_ingest_oldest_unacked_seconds"] == 0.25
    assert found["nurt_meters_registered"] == 3
    assert found['nurt_gateway_online{gateway="gw-north"}'] == 1


def test_two_applications_of_one_process_share_no_metrics(town, app_of):
    other = memory_store(FixedClock(town.clock.now()))
    assert samples(app_of(other).get("/metrics").text)["nurt_meters_registered"] == 0
    assert samples(app_of(town.store).get("/metrics").text)["nurt_meters_registered"] == 3
    other.close()


def test_metrics_without_ingest_say_nothing_of_it(empty_web):
    assert "nurt_ingest" not in empty_web.get("/metrics").text
