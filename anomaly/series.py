"""The readings of one meter as arrays, and what is known of the meter.

Times are whole UTC seconds, indices litres in binary floats: this is the mathematics room, the exact
decimals stay outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Flags", "Floats", "Ints", "MeterClass", "MeterFacts", "Series"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class MeterClass(StrEnum):
    """Whose use runs through the meter: it decides how much evidence is asked for."""

    RESIDENTIAL = "residential"
    MULTI_DWELLING = "multi_dwelling"
    COMMERCIAL = "commercial"
    IRRIGATION = "irrigation"


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What the registry knows of a meter; everything but its id may be unknown.

    Attributes:
        meter: id as the readings name it.
        kind: whose use it measures.
        q3_m3h: permanent flow rate Q3 in m3/h (OIML R 49-1, 3.3.4).
        digits: digits of the register, counted in steps of its resolution.
        resolution_l: smallest step of the register, litres.
    """

    meter: str
    kind: MeterClass = MeterClass.RESIDENTIAL
    q3_m3h: float | None = None
    digits: int | None = None
    resolution_l: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Readings of one meter in the order they arrived.

    Attributes:
        facts: the meter.
        at: the meter's time of each reading, UTC seconds.
        index: the register, litres.
        known_at: the latest meter time that had arrived by then: when this reading could be known.
    """

    facts: MeterFacts
    at: Ints
    index: Floats
    known_at: Ints

    @classmethod
    def arrived(
        cls, facts: MeterFacts, at: ArrayLike, index: ArrayLike, seq: ArrayLike | None = None
    ) -> Self:
        """Take readings in order of ``seq``, else in the order given."""
        times, values = np.asarray(at, np.int64), np.asarray(index, np.float64)
        if seq is not None:
            order = np.argsort(np.asarray(seq), kind="stable")
            times, values = times[order], values[order]
        return cls(facts, times, values, times)

    def __len__(self) -> int:
        return len(self.at)
