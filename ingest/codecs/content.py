"""What a codec can find in a payload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from metering.uplink import BadUplink, MeterValue

__all__ = ["Codec", "Content", "Counter", "Frame", "Part", "demand_port", "demand_size"]


@dataclass(frozen=True, slots=True)
class Counter:
    """A pulse counter's state.

    Attributes:
        total: pulses.
        name: which input, if the device has several.
        at: when, UTC, if the device says so; ``None`` = now.
    """

    total: int
    name: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A telegram the device heard.

    Attributes:
        data: its bytes.
        at: when, UTC, by the device's clock.
        rssi_dbm: how strong.
    """

    data: bytes
    at: datetime | None = None
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a telegram, see :class:`metering.uplink.PartUplink`."""

    first: bool
    last: bool
    form: str
    payload: bytes


Content = MeterValue | Counter | Frame | Part

Codec = Callable[[int, bytes], Sequence[Content]]
"""Reads the payload of a port."""


def demand_port(port: int, *known: int) -> None:
    """Let only known ports pass.

    Raises:
        BadUplink: ``bad_port``.
    """
    if port not in known:
        raise BadUplink("bad_port", f"port {port}: this device uses {', '.join(map(str, known))}")


def demand_size(payload: bytes, size: int, what: str) -> None:
    """Let only payloads of one size pass.

    Raises:
        BadUplink: ``bad_payload``.
    """
    if len(payload) != size:
        raise BadUplink("bad_payload", f"{what} has {size} bytes, {len(payload)} came", payload)
