"""Two gateways that overhear one another: they publish without end and keep a log of their own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from decoders.build import build
from decoders.wmbus.encode import record
from metering.meter import MeterId

START, STEP = datetime(2025, 1, 1, tzinfo=UTC), timedelta(minutes=5)
"""Each round is so much later than the one before. It must stay in the past, however long a campaign runs: a
gateway that says it heard something tomorrow is not believed."""
BOOT = "fa017001"
READ = [MeterId("SEN", f"{number:08d}", "68", "07") for number in range(1, 31)]
KEYLESS = [MeterId("SEN", "50000001", "68", "07"), MeterId("SEN", "50000002", "68", "07")]
STRANGERS = [MeterId("SEN", "90000001", "68", "07"), MeterId("SEN", "90000002", "68", "07")]
KEY = bytes.fromhex("3f8a5b0e9c417d26e1b0c97f52a4d813")
"""Of the meters whose key nobody has imported."""
NOISE = "00112233445566"
"""No frame."""


def frame(meter: MeterId, round_: int) -> bytes:
    """A telegram whose index tells which it is: litres = round."""
    payload = record(b"\x13", Decimal(round_).scaleb(-3), field=4)
    secret = {"mode": 5, "key": KEY} if meter in KEYLESS else {}
    return build(meter, payload, access=round_ % 256, **secret)


@dataclass(frozen=True, slots=True)
class Sent:
    """One item a gateway published: of a meter and a round, or noise."""

    gateway: str
    meter: MeterId | None
    round: int


class Gateway(threading.Thread):
    """Publishes a part of what is on the air, numbered, with QoS 1."""

    def __init__(self, name: str, port: int, *, hears: int, late_s: float, messages_per_s: float) -> None:
        super().__init__(name=f"gateway-{name}", daemon=True)
        self.log: list[Sent] = []
        self._gateway, self._hears, self._late = name, hears, timedelta(seconds=late_s)
        self.pause = 1 / messages_per_s
        self._done = threading.Event()
        self._sequence = self._confirmed = 0
        self._client = Client(CallbackAPIVersion.VERSION2, f"gateway-{name}", protocol=MQTTv5)
        self._client.max_inflight_messages_set(50)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", port, clean_start=False, properties=kept)
        self._client.loop_start()

    def run(self) -> None:
        topic, number = f"amr/1/{self._gateway}/up", 0
        for number, items in enumerate(self._messages(), 1):
            self.log += [sent for _, sent in items]
            self._client.publish(topic, json.dumps([item for item, _ in items]), qos=1)
            time.sleep(self.pause)
            while number - self._confirmed > 200 and not self._done.is_set():  # the broker is away
                time.sleep(0.05)
            if self._done.is_set():
                break
        while self._confirmed < number:
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, *_: object) -> None:
        self._confirmed += 1

    def end(self) -> None:
        """Publish no more; returns when the broker has confirmed everything."""
        self._done.set()
        self.join(90)
        assert not self.is_alive()

    def _messages(self) -> Iterator[list[tuple[dict[str, object], Sent]]]:
        meters = [*READ, *KEYLESS, *STRANGERS][:: self._hears]
        for round_ in range(1, 1_000_000):
            for first in range(0, len(meters), 5):
                some = meters[first : first + 5]
                yield [self._item(frame(meter, round_).hex(), meter, round_) for meter in some]
            yield [self._item(NOISE, None, round_)]

    def _item(self, text: str, meter: MeterId | None, round_: int) -> tuple[dict[str, object], Sent]:
        self._sequence += 1
        at = START + STEP * round_ + self._late
        item = {
            "v": 1,
            "k": "frame",
            "boot": BOOT,
            "seq": self._sequence,
            "ts": at.isoformat().replace("+00:00", "Z"),
            "ts_src": "ntp",
            "hex": text,
        }
        return item, Sent(self._gateway, meter, round_)


class Town:
    """Both gateways; their air is the same."""

    def __init__(self, port: int, *, messages_per_s: float = 50) -> None:
        self._gateways = [
            Gateway("roof", port, hears=1, late_s=0, messages_per_s=messages_per_s),
            Gateway("cellar", port, hears=2, late_s=0.8, messages_per_s=messages_per_s / 2),
        ]

    def __enter__(self) -> Self:
        for gateway in self._gateways:
            gateway.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for gateway in self._gateways:
            gateway.end()

    def hurry(self, messages_per_s: float) -> None:
        """Publish so many messages a second from now on, each."""
        for gateway in self._gateways:
            gateway.pause = 1 / messages_per_s

    @property
    def published(self) -> dict[str, list[Sent]]:
        """What each published, in order; the first has number 1."""
        return {gateway.name.removeprefix("gateway-"): gateway.log for gateway in self._gateways}
