"""An MQTT broker inside the process, so that the demo needs no server: amqtt on the loopback interface.

amqtt speaks MQTT 3.1.1 only and keeps everything in memory, which is enough for a demo and for nothing else.
It confirms a publisher's QoS 1 message before the subscriber has it, and forgets a delivery that is not
acknowledged within five seconds; so the simulated gateways never publish further ahead than what has
been booked (see :mod:`service.demo.play`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.client import MQTTClient
from amqtt.contexts import BrokerConfig, ClientConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, ClientError, MQTTError, NoDataError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from metering.errors import TelemetryError

__all__ = ["BrokerFailed", "DemoBroker", "GatewayLink"]

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 5.0
"""Longest wait for the broker's own thread to start, or for one of its answers."""

_FAILURES = (AMQTTError, ClientError, MQTTError, NoDataError, OSError)
"""What amqtt raises of its own; its errors have no common root."""

_T = TypeVar("_T")


class BrokerFailed(TelemetryError):
    """The demo's own broker did not start or no longer answers."""


class AdmitEveryone(BaseAuthPlugin):  # type: ignore[misc]  # amqtt ships no types
    """Let every client on the loopback interface in.

    amqtt's own plug-in for this marks sessions as anonymous, and the broker then keeps nothing for them
    while they are away; ours are named clients with sessions that last.
    """

    async def authenticate(self, *, session: Session) -> bool:  # noqa: ARG002  the plug-in interface names it
        """Admit."""
        return True


class DemoBroker:
    """A broker on a free port of 127.0.0.1, in a thread of its own; a context manager.

    Attributes:
        host: always ``127.0.0.1``.
        port: the port found, TCP; known inside the context.
    """

    def __init__(self) -> None:
        self.host = LOOPBACK
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-broker", daemon=True)
        self._links: list[GatewayLink] = []

    def __enter__(self) -> Self:
        _quieten()
        self._thread.start()
        self._broker, self._server = self.wait_for(self._start())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokerFailed):
            self.wait_for(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)

    def link(self, name: str) -> GatewayLink:
        """Connect a client of that name, as a gateway would.

        Raises:
            BrokerFailed: it could not connect.
        """
        client = self.wait_for(_connect(name, self.port))
        self._links.append(GatewayLink(self, client))
        return self._links[-1]

    def subscribed(self, topic_filter: str) -> bool:
        """Whether any client has subscribed to exactly this filter."""
        return any(topic_filter == known for known in list(self._context.subscriptions))

    def wait_for(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the broker's thread and give what it gives.

        Raises:
            BrokerFailed: it failed or took too long.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(_PATIENCE_S)
        except (*_FAILURES, TimeoutError) as wrong:
            future.cancel()
            raise BrokerFailed(f"the demo's own broker failed: {type(wrong).__name__} {wrong}") from wrong

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(_cancel_rest())
        self._loop.close()

    async def _start(self) -> tuple[Broker, asyncio.Server]:
        # The listener is ours ("external"): so the free port is found and taken in one step.
        config = BrokerConfig(
            listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL, bind=LOOPBACK)},
            plugins={f"{__name__}.{AdmitEveryone.__name__}": {}},
        )
        broker = Broker(config, loop=self._loop)
        await broker.start()
        self._context = broker.plugins_manager.context
        server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        return broker, server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that breaks off is a client's everyday life, not the broker's error.
        with suppress(*_FAILURES, asyncio.CancelledError):
            await self._broker.external_connected(
                StreamReaderAdapter(reader), StreamWriterAdapter(writer), "default"
            )

    async def _stop(self) -> None:
        for link in self._links:
            await link.disconnect()
        self._server.close()
        await self._broker.shutdown()


class GatewayLink:
    """A gateway's connection to the broker; QoS 1, confirmed by the broker."""

    def __init__(self, broker: DemoBroker, client: MQTTClient) -> None:
        self._broker = broker
        self._client = client

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and wait for the broker's confirmation.

        Raises:
            BrokerFailed: there was none.
        """
        self._broker.wait_for(self._client.publish(topic, payload, qos=1, retain=retain))

    async def disconnect(self) -> None:
        """Say good-bye to the broker."""
        with suppress(*_FAILURES):
            await self._client.disconnect()


async def _connect(name: str, port: int) -> MQTTClient:
    client = MQTTClient(name, ClientConfig(auto_reconnect=False, plugins={}))
    await client.connect(f"mqtt://{LOOPBACK}:{port}", cleansession=True)
    return client


async def _cancel_rest() -> None:
    """Let go of what amqtt left running, so that its tasks do not outlive their loop."""
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _quieten() -> None:
    """Keep amqtt's chatter off the screen."""
    for name in ("amqtt", "transitions"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
