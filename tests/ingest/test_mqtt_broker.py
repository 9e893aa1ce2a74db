"""With a real broker: acknowledged means durable, over restarts of everything, in both versions of MQTT."""

from __future__ import annotations

import time

import pytest
from paho.mqtt import publish
from structlog.testing import capture_logs

from metering.ports import Outcome

BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


def send(broker, make, seqs, *, gateway: str = "gw1", qos: int = 1) -> None:
    """Publish one telegram of its own meter per number, as a gateway does."""
    messages = [
        (
            f"amr/1/{gateway}/up",
            make.up(make.item(make.frame(1000 + seq), seq, ts_src="none")).payload,
            qos,
            False,
        )
        for seq in seqs
    ]
    publish.multiple(messages, port=broker.port)


def account(gate) -> dict[Outcome, int]:
    with gate.reading() as view:
        [row] = view.ledger.gateways()
    assert row.received == sum(row.outcomes.values())
    return {outcome: count for outcome, count in row.outcomes.items() if count}


@pytest.mark.servers
@BOTH
def test_published_is_stored(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    send(broker, make, range(300))
    gate.until(lambda: gate.stored == 300, "all are stored")
    assert account(gate) == {Outcome.STORED: 300}
    assert running.stop()
    status = running.status
    assert (status.received, status.items, status.queue_depth, status.oldest_unacked_s) == (300, 300, 0, 0)
    # Else the broker may meet the new connection before it has read the last of the old one.
    gate.until(lambda: "nurt-ingest disconnected" in broker.log(), "the broker saw us go")
    again = intake(broker, protocol=protocol)
    time.sleep(0.5)
    assert again.status.received == 0, "all were acknowledged: the broker has nothing left for us"


@pytest.mark.servers
@BOTH
def test_what_was_not_committed_comes_again(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    gate.shut.set()
    send(broker, make, range(10))
    gate.until(gate.inside.is_set, "the batch is written but not committed")
    gate.away.set()  # the transaction fails now, and the process ends without the store
    assert running.stop()
    assert gate.stored == 0
    gate.shut.clear()
    gate.away.clear()
    intake(broker, protocol=protocol)
    gate.until(lambda: gate.stored == 10, "the broker delivers again")
    assert account(gate) == {Outcome.STORED: 10}


@pytest.mark.servers
def test_what_was_committed_but_not_acknowledged_is_stored_once(mosquitto, intake, gate, make, monkeypatch):
    broker = mosquitto()
    running = intake(broker)
    monkeypatch.setattr(running._subscriber._client, "ack", lambda *_: 0)
    send(broker, make, range(10))
    gate.until(lambda: gate.stored == 10, "all are stored")
    running.stop()
    intake(broker)
    gate.until(lambda: account(gate) == {Outcome.STORED: 10, Outcome.DUPLICATE: 10}, "all come again")
    assert gate.stored == 10


@pytest.mark.servers
@BOTH
def test_a_broker_that_restarts_is_found_again_and_nothing_is_lost(mosquitto, intake, gate, make, protocol):
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    send(broker, make, range(50))
    gate.until(lambda: gate.stored == 50, "the first are stored")
    broker.restart()
    send(broker, make, range(50, 100))
    gate.until(lambda: gate.stored == 100, "the second are stored")
    assert running.status.connections == 2


@pytest.mark.servers
@BOTH
def test_acknowledgements_of_a_lost_connection_are_dropped(mosquitto, intake, gate, make, protocol):
    """While the store has a batch the connection is lost and made anew: the batch's packet ids are stale."""
    broker = mosquitto()
    running = intake(broker, protocol=protocol)
    gate.shut.set()
    send(broker, make, range(10))
    gate.until(gate.inside.is_set, "the batch waits for its commit")
    broker.restart()
    gate.until(lambda: running.status.connections == 2, "the connection is made anew")
    gate.until(lambda: running.status.queue_depth == 10, "the broker delivers again")
    acknowledged: list[int] = []
    client = running._subscriber._client
    real = client.ack
    client.ack = lambda packet, qos: (acknowledged.append(packet), real(packet, qos))[1]
    gate.shut.clear()
    gate.until(
        lambda: running.status.items == 20 and not running.status.oldest_unacked_s, "all are done with"
    )
    assert gate.stored == 10
    assert len(acknowledged) == 10, "only those of the new connection"
    assert account(gate) == {Outcome.STORED: 10, Outcome.DUPLICATE: 10}


@pytest.mark.servers
def test_while_the_store_is_away_the_broker_keeps_everything(mosquitto, intake, gate, make):
    broker = mosquitto()
    running = intake(broker, receive_maximum=20)
    gate.away.set()
    send(broker, make, range(200))
    gate.until(lambda: not running.status.store_available, "the store is missed")
    time.sleep(0.3)
    assert running.status.received + running.status.queue_depth == 20, (
        "memory is bounded: the rest stays outside"
    )
    assert gate.stored == 0
    gate.away.clear()
    gate.until(lambda: gate.stored == 200, "all are stored")
    assert account(gate) == {Outcome.STORED: 200}


@pytest.mark.servers
def test_what_is_published_while_we_are_away_waits_for_us(mosquitto, intake, gate, make):
    broker = mosquitto()
    intake(broker).stop()
    send(broker, make, range(30))
    broker.restart()
    intake(broker)
    gate.until(lambda: gate.stored == 30, "all are stored")


@pytest.mark.servers
def test_workers_of_one_group_share_the_deliveries(mosquitto, intake, gate, make):
    broker = mosquitto()
    workers = [intake(broker, client_id=f"worker-{n}", shared_group="ingest") for n in range(2)]
    send(broker, make, range(100))
    gate.until(lambda: gate.stored == 100, "all are stored")
    assert account(gate) == {Outcome.STORED: 100}
    assert all(worker.status.received > 0 for worker in workers)


@pytest.mark.servers
def test_the_state_of_a_gateway_is_heard_though_it_was_said_before_we_came(mosquitto, intake, gate):
    broker = mosquitto()
    online = b'{"v":1,"state":"online","boot":"b1","ts":"2026-03-02T11:00:00Z"}'
    publish.single("amr/1/gw1/state", online, qos=1, retain=True, port=broker.port)
    intake(broker, shared_group="ingest")

    def heard() -> bool:
        with gate.reading() as view:
            return [(row.name, row.online) for row in view.ledger.gateways()] == [("gw1", True)]

    gate.until(heard, "the state is booked")


@pytest.mark.servers
def test_what_the_settings_name_no_more_is_heard_no_more(mosquitto, intake, gate, make):
    """The broker keeps subscriptions with the session; those of an earlier run are taken back."""
    broker = mosquitto()
    both = ("amr/1/gw1/up", "amr/1/gw2/up")
    intake(broker, filters=both).stop()
    intake(broker, filters=both[:1], former=both)
    send(broker, make, range(10), gateway="gw2")
    send(broker, make, range(10, 20), gateway="gw1")
    gate.until(lambda: gate.stored == 10, "the first gateway is heard")
    time.sleep(0.2)
    with gate.reading() as view:
        assert [row.name for row in view.ledger.gateways()] == ["gw1"]


@pytest.mark.servers
def test_two_under_one_name_are_told(mosquitto, intake, gate):
    """The broker throws out the one that was there, without saying why; an operator must learn it."""
    broker = mosquitto()

    def told() -> list[dict]:
        return [entry for entry in logs if entry["event"] == "broker.taken_over"]

    with capture_logs() as logs:
        intake(broker, client_id="twin")
        intake(broker, client_id="twin")
        gate.until(told, "that they throw one another out is told")
    assert (told()[0]["client_id"], told()[0]["log_level"]) == ("twin", "error")
