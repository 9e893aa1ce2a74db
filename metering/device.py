"""Devices that are no meters themselves: who stands behind a name, and what their inputs said last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metering.meter import MeterId
from metering.uplink import PartUplink

__all__ = ["ANY_GATEWAY", "Device", "Devices", "PulseState"]

ANY_GATEWAY = ""
"""Stands for every gateway in :class:`Device`."""


@dataclass(frozen=True, slots=True)
class Device:
    """Which meter a device's values are of.

    Attributes:
        gateway: gateway name; :data:`ANY_GATEWAY` if the name is the same device everywhere (a DevEUI).
        name: as the gateway or network server calls it.
        meter: whose values these are.
        valid_from: UTC.
        valid_to: UTC, exclusive; ``None`` = until further notice.
    """

    gateway: str
    name: str
    meter: MeterId
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class PulseState:
    """What a pulse input said last.

    Attributes:
        total: counter state.
        at: when, UTC.
        resets: how often in a row of a day the counter began again below what it had been.
        resets_since: when the first of those was; ``None`` if there was none.
    """

    total: int
    at: datetime
    resets: int = 0
    resets_since: datetime | None = None


class Devices(Protocol):
    """What is known of devices behind gateways."""

    def put(self, devices: Iterable[Device]) -> None:
        """Record devices; the same gateway, name and start replaces."""
        ...

    def named(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Device]]:
        """Give the devices of ``(gateway, name)`` pairs, by start; those of any gateway count for each."""
        ...

    def pulse_states(self, inputs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], PulseState]:
        """Give what ``(gateway, channel)`` pairs said last."""
        ...

    def put_pulse_states(self, states: Mapping[tuple[str, str], PulseState]) -> None:
        """Remember what pulse inputs said last."""
        ...

    def parts(self, sessions: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[PartUplink]]:
        """Give the parts that wait for others, by ``(gateway, boot)``, in the order of their numbers."""
        ...

    def keep_parts(self, parts: Iterable[PartUplink]) -> None:
        """Keep parts until the others come; the same number twice is one."""
        ...

    def drop_parts(self, parts: Iterable[PartUplink]) -> None:
        """Let go of parts that were put together."""
        ...
