"""Metrics of workers on other machines, as the roster has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.roster import Load, Member
from service.web.worker_metrics import worker_metrics

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def values(*members: Member) -> dict[str, dict[str, float]]:
    return {
        family.name: {sample.labels["worker"]: sample.value for sample in family.samples}
        for family in worker_metrics(members, NOON)
    }


def test_a_worker_that_does_well_one_that_is_late_and_one_that_is_gone():
    told = values(
        Member("a", "box", [], NOON, listening=True, load=Load(3, 0.2, 100, 90)),
        Member("b", "box", [], NOON, listening=True, load=Load(900, 61.0, 50, 40)),
        Member("c", "annex", [], NOON - timedelta(hours=1), load=Load(7, 0.0, 10, 10)),
    )
    assert told["nurt_worker_up"] == {"a": 1, "b": 1, "c": 0}
    assert told["nurt_worker_queue_depth"] == {"a": 3, "b": 900, "c": 0}
    assert told["nurt_worker_oldest_unacked_seconds"] == {"a": 0.2, "b": 61, "c": 0}
    assert told["nurt_worker_alarm"] == {"a": 0, "b": 1, "c": 1}
    assert told["nurt_worker_deliveries"] == {"a": 100, "b": 50, "c": 10}
