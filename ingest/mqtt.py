"""The MQTT side: the only file of ingest that knows a client library.

QoS 1, manual acknowledgement, persistent session. A delivery is acknowledged after the commit of everything
it gave rise to, and only on the connection it came on: packet ids of a lost connection mean something else
on the next one. What is not acknowledged stays with the broker.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog
from paho.mqtt import client as paho  # noqa: TID251  the one file that may
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: TID251  same
from paho.mqtt.packettypes import PacketTypes  # noqa: TID251  same
from paho.mqtt.properties import Properties  # noqa: TID251  same
from paho.mqtt.reasoncodes import ReasonCode  # noqa: TID251  same
from paho.mqtt.subscribeoptions import SubscribeOptions  # noqa: TID251  same

from ingest.inbox import Arrival, Inbox
from ingest.items import Delivery
from ingest.mqtt_settings import MqttSettings, Tls, subscriptions
from ingest.routes import LARGEST
from metering.errors import SettingsError
from metering.ports import Clock

__all__ = ["MqttSettings", "Subscriber", "Tls", "subscriptions"]

_log = structlog.get_logger(__name__)

_TAKEN_OVER = 0x8E
"""Another client logged in with our client id (MQTT 5, 3.14.2.1)."""

_SHORT_S, _TOO_OFTEN = 10.0, 3
"""Not every broker says so. A connection that is lost so soon, so often in a row, tells the same."""

_SEND_RETAINED_IF_NEW = 1
"""Retain handling (MQTT 5, 3.8.3.1): kept messages once, not at every reconnection."""


class Subscriber:
    """Keeps a connection and puts what arrives into the inbox."""

    def __init__(self, settings: MqttSettings, inbox: Inbox, *, clock: Clock) -> None:
        self._settings = settings
        self._inbox = inbox
        self._clock = clock
        self._lock = threading.RLock()
        self._connected = False
        self._connection = 0
        self._filters = [] if settings.leaving else subscriptions(settings)
        self._subscribed = False
        self._session_kept = False
        self._arrived = 0
        self._answered = threading.Event()
        self._unreachable = ""
        self._refused = ""
        self._since, self._short = 0.0, 0
        self._client = self._make_client()

    def start(self) -> None:
        """Connect, now or as soon as the broker is there; returns at once."""
        settings = self._settings
        modern: dict[str, Any] = {}
        if settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
            properties.SessionExpiryInterval = 0 if settings.listening else settings.session_expiry_s
            properties.ReceiveMaximum = settings.receive_maximum
            modern = {"clean_start": settings.listening, "properties": properties}
        self._client.connect_async(settings.host, settings.port, settings.keepalive_s, **modern)
        self._client.loop_start()

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge deliveries whose effects are durable; those of a lost connection will come again."""
        # an OSError: the connection goes away this very moment, and they will come again
        with self._lock, contextlib.suppress(OSError):
            if not self._connected:
                return
            for arrival in arrivals:
                if arrival.qos and arrival.connection == self._connection:
                    self._client.ack(arrival.packet, arrival.qos)

    def stop(self, *, forget: bool = False) -> None:
        """Send what is left to send and disconnect; the broker keeps the session unless told to forget it."""
        properties = None
        if forget and self._settings.protocol == "5":
            properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho's
            properties.SessionExpiryInterval = 0
        self._client.disconnect(properties=properties)
        self._client.loop_stop()

    def asked_again(self, timeout: float) -> bool:
        """Unsubscribe from what we had, once more; true when the broker has answered.

        It works off what we send in order, and sends what waits for us as soon as there is room. So whatever
        it had for us after our last acknowledgement has arrived when the answer does.
        """
        self._answered.clear()
        with self._lock:
            if not self._connected:
                return False
            self._client.unsubscribe(list(self._settings.former))
        return self._answered.wait(timeout)

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connected

    @property
    def subscribed(self) -> bool:
        """Whether the broker is there and has our subscriptions."""
        return self._connected and self._subscribed

    @property
    def refused(self) -> str:
        """What the broker refused last and why, a login or a subscription; empty if nothing."""
        return self._refused

    @property
    def session_kept(self) -> bool:
        """Whether the broker had kept our session when we connected last."""
        return self._session_kept

    @property
    def arrived(self) -> int:
        """How many deliveries came."""
        return self._arrived

    @property
    def connections(self) -> int:
        """How many connections there were."""
        return self._connection

    # --- set-up ----------------------------------------------------------------------------------

    def _make_client(self) -> paho.Client:
        settings = self._settings
        modern = settings.protocol == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
            clean_session=None if modern else settings.listening,
            manual_ack=True,
        )
        client.disable_logger()  # our own events say what an operator can use
        client.connect_timeout = settings.connect_timeout_s
        client.reconnect_delay_set(*settings.reconnect_s)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls is not None:
            _set_tls(client, settings.tls)
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_message = self._on_message
        return client

    def _subscribe(self) -> None:
        """Subscribe on every connection: the broker may have lost the session, or the filters changed."""
        if gone := sorted(set(self._settings.former) - set(self._filters)):
            self._client.unsubscribe(gone)
        qos = 0 if self._settings.listening else 1
        options: Any = qos
        if self._settings.protocol == "5":
            options = SubscribeOptions(qos=qos, retainHandling=_SEND_RETAINED_IF_NEW)
        if self._filters:
            self._client.subscribe([(one, options) for one in self._filters])
        else:
            self._subscribed = True

    # --- what the network thread tells -------------------------------------------------------------

    def _on_pre_connect(self, _client: paho.Client, _userdata: object) -> None:
        self._lost()

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            _log.error("broker.refused", reason=str(reason), host=self._settings.host)
            return
        with self._lock:
            self._connection += 1
            self._since = time.monotonic()
            self._connected = True
            self._session_kept = flags.session_present
        self._unreachable = ""
        _log.info("broker.connected", host=self._settings.host, session_kept=flags.session_present)
        self._subscribe()

    def _on_connect_fail(self, _client: paho.Client, _userdata: object) -> None:
        # paho tells no reason, but calls this while it handles the error
        why = str(sys.exc_info()[1])
        if why != self._unreachable:
            settings = self._settings
            _log.warning("broker.unreachable", host=settings.host, port=settings.port, error=why)
        self._unreachable = why

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._lost():
            _log.info("broker.disconnected", reason=str(reason), host=self._settings.host)
        self._short = self._short + 1 if time.monotonic() - self._since < _SHORT_S else 0
        if reason == _TAKEN_OVER or self._short == _TOO_OFTEN:
            do = "another process logs in with this client_id, as it seems; give each its own"
            _log.error("broker.taken_over", client_id=self._settings.client_id, do=do)

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _packet: int,
        reasons: Sequence[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for topic_filter, reason in zip(self._filters, reasons, strict=False):
            if reason.is_failure:
                self._refused = f"{topic_filter}: {reason}"
                _log.error("broker.subscription_refused", filter=topic_filter, reason=str(reason))
        self._subscribed = True

    def _on_unsubscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _packet: int,
        _reasons: Sequence[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._answered.set()

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        delivery = Delivery(
            topic=_topic(message),
            payload=payload[: LARGEST + 1],
            received_at=self._clock.now(),
            redelivered=message.dup,
            retained=message.retain,
            size=len(payload),
        )
        self._arrived += 1
        self._inbox.put(Arrival(delivery, self._connection, message.mid, message.qos))

    def _lost(self) -> bool:
        """Note that there is no connection; true if there was one."""
        with self._lock:
            was, self._connected = self._connected, False
            self._subscribed = False
        return was


def _set_tls(client: paho.Client, tls: Tls) -> None:
    try:
        client.tls_set(tls.ca_file, tls.cert_file, tls.key_file)
    except (OSError, ValueError) as wrong:  # ssl.SSLError is an OSError
        raise SettingsError(f"TLS with the broker: {wrong}") from wrong


def _topic(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:  # MQTT forbids it, brokers do not all check
        return "?"
