"""Devices that are no meters themselves: who stands behind a name, and what their inputs said last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metering.meter import MeterId
from metering.uplink import PartUplink

__all__ = ["ANY_GATEWAY", "Device", "Devices", "PulseReset", "PulseState"]

ANY_GATEWAY = ""
"""Stands for every gateway in :class:`Device`."""


@dataclass(frozen=True, slots=True)
class Device:
    """Which meter a device's values are of.

    Attributes:
        gateway: gateway name; :data:`ANY_GATEWAY` if the name is the same device everywhere (a DevEUI).
        name: as the gateway or network server calls it, in any letter case; kept in lower case.
        meter: whose values these are.
        valid_from: UTC.
        valid_to: UTC, exclusive; ``None`` = until further notice.
    """

    gateway: str
    name: str
    meter: MeterId
    valid_from: datetime
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower())


@dataclass(frozen=True, slots=True)
class PulseReset:
    """A counter was found below what it had been: it forgot pulses, or began again.

    A state that came late can show that it had begun again before: then nothing was lost here.

    Attributes:
        at: when it said so first, UTC.
        total: what it said then.
        lost: how far below its last state that was, pulses.
    """

    at: datetime
    total: int
    lost: int


@dataclass(frozen=True, slots=True)
class PulseState:
    """What a pulse input said last, and where its counter began again before.

    Attributes:
        total: counter state.
        at: when, UTC.
        resets: by time.
    """

    total: int
    at: datetime
    resets: tuple[PulseReset, ...] = ()

    def count(self, total: int, at: datetime, since: datetime) -> int:
        """Give the count a state at some time stands for, as if the counter had never begun again.

        Args:
            total: counter state.
            at: when it was so, UTC.
            since: resets before it do not count, UTC: whoever wrote down the start knew of them.
        """
        return total + sum(reset.lost for reset in self.resets if since < reset.at <= at)


class Devices(Protocol):
    """What is known of devices behind gateways."""

    def put(self, devices: Iterable[Device]) -> None:
        """Record devices; the same gateway, name and start replaces."""
        ...

    def named(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Device]]:
        """Give the devices of ``(gateway, name)`` pairs, names in lower case, by start.

        Those of any gateway count for each.
        """
        ...

    def pulse_states(self, inputs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], PulseState]:
        """Give what ``(gateway, channel)`` pairs said last."""
        ...

    def put_pulse_states(self, states: Mapping[tuple[str, str], PulseState]) -> None:
        """Remember what pulse inputs said last, and their resets as they are known now."""
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
