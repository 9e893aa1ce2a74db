"""Meters that are not heard: one by one, or all of a gateway at once.

::

    readings   o o o o o o ............................ o
                           | 72 h, 3 cadences, its own |
                           | longest usual pause       |
                                                       suspect, at 10 days notify

A meter is silent when nothing came for 72 hours, and for longer than three of its cadences and than
nearly all of its own pauses so far. The clock is that of the fleet: the time of the newest reading of any
meter. Where most meters of a gateway (or of all, where gateways are not known) fell silent together, the
gateway is silent and its meters are not told one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from anomaly.batch import Batch
from anomaly.gate import Gated
from anomaly.local_time import DAY, HOUR
from anomaly.series import Ints
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["SilentDetector"]

SHORTEST = 72 * HOUR
CADENCES = 3
USUAL = 0.999
TOLD = 10 * DAY
TOGETHER = 0.5
"""Share of a gateway's meters that are silent together when the gateway is."""
FEWEST_TOGETHER = 3
AROUND = 6 * HOUR
"""Meters that fell silent this near to one another fell silent together."""
EVERYBODY = "fleet"
"""Subject of a silence of most meters where their gateways are not known."""


@dataclass(frozen=True, slots=True)
class SilentDetector:
    """Detector of ``silent.meter`` and ``silent.gateway``.

    Attributes:
        gateways: the gateway that usually brings a meter, by meter id.
    """

    gateways: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ("silent.meter", "silent.gateway")
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING})

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Find silences, put those of one gateway together, tell the rest."""
        if not batch.meters:
            return
        clock = np.unique(np.concatenate([gated.at for gated in batch.meters]))
        silences = [one for gated in batch.meters for one in _silences(gated, clock)]
        groups = defaultdict(list)
        members: dict[str, int] = defaultdict(int)
        for gated in batch.meters:
            members[self._gateway(gated.facts.meter)] += 1
        for one in silences:
            groups[self._gateway(one.meter)].append(one)
        for gateway, found in groups.items():
            yield from _told(gateway, found, members[gateway], clock)

    def _gateway(self, meter: str) -> str:
        return self.gateways.get(meter, EVERYBODY)


@dataclass(frozen=True, slots=True)
class _Silence:
    """Last reading before it, first reading after it (``None`` while it lasts), seconds that it had to last."""

    meter: str
    since: int
    until: int | None
    asked: int


def _silences(gated: Gated, clock: Ints) -> Iterator[_Silence]:
    pauses = np.diff(np.append(gated.at, clock[-1]))
    for place in np.flatnonzero(pauses > SHORTEST):
        asked = _asked(np.diff(gated.at[: place + 1]))
        if pauses[place] > asked:
            until = int(gated.at[place + 1]) if place + 1 < len(gated) else None
            yield _Silence(gated.facts.meter, int(gated.at[place]), until, asked)


def _asked(pauses: Ints) -> int:
    """Give how long a meter must be silent, from its pauses so far."""
    if not len(pauses):
        return SHORTEST
    usual = max(CADENCES * float(np.median(pauses)), float(np.quantile(pauses, USUAL)))
    return max(SHORTEST, int(usual))


def _told(gateway: str, found: list[_Silence], members: int, clock: Ints) -> Iterator[Finding]:
    found.sort(key=lambda one: one.since)
    for together in _together(found):
        if len(together) >= max(FEWEST_TOGETHER, TOGETHER * members):
            yield from _finding(gateway, "silent.gateway", together, clock)
        else:
            for one in together:
                yield from _finding(one.meter, "silent.meter", [one], clock)


def _together(found: Sequence[_Silence]) -> Iterator[list[_Silence]]:
    group: list[_Silence] = []
    for one in found:
        if group and one.since - group[0].since > AROUND:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _finding(subject: str, name: str, silences: list[_Silence], clock: Ints) -> Iterator[Finding]:
    """Tell one silence, if the fleet's clock had gone far enough before it ended."""
    first = silences[0]
    heard_again = [one.until for one in silences if one.until is not None]
    cleared = min(heard_again) if heard_again else None
    stages = tuple(_stages(name, first, silences, clock))
    if stages:
        yield Finding(subject, stages, None if cleared is None else moment(cleared))


def _stages(name: str, first: _Silence, silences: list[_Silence], clock: Ints) -> Iterator[Stage]:
    asked = max(one.asked for one in silences)
    reached = 0
    for tier, after in ((Tier.SUSPECT, asked), (Tier.NOTIFY, max(TOLD, asked))):
        place = int(np.searchsorted(clock, first.since + after))
        if place == len(clock) or (after > asked and first.until is not None and clock[place] >= first.until):
            return
        reached = max(int(clock[place]), reached)
        evidence = {
            "hours": round((reached - first.since) / HOUR, 1),
            "meters": sorted(one.meter for one in silences)[:50],
            "count": len(silences),
        }
        yield stage(tier, name, reached, first.since, evidence)
