"""One register of one meter as columns of numbers: what anomaly mathematics reads, thousands at a time.

Exact decimals stay in :class:`metering.ports.ReadingStore`; these are binary floats, for judging only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from metering.meter import MeterId
from metering.reading import Register

if TYPE_CHECKING:  # named here, made by the store: whoever only decodes does not wait for it
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Columns", "Digest", "RegisterColumns"]


@dataclass(frozen=True, slots=True, eq=False)
class RegisterColumns:
    """Values of one register, by time, then value.

    Attributes:
        at: when each was so, whole UTC seconds.
        value: in the unit asked for.
        arrived: when it reached us, UTC microseconds.
        telegram: archive number of its telegram; -1 = it has none.
        gateway: place in ``gateways`` of the one that brought it.
        gateways: names.
    """

    at: NDArray[np.int64]
    value: NDArray[np.float64]
    arrived: NDArray[np.int64]
    telegram: NDArray[np.int64]
    gateway: NDArray[np.int64]
    gateways: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a meter's values come to: another digest means that something came, went or was mended.

    Attributes:
        values: how many there are.
        until: when the newest was so, UTC.
        arrived: when the one that came last came, UTC.
        text: the same for each register, and the sum of its values.
    """

    values: int
    until: datetime
    arrived: datetime
    text: str


class Columns(Protocol):
    """Registers as columns."""

    def of(
        self, meter: MeterId, register: Register, unit: str, since: datetime, until: datetime
    ) -> RegisterColumns:
        """Give the values with ``since <= measured_at < until`` that have this unit."""
        ...

    def digests(
        self, meters: Collection[MeterId], registers: Collection[Register], since: datetime, until: datetime
    ) -> Mapping[MeterId, Digest]:
        """Sum up registers of each of some meters without reading them; nothing for those without values."""
        ...

    def registers(self, meters: Collection[MeterId]) -> Mapping[MeterId, Collection[Register]]:
        """Give the registers each of some meters has values of; nothing for those that have none."""
        ...
