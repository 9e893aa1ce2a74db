"""The two gateways: what they hear, numbered and in the envelope of :mod:`metering.uplink`, as MQTT messages.

History goes out as from a spool after an outage, in long arrays marked ``hist``; live telegrams go out as
they are heard.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

import orjson

from metering.uplink import UplinkTopic
from service.demo.radio import Receiver, cut_off, strength_dbm
from service.demo.telegrams import Transmitter, pulse_total
from service.demo.town import House, Kind, Town

__all__ = ["ITEMS_PER_MESSAGE", "Air", "Gateway", "Link"]

ITEMS_PER_MESSAGE = 400
"""About 120 kB of JSON a message: long enough to be fast, far below a broker's limits."""


class Link(Protocol):
    """A gateway's connection to a broker."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1."""
        ...


class Gateway:
    """One gateway: numbers what it hears since its boot and publishes it in arrays.

    Attributes:
        name: as in its topics.
        published: items published so far.
    """

    def __init__(self, receiver: Receiver, link: Link) -> None:
        self.name = receiver.name
        self.published = 0
        self.receiver = receiver
        self._link = link
        # Never from the seed: two runs of one town into one database are different boots.
        self._boot = secrets.token_hex(4)
        self._seq = 0
        self._waiting: list[dict[str, Any]] = []

    @property
    def waiting(self) -> int:
        """Items heard and not yet published."""
        return len(self._waiting)

    def heard(self, kind: str, moment: datetime, history: bool, **content: Any) -> None:  # noqa: FBT001  named "hist" in the envelope
        """Number an item and put it in line."""
        self._seq += 1
        self._waiting.append(
            {"v": 1, "k": kind, "boot": self._boot, "seq": self._seq, "ts": _rfc3339(moment)}
            | {"ts_src": "ntp", "hist": history}
            | content
        )

    def publish(self) -> None:
        """Publish what waits as one array."""
        items, self._waiting = self._waiting, []
        self._link.publish(str(UplinkTopic(self.name, "up")), orjson.dumps(items))
        self.published += len(items)

    def say(self, state: str, moment: datetime) -> None:
        """Publish ``online`` or ``offline``, retained."""
        statement = {"v": 1, "state": state, "boot": self._boot, "ts": _rfc3339(moment)}
        self._link.publish(str(UplinkTopic(self.name, "state")), orjson.dumps(statement), retain=True)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Air:
    """What lies between meters and gateways: one transmission, an item of each who hears it."""

    def __init__(self, town: Town, gateways: Sequence[Gateway], seed: int) -> None:
        self._random = Random(f"{seed}/air")
        self._gateways = gateways
        self._transmitters = {
            house.meter: Transmitter(house, seed)
            for house in town.on_air
            if house.model.kind is not Kind.PULSE
        }

    def transmit(self, house: House, moment: datetime, *, history: bool) -> None:
        """Let one meter transmit, or one input be read."""
        if house.model.kind is Kind.PULSE:
            self._count(house, moment, history)
            return
        frame = self._transmitters[house.meter].frame(moment)
        for gateway, strength in self._listeners(house, history):
            received = cut_off(frame, strength, self._random)
            gateway.heard("frame", moment, history, mode=house.model.radio, rssi=strength, hex=received.hex())

    def _listeners(self, house: House, history: bool) -> Iterator[tuple[Gateway, int]]:  # noqa: FBT001  passed through
        """Give who hears a transmission, and how strong.

        One of the history stands for the many of its hour, of which somebody heard at least one.
        """
        unheard = history
        while True:
            for gateway in self._gateways:
                strength = strength_dbm(gateway.receiver, house, self._random)
                if strength is not None:
                    unheard = False
                    yield gateway, strength
            if not unheard:
                return

    def _count(self, house: House, moment: datetime, history: bool) -> None:  # noqa: FBT001  passed through
        for gateway in self._gateways:
            if gateway.name == house.gateway:
                total = pulse_total(house, moment)
                gateway.heard("pulse", moment, history, ch=house.channel, total=total, pulse_l="10")
