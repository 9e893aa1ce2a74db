"""The agent's connection to the broker.

MQTT 5, QoS 1, a last will. The client sends what is not acknowledged anew after each reconnection; what the
broker said of each message is queued for the courier.
"""

from __future__ import annotations

import queue
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from paho.mqtt import client as paho  # noqa: TID251  the agent may
from paho.mqtt.properties import Properties  # noqa: TID251  same
from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251  same

from gateway_firmware_config.agent.client import Broker, make_client
from gateway_firmware_config.agent.courier import Verdict

__all__ = ["BrokerLink", "Will"]

_log = structlog.get_logger(__name__)

_NO_MATCHING_SUBSCRIBERS = 0x10


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us, kept, when we are gone."""

    topic: str
    message: bytes


class BrokerLink:
    """Keeps a connection.

    Args:
        broker: where.
        will: said by the broker when the connection is lost.
        on_online: called, from the client's thread, whenever the connection has been made.
        on_verdict: called, from the client's thread, whenever the broker has said something.
        listen_to: a topic to listen to; empty = none.
    """

    def __init__(
        self,
        broker: Broker,
        will: Will,
        *,
        on_online: Callable[[], None],
        on_verdict: Callable[[], None],
        listen_to: str = "",
    ) -> None:
        self._broker = broker
        self._on_online = on_online
        self._on_verdict = on_verdict
        self._verdicts: queue.SimpleQueue[tuple[int, Verdict]] = queue.SimpleQueue()
        self._listen_to = listen_to
        self._messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._unreachable = ""
        self._client = self._make_client(will)

    def start(self) -> None:
        """Connect, now or as soon as the broker is there; returns at once."""
        self._client.connect_async(self._broker.host, self._broker.port, self._broker.keepalive_s)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect in order."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def publish(self, topic: str, message: bytes) -> int:
        """Send with QoS 1; gives the number its verdict will come under."""
        return self._client.publish(topic, message, qos=1).mid

    def say(self, topic: str, message: bytes, *, keep: bool) -> None:
        """Send without waiting for a verdict; what is kept with QoS 1, the rest with QoS 0."""
        self._client.publish(topic, message, qos=1 if keep else 0, retain=keep)

    def verdicts(self) -> list[tuple[int, Verdict]]:
        """Give what the broker has said since the last call."""
        return [self._verdicts.get() for _ in range(self._verdicts.qsize())]

    def messages(self) -> list[bytes]:
        """Give what was published on the topic listened to since the last call."""
        return [self._messages.get() for _ in range(self._messages.qsize())]

    def reconnect(self) -> None:
        """Close the connection; the client's thread makes another and sends anew what was not taken."""
        line: Any = self._client.socket()
        if line is not None:
            line.shutdown(socket.SHUT_RDWR)  # the client's thread sees it closed

    # --- set-up --------------------------------------------------------------------------------------

    def _make_client(self, will: Will) -> paho.Client:
        client = make_client(self._broker)
        client.max_inflight_messages_set(100)
        client.will_set(will.topic, will.message, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_connect_fail = self._failed
        client.on_disconnect = self._lost
        client.on_publish = self._published
        client.on_message = self._received
        return client

    # --- what the client's thread tells --------------------------------------------------------------

    def _connected(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            _log.error("broker.refused", reason=str(reason), host=self._broker.host)
            return
        self._unreachable = ""
        _log.info("broker.connected", host=self._broker.host)
        if self._listen_to:
            self._client.subscribe(self._listen_to, qos=1)
        self._on_online()

    def _failed(self, _client: paho.Client, _userdata: Any) -> None:
        why = str(sys.exc_info()[1])  # paho tells no reason, but calls this while it handles the error
        if why != self._unreachable:
            _log.warning("broker.unreachable", host=self._broker.host, port=self._broker.port, error=why)
        self._unreachable = why

    def _lost(
        self,
        _client: paho.Client,
        _userdata: Any,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        _log.info("broker.disconnected", reason=str(reason), host=self._broker.host)

    def _published(
        self,
        _client: paho.Client,
        _userdata: Any,
        number: int,
        reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._verdicts.put((number, self._verdict(reason)))
        self._on_verdict()

    def _received(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        self._messages.put(bytes(message.payload))
        self._on_verdict()

    def _verdict(self, reason: ReasonCode) -> Verdict:
        if reason.is_failure:
            return Verdict.REFUSED
        if reason.value == _NO_MATCHING_SUBSCRIBERS and self._broker.needs_subscriber:
            return Verdict.NOBODY
        return Verdict.TAKEN
