"""The demo's broker: a free port of the loopback interface, clean end, nothing lost between."""

from __future__ import annotations

import asyncio
import threading

import pytest
from amqtt.client import MQTTClient
from amqtt.contexts import ClientConfig

from service.demo.broker import BrokerFailed, DemoBroker

pytestmark = pytest.mark.servers


async def hear(port: int, wanted: int, ready: threading.Event) -> list[bytes]:
    client = MQTTClient("listener", ClientConfig(auto_reconnect=False, plugins={}))
    await client.connect(f"mqtt://127.0.0.1:{port}", cleansession=True)
    await client.subscribe([("amr/1/+/up", 1)])
    ready.set()
    heard = [bytes((await client.deliver_message()).data) for _ in range(wanted)]
    await client.disconnect()
    return heard


def test_what_gateways_publish_arrives_in_order():
    payloads = [str(number).encode() * 30_000 for number in range(5)]
    heard: list[bytes] = []
    with DemoBroker() as broker:
        ready = threading.Event()
        listener = threading.Thread(
            target=lambda: heard.extend(asyncio.run(hear(broker.port, len(payloads), ready)))
        )
        listener.start()
        assert ready.wait(5)
        assert broker.subscribed("amr/1/+/up")
        link = broker.link("gw-1")
        for payload in payloads:
            link.publish("amr/1/gw-1/up", payload)
        listener.join(5)
    assert heard == payloads


def test_two_brokers_find_ports_of_their_own_and_leave_no_thread():
    before = threading.active_count()
    with DemoBroker() as one, DemoBroker() as other:
        assert one.port != other.port
        assert one.host == "127.0.0.1"
    assert threading.active_count() == before


def test_a_broker_that_is_gone_is_told_as_such():
    with DemoBroker() as gone:
        pass
    with DemoBroker() as broker:
        broker.port = gone.port
        with pytest.raises(BrokerFailed, match="broker failed"):
            broker.link("gw-1")
