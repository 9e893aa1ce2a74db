"""How gateways are: planned, told, heard; nothing they say is trusted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from metering.gateway import Condition
from metering.ports import GatewayRow
from metering.upkeep import GatewayCoverage
from metering.uplink import GatewayWord
from service.fleet_heard import heard_status
from service.fleet_metrics import fleet_metrics
from service.fleet_source import FleetSource, Plan, Plans
from service.fleet_status import Drift, GatewayStatus, fleet_status
from service.text_table import text_table

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLANS = Plans({"roof": Plan("agent", "", 17, "aa"), "loft": Plan("esphome-wmbus", "xiao-s3")})
ROW = GatewayRow("roof", True, NOW - timedelta(days=3), None, 0, {}, NOW - timedelta(minutes=1))


def word(leaf: str, said: Any, name: str = "roof") -> GatewayWord:
    return GatewayWord(name, leaf, NOW, said if isinstance(said, str) else json.dumps(said))


def roof(*words: GatewayWord, plans: Plans = PLANS) -> GatewayStatus:
    return next(one for one in fleet_status([ROW], words, NOW, plans=plans) if one.name == "roof")


DESIRED = word("cfg/desired", {"rev": 17, "sha256": "aa"})


@pytest.mark.parametrize(
    ("words", "drift"),
    [
        ([], None),
        ([DESIRED], Drift.WAITING),
        ([DESIRED, word("cfg/reported", {"rev": 16, "in_force": 16, "err": None})], Drift.WAITING),
        ([DESIRED, word("cfg/reported", {"rev": 17, "in_force": 17, "err": None})], None),
        ([DESIRED, word("cfg/reported", {"rev": 17, "in_force": 16, "err": "no"})], Drift.REFUSED),
        (
            [word("cfg/desired", {"rev": 17, "sha256": "bb"}), word("cfg/reported", {"in_force": 17})],
            Drift.NOT_TOLD,
        ),
        ([word("cfg/desired", {"rev": 0, "sha256": ""})], None),
    ],
)
def test_drift_is_told_and_alarming(words: list[GatewayWord], drift: Drift | None):
    assert roof(*words).drift is drift
    assert roof(*words).alarming is (drift is not None)


def test_a_gateway_nobody_has_heard_is_listed_and_alarming():
    [loft] = [one for one in fleet_status([], [], NOW, plans=PLANS) if one.name == "loft"]
    assert (loft.profile, loft.board, loft.condition, loft.alarming, loft.registered) == (
        "esphome-wmbus",
        "xiao-s3",
        Condition.UNKNOWN,
        True,
        True,
    )


def test_a_gateway_in_no_file_is_said_to_be_in_none():
    [only] = fleet_status([ROW], [], NOW, plans=Plans({}))
    assert (only.registered, only.profile) == (False, None)
    [only] = fleet_status([ROW], [], NOW)
    assert only.registered is None


def test_what_it_hears_and_what_waits_there():
    health = {
        "firmware": "nurt 0.1.0",
        "queue": 12,
        "queue_oldest_s": 70,
        "per_minute": {"heard": 3.5, "forwarded": 3, "shed": 0},
        "receivers": {"attic": {"open": True, "trouble": None}, "stick": {"open": False, "trouble": "gone"}},
    }
    [one] = fleet_status(
        [ROW], [word("health", health)], NOW, coverage=[GatewayCoverage("roof", 40, 39, 2, -70)]
    )
    assert (one.meters, one.read, one.share) == (40, 39, 0.975)
    assert (one.firmware, one.queue, one.queue_oldest_s) == ("nurt 0.1.0", 12, 70)
    assert one.per_minute == {"heard": 3.5, "forwarded": 3.0, "shed": 0.0}
    assert one.troubles == {"stick": "gone"}
    assert one.last_heard == ROW.alive_at
    assert one.reports is False, "nobody knows which settings it uses"
    assert one.alarming


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["rev", "in_force", "err", "sha256", "queue", "queue_oldest_s", "firmware", "per_minute", "receivers"]
)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.tuples(st.sampled_from(["health", "cfg/desired", "cfg/reported"]), st.dictionaries(KEYS, JSON)),
        max_size=3,
    ),
    raw=st.text(max_size=20),
)
def test_whatever_a_gateway_says_it_can_be_shown(words: list[tuple[str, dict]], raw: str):
    said = [word(leaf, body) for leaf, body in words] + [word("health", raw, "odd")]
    fleet = fleet_status([ROW], said, NOW, plans=PLANS)
    assert list(text_table([{"name": one.name, "firmware": one.firmware} for one in fleet]))
    exposition(fleet)


def exposition(fleet: list[GatewayStatus]) -> str:
    class Once(Collector):
        def collect(self):
            return fleet_metrics(fleet)

    registry = CollectorRegistry()
    registry.register(Once())
    return generate_latest(registry).decode()


def test_drift_and_queues_are_metrics():
    words = [DESIRED, word("cfg/reported", {"in_force": 16}), word("health", {"queue": 7})]
    text = exposition(fleet_status([ROW], words, NOW, plans=PLANS))
    assert 'nurt_gateway_drift{gateway="roof"} 1.0' in text
    assert 'nurt_gateway_drift{gateway="loft"} 0.0' in text
    assert 'nurt_gateway_revision_told{gateway="roof"} 17.0' in text
    assert 'nurt_gateway_revision_in_force{gateway="roof"} 16.0' in text
    assert 'nurt_gateway_queue{gateway="roof"} 7.0' in text
    assert 'nurt_gateway_queue{gateway="loft"}' not in text


def test_what_the_broker_keeps_says_how_gateways_are():
    state = b'{"v":1,"state":"%b","ts":"2026-01-02T03:04:05Z"}'
    seen = {
        "amr/1/roof/state": state % b"online",
        "amr/1/shed/state": state % b"offline",
        "amr/1/roof/health": b'{"firmware":"nurt 0.1.0"}',
        "amr/1/roof/cfg/desired": json.dumps({"rev": 17, "cfg": "x", "sig": "00"}).encode(),
        "amr/1/../state": b"{}",
    }
    fleet = {one.name: one for one in heard_status(seen, NOW, Plans())}
    assert (fleet["roof"].condition, fleet["shed"].condition) == (Condition.ONLINE, Condition.OFFLINE)
    assert (fleet["roof"].told, fleet["roof"].firmware) == (17, "nurt 0.1.0")


def test_a_changed_file_of_gateways_is_read_again_and_a_broken_one_is_told(tmp_path: Path):
    file = tmp_path / "gateways.toml"
    source = FleetSource(file)
    assert source.plans().trouble == f"{file} cannot be read: No such file or directory"
    file.write_text('[broker]\nhost = "h"\n[gateway.roof]\nprofile = "agent"\n')
    first = source.plans()
    assert first.gateways is not None
    assert len(first.gateways["roof"].sha256) == 64
    assert source.plans() is first, "not read again"
    file.write_text('[broker]\nhost = "h"\n[gateway.roof]\nprofil = "agent"\n')
    assert f"{file}:4: " in source.plans().trouble
    assert FleetSource(None).plans().gateways is None
