"""What the broker keeps for a worker that is gone for good is taken in, and its session given up."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from paho.mqtt import publish

from ingest import retirement
from ingest.mqtt import MqttSettings, subscriptions
from ingest.pipeline import Pipeline
from ingest.retirement import retire
from metering.clock import SystemClock
from metering.ports import Outcome

pytestmark = pytest.mark.servers


def send(broker, make, seqs) -> None:
    items = [make.item(make.frame(1000 + seq), seq, ts_src="none") for seq in seqs]
    messages = [("amr/1/gw1/up", make.up(item).payload, 1, False) for item in items]
    publish.multiple(messages, port=broker.port)


def settings(broker, client_id: str, **more) -> MqttSettings:
    mqtt = MqttSettings(port=broker.port, client_id=client_id, shared_group="town", **more)
    return replace(mqtt, reconnect_s=(1, 1), former=subscriptions(mqtt))


def test_the_share_of_one_that_is_gone_is_taken_in_and_nothing_more_is_given_to_it(
    mosquitto, intake, gate, make
):
    broker = mosquitto()
    intake(broker, client_id="one", shared_group="town")
    intake(broker, client_id="two", shared_group="town").stop()
    send(broker, make, range(200))
    gate.until(lambda: gate.stored >= 100, "the first worker took its share")
    time.sleep(0.3)
    assert gate.stored == 100, "the broker keeps the other half for the one that is away"
    left = retire(Pipeline(gate), settings(broker, "two", receive_maximum=7), clock=SystemClock())
    assert (left.taken, left.empty) == (100, True)
    assert gate.stored == 200
    send(broker, make, range(200, 300))
    gate.until(lambda: gate.stored == 300, "all goes to the one that is left")
    again = retire(Pipeline(gate), settings(broker, "two"), clock=SystemClock())
    assert (again.taken, again.empty) == (0, True), "its session is no more"
    with gate.reading() as view:
        [row] = view.ledger.gateways()
    assert (row.received, row.outcomes[Outcome.STORED]) == (300, 300)


def test_while_the_store_is_away_nothing_is_given_up(mosquitto, intake, gate, make, monkeypatch):
    monkeypatch.setattr(retirement, "PATIENCE_S", 1.0)
    broker = mosquitto()
    intake(broker, client_id="one", shared_group="town").stop()
    send(broker, make, range(20))
    gate.away.set()
    left = retire(Pipeline(gate), settings(broker, "one"), clock=SystemClock())
    assert (left.taken, left.empty) == (0, False)
    assert "store" in left.why
    gate.away.clear()
    left = retire(Pipeline(gate), settings(broker, "one"), clock=SystemClock())
    assert (left.taken, left.empty) == (20, True)
    assert gate.stored == 20


def test_one_that_is_alive_after_all_keeps_its_session(mosquitto, intake, gate, make):
    """Both log in under one name: the broker throws the one out that was there; nothing is lost of it."""
    broker = mosquitto()
    gate.away.set()
    running = intake(broker, client_id="one", shared_group="town")
    send(broker, make, range(20))
    left = retire(Pipeline(gate), settings(broker, "one"), clock=SystemClock())
    assert not left.empty
    assert "alive" in left.why
    gate.away.clear()
    gate.until(lambda: gate.stored == 20, "it goes on")
    assert running.status.connections > 1


def test_without_a_broker_it_says_so(mosquitto, gate, monkeypatch):
    monkeypatch.setattr(retirement, "PATIENCE_S", 0.3)
    broker = mosquitto()
    broker.stop()
    left = retire(Pipeline(gate), settings(broker, "one"), clock=SystemClock())
    assert (left.taken, left.empty, left.why) == (0, False, "the broker cannot be reached or refused us")
