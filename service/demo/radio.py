"""Who hears whom: two gateways on roofs above the town, and how strong a meter arrives there.

Log-distance path loss as measured in built-up areas (exponent 3), with a few decibels of chance; below the
receiver's sensitivity nothing is heard. The two overhear each other's half of the town.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from service.demo.town import House

__all__ = ["RECEIVERS", "Receiver", "cut_off", "strength_dbm"]

_AT_TEN_METRES_DBM = -40.0
_LOSS_PER_DECADE_DB = 30.0
_CHANCE_DB = 2.0
_SENSITIVITY_DBM = -94
_EDGE_DBM = -92
"""Below this a frame may arrive cut off."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A gateway's place: metres east and north of the town's western edge."""

    name: str
    place: tuple[int, int]


RECEIVERS = (Receiver("gw-gorny", (390, 200)), Receiver("gw-dolny", (1100, 220)))


def strength_dbm(receiver: Receiver, house: House, random: Random) -> int | None:
    """Give the signal strength of one transmission at a receiver, dBm; ``None`` = not heard."""
    metres = max(math.dist(receiver.place, house.place), 10.0)
    loss = _LOSS_PER_DECADE_DB * math.log10(metres / 10.0)
    strength = round(_AT_TEN_METRES_DBM - loss + random.gauss(0.0, _CHANCE_DB))
    return strength if strength >= _SENSITIVITY_DBM else None


def cut_off(frame: bytes, strength: int, random: Random) -> bytes:
    """Give the frame as received: at the edge of hearing one in fifty loses its tail.

    The tail is longer than the checksums some receivers strip without saying so in the length field.
    """
    if strength < _EDGE_DBM and random.random() < 1 / 50:
        return frame[: random.randint(11, len(frame) - 5)]
    return frame
