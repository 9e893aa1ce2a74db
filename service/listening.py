"""What arrives, by which adapter it would be read, and what comes out: for people, without keeping anything.

With a database at hand the registry and the keys in it are used, as ingest would; nothing is written. Without
one an encrypted telegram is told as one.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Sequence

from decoders import DecodeError, Telegram, decode, peek
from ingest.adapters import Options
from ingest.adapters.auto import sniff
from ingest.inbox import Inbox
from ingest.items import Delivery, Said, Unreadable
from ingest.mqtt import Subscriber
from ingest.routes import Route, Router
from metering.clock import SystemClock
from metering.uplink import (
    FrameUplink,
    GatewayState,
    GatewayWord,
    PartUplink,
    PulseUplink,
    Reception,
    ValueUplink,
)
from service.listening_store import Known, plain, values_of
from service.settings_model import MqttSettings
from service.taking_in import broker_of

__all__ = ["Listener", "hear"]

_ROOM, _ROOM_BYTES = 1000, 16 << 20

_SHOWN = 6
"""Values shown of one telegram."""


class Listener:
    """Reads deliveries as ingest would: by the routes in force, by a named adapter, or found out.

    Attributes:
        topic_filter: what is listened to.
    """

    def __init__(
        self,
        topic_filter: str,
        routes: Sequence[Route],
        adapter: str = "",
        options: Options | None = None,
        *,
        known: Known | None = None,
    ) -> None:
        """Prepare.

        Raises:
            InvalidValue: not a filter, no such adapter, or options do not fit it.
        """
        self.topic_filter = topic_filter
        gateway = "" if "+" in topic_filter.split("/") else "here"
        named = Route(topic_filter, adapter or "auto", gateway, options or Options())
        self._named = bool(adapter)
        self._configured = Router(() if adapter else routes)
        self._fallback = Router([named])
        self._adapter = named.adapter
        self._known = known

    def told(self, delivery: Delivery) -> Iterator[str]:
        """Give the lines about one message."""
        configured = self._configured.adapter(delivery.topic)
        router = self._configured if configured else self._fallback
        items = router.read(delivery)
        yield f"{delivery.received_at:%H:%M:%S}  {plain(delivery.topic)}  {self._how(delivery, configured)}"
        if not items:
            yield "    nothing in it that is kept"
        for item in items:
            yield f"    {item.gateway}: {_said(item.said, self._known)}"

    def _how(self, delivery: Delivery, configured: str | None) -> str:
        size = delivery.size or len(delivery.payload)
        kept = ", kept by the broker" if delivery.retained else ""
        if configured:
            by = f"{configured} (settings)"
        elif self._named:
            by = self._adapter
        else:
            by = f"{sniff(delivery.payload) or 'no adapter'} (found out: no topic rule matches)"
        return f"{size} bytes{kept}, read by {by}"


def hear(mqtt: MqttSettings, listener: Listener, count: int = 0) -> Iterator[str]:
    """Listen, and give the lines about each message; ends after ``count`` messages, if not 0.

    Raises:
        SettingsError: a file named for the broker cannot be read or used.
    """
    broker = dataclasses.replace(
        broker_of(mqtt),
        client_id=f"{mqtt.client_id}-listen-{secrets.token_hex(4)}",
        filters=(listener.topic_filter,),
        shared_group="",
        listening=True,
    )
    inbox = Inbox(_ROOM, _ROOM_BYTES)
    subscriber = Subscriber(broker, inbox, clock=SystemClock())
    subscriber.start()
    try:
        heard = 0
        while not count or heard < count:
            if (arrival := inbox.take(timeout=1)) is not None:
                heard += 1
                yield from listener.told(arrival.delivery)
    finally:
        inbox.close()
        subscriber.stop()


def _said(said: Said, known: Known | None) -> str:
    match said:
        case FrameUplink(reception, frame):
            return f"frame of {len(frame)} bytes{_heard(reception)}: {_telegram(said, known)}"
        case PulseUplink(reception, channel, total, weight):
            worth = f" of {weight} L" if weight is not None else ""
            return f"counter {channel} at {total} pulses{worth}{_heard(reception)}"
        case ValueUplink(reception, device, values):
            shown = ", ".join(f"{one.register.key} {one.value} {one.unit}".strip() for one in values[:_SHOWN])
            return f"device {plain(device)}: {shown}{_more(len(values))}{_heard(reception)}"
        case PartUplink(reception, first, last):
            place = "first" if first else "last" if last else "middle"
            return f"{place} part of a telegram{_heard(reception)}"
        case GatewayState() | GatewayWord() as word:
            return _word(word)
        case Unreadable(reason, sentence):
            return f"unreadable, {reason}: {sentence}"


def _word(word: GatewayState | GatewayWord) -> str:
    if isinstance(word, GatewayState):
        return "online" if word.online else "offline"
    return f"{word.leaf}: {plain(word.body[:200])}"


def _heard(reception: Reception) -> str:
    """Tell what is known of the reception."""
    said = [
        *([reception.mode] if reception.mode else []),
        *([f"{reception.rssi_dbm} dBm"] if reception.rssi_dbm is not None else []),
        *([f"{reception.heard_at:%Y-%m-%d %H:%M:%S} UTC"] if reception.clock.trusted else []),
        *([f"number {reception.seq}"] if reception.seq is not None else []),
    ]
    return f" ({', '.join(said)})" if said else ""


def _telegram(said: FrameUplink, known: Known | None) -> str:
    try:
        if known is not None:
            return known.told(said)
        telegram = decode(said.frame)
    except DecodeError as wrong:
        return f"{_whose(said.frame)}{wrong.code}: {wrong.message}"
    return f"{telegram.meter}: {values_of(telegram)}"


def _whose(frame: bytes) -> str:
    try:
        telegram: Telegram = peek(frame)
    except DecodeError:
        return ""
    return f"{telegram.meter}: "


def _more(number: int) -> str:
    return f" and {number - _SHOWN} more" if number > _SHOWN else ""
