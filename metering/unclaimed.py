"""Port of what came from devices and inputs nobody has registered yet: kept some days, in case it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from metering.uplink import PulseUplink, ValueUplink

__all__ = ["Claim", "Unclaimed", "UnclaimedKind", "UnclaimedUplink", "Waiting", "claim_of"]

UnclaimedUplink = PulseUplink | ValueUplink


class UnclaimedKind(StrEnum):
    """What sort of name it came under."""

    PULSE = "pulse"
    VALUES = "values"


class Claim(NamedTuple):
    """Whose it would be: a pulse input, or a device in lower case, of a gateway."""

    kind: UnclaimedKind
    gateway: str
    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One uplink that waits.

    Attributes:
        id: number, by which it is dropped.
        uplink: as it was read when it came.
    """

    id: int
    uplink: UnclaimedUplink


def claim_of(uplink: UnclaimedUplink) -> Claim:
    """Give the name an uplink came under."""
    gateway = uplink.reception.gateway
    if isinstance(uplink, PulseUplink):
        return Claim(UnclaimedKind.PULSE, gateway, uplink.channel)
    return Claim(UnclaimedKind.VALUES, gateway, uplink.device.lower())


class Unclaimed(Protocol):
    """Uplinks without a meter."""

    def keep(self, uplinks: Iterable[UnclaimedUplink]) -> None:
        """Keep uplinks; the same twice is one."""
        ...

    def asked(self) -> int:
        """Give how often meters, devices or inputs were registered: whether it is time to look again."""
        ...

    def claims(self, after: Claim | None, limit: int) -> Sequence[Claim]:
        """Give names something waits under, in order, behind one of them."""
        ...

    def waiting(self, claims: Collection[Claim], after: int, limit: int) -> Sequence[Waiting]:
        """Give what waits under some names, in the order it came, behind a number."""
        ...

    def drop(self, ids: Iterable[int]) -> None:
        """Let go of what has its meter now."""
        ...

    def count(self, before: datetime) -> int:
        """Give how many were heard before a time."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete what was heard before a time, the oldest first; gives how many went."""
        ...
