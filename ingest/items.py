"""What passes through ingest: a delivery of the broker, and the items an adapter finds in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metering.uplink import GatewayState, GatewayWord, Uplink

__all__ = ["LARGEST", "UNKNOWN_GATEWAY", "Delivery", "Item", "Said", "Unreadable"]

LARGEST = 1 << 20
"""Largest message that is read, bytes, packed or not: thousands of items, more than any gateway collects."""

UNKNOWN_GATEWAY = "?"
"""Account of what cannot be booked on any gateway."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the broker handed it over.

    Attributes:
        topic: where it was published.
        payload: its bytes, cut at :data:`LARGEST` + 1; ``size`` tells the whole.
        received_at: UTC; when it reached us.
        redelivered: the broker marked it as a repetition (MQTT DUP).
        retained: the broker kept it from earlier; it says nothing about now.
        size: length of what came, bytes; 0 = the length of ``payload``.
    """

    topic: str
    payload: bytes
    received_at: datetime
    redelivered: bool = False
    retained: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item no uplink can be made of.

    Attributes:
        reason: stable code (``bad_json``, ``bad_field``, ``bad_hex``, ``bad_gzip``, ``bad_crc``,
            ``bad_line``, ``bad_topic``, ``bad_time``, ``bad_number``, ``bad_payload``, ``bad_port``,
            ``no_value``, ``deltas``, ``encrypted``, ``decoder_error``, ``unknown_format``, ``too_large``,
            ``retained``, or a code of :data:`decoders.errors.CODES`).
        sentence: for people.
        sequence: ``(gateway, boot, seq)`` if at least that could be read: a repetition is known by it.
    """

    reason: str
    sentence: str
    sequence: tuple[str, str, int] | None = None


Said = Uplink | GatewayState | GatewayWord | Unreadable


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a delivery: what it says, and the bytes that say it.

    Attributes:
        gateway: whose account it is booked on.
        said: what an adapter made of it. A :class:`~metering.uplink.GatewayState` and a
            :class:`~metering.uplink.GatewayWord` are not booked as items.
        payload: this item's own bytes, exactly as they came.
        delivery: the message it came in.
    """

    gateway: str
    said: Said
    payload: bytes
    delivery: Delivery

    @property
    def sequence(self) -> tuple[str, str, int] | None:
        """``(gateway, boot, seq)`` if the gateway numbers what it sends."""
        said = self.said
        if isinstance(said, Unreadable):
            return said.sequence
        return None if isinstance(said, (GatewayState, GatewayWord)) else said.reception.sequence
