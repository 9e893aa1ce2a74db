"""Meters that are not heard: one by one, or all of a gateway at once.

::

    readings   o o o o o o ............................ o
                           | 72 h, 3 cadences, its own |
                           | longest usual pause       |
                                                       suspect, at 10 days notify

A meter is silent when nothing came for 72 hours, and for longer than three of its cadences and than
nearly all of its own pauses so far. The clock is that of the fleet: the first reading of every hour by any
meter, and the newest. Where most meters of a gateway (or of all, where gateways are not known) fell silent
together, the gateway is silent and its meters are not told one by one.

Notify only where gateways are known: from a file alone nobody can tell a meter that fell silent from one
that is not in the file any more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from anomaly.batch import Batch
from anomaly.gate import DoubtKind, Gated
from anomaly.local_time import DAY, HOUR
from anomaly.series import Ints
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["Heard", "SilentDetector"]

SHORTEST = 72 * HOUR
CADENCES = 3
USUAL = 0.999
FEWEST_PAUSES = 5
CADENCE_UNKNOWN = 35 * DAY
"""A meter that was heard a few times only may be one that is read every month."""
TOLD = 10 * DAY
TOGETHER = 0.5
"""Share of a gateway's meters that are silent together when the gateway is."""
FEWEST_TOGETHER = 3
AROUND = 6 * HOUR
"""Meters that fell silent this near to one another fell silent together."""
_HEARD = {DoubtKind.DECODE_ERROR, DoubtKind.OUT_OF_ORDER, DoubtKind.HELD}
EVERYBODY = "fleet"
"""Subject of a silence of most meters where their gateways are not known."""


@dataclass(frozen=True, slots=True)
class _Pause:
    """Last time heard before it, first time after it (``None`` at the end), seconds of a silence."""

    since: int
    until: int | None
    asked: int


@dataclass(slots=True)
class Heard:
    """What some meters show: their pauses, and the first reading of every hour by any of them."""

    pauses: dict[str, tuple[_Pause, ...]] = field(default_factory=dict)
    clock: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    newest: int = 0

    def tell_time(self, heard: Sequence[Ints]) -> None:
        """Take in when meters were heard, UTC seconds, each rising."""
        if heard:
            self.clock = _first_of_hours(np.concatenate([self.clock, *map(_thinned, heard)]))
            self.newest = max(self.newest, *(int(at[-1]) for at in heard))


def _thinned(at: Ints) -> Ints:
    """Give the first of every hour of one meter."""
    return np.asarray(at[np.concatenate([[True], np.diff(at // HOUR) > 0])], np.int64)


def _first_of_hours(at: Ints) -> Ints:
    """Give the first of every hour of all, rising."""
    hour = at // HOUR
    first = np.full(int(hour.max()) - int(hour.min()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, hour - int(hour.min()), at)
    return np.asarray(first[first < np.iinfo(np.int64).max], np.int64)


@dataclass(frozen=True, slots=True)
class SilentDetector:
    """Fleet detector of ``silent.meter`` and ``silent.gateway``.

    Attributes:
        gateways: the gateway that usually brings a meter, by meter id.
    """

    gateways: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ("silent.meter", "silent.gateway")
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING})

    def gather(self, batch: Batch) -> Heard:
        """Note of some meters when they paused, and what they show of the fleet's clock."""
        heard = {gated.facts.meter: _heard(gated) for gated in batch.meters}
        told = Heard({meter: tuple(_pauses(at)) for meter, at in heard.items()})
        told.tell_time(list(heard.values()))
        return told

    def conclude(self, gathered: Iterable[Heard]) -> Iterator[Finding]:
        """Find silences, put those of one gateway together, tell the rest."""
        parts = [part for part in gathered if part.pauses]
        if not parts:
            return
        newest = max(part.newest for part in parts)
        clock = np.union1d(_first_of_hours(np.concatenate([part.clock for part in parts])), newest)
        pauses = {meter: told for part in parts for meter, told in part.pauses.items()}
        groups: dict[str, list[_Silence]] = defaultdict(list)
        for meter, told in sorted(pauses.items()):
            groups[self._gateway(meter)] += [
                _Silence(meter, one.since, one.until, one.asked)
                for one in told
                if (newest if one.until is None else one.until) - one.since >= one.asked
            ]
        members = Counter(map(self._gateway, pauses))
        for gateway in sorted(groups):
            yield from _told(gateway, groups[gateway], members[gateway], clock)

    def _gateway(self, meter: str) -> str:
        return self.gateways.get(meter, EVERYBODY)


@dataclass(frozen=True, slots=True)
class _Silence:
    """Last time heard before it, first time after it (``None`` while it lasts), seconds it had to last."""

    meter: str
    since: int
    until: int | None
    asked: int


def _heard(gated: Gated) -> Ints:
    """Give when the meter was heard, believed or not."""
    off = [doubt.at for doubt in gated.doubts if doubt.kind in _HEARD]
    return np.unique(np.concatenate([gated.at, np.array(off, np.int64)])) if off else gated.at


def _pauses(at: Ints) -> Iterator[_Pause]:
    """Give pauses longer than usual for the meter, and the one that may have begun with its last reading."""
    pauses = np.diff(at)
    for place in np.flatnonzero(pauses >= SHORTEST):
        asked = _asked(pauses[:place])
        if pauses[place] >= asked:
            yield _Pause(int(at[place]), int(at[place + 1]), asked)
    yield _Pause(int(at[-1]), None, _asked(pauses))


def _asked(pauses: Ints) -> int:
    """Give how long a meter must be silent, from its pauses so far."""
    if len(pauses) < FEWEST_PAUSES:
        return CADENCE_UNKNOWN
    usual = max(CADENCES * float(np.median(pauses)), float(np.quantile(pauses, USUAL, method="higher")))
    return max(SHORTEST, int(usual) + 1)


def _told(gateway: str, found: list[_Silence], members: int, clock: Ints) -> Iterator[Finding]:
    found.sort(key=lambda one: one.since)
    for together in _together(found):
        if len(together) >= max(FEWEST_TOGETHER, TOGETHER * members):
            yield from _finding(gateway, "silent.gateway", together, clock)
        else:
            for one in together:
                yield from _finding(gateway, "silent.meter", [one], clock)


def _together(found: Sequence[_Silence]) -> Iterator[list[_Silence]]:
    group: list[_Silence] = []
    for one in found:
        if group and one.since - group[0].since > AROUND:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _finding(gateway: str, name: str, silences: list[_Silence], clock: Ints) -> Iterator[Finding]:
    """Tell one silence, if the fleet's clock had gone far enough before it ended."""
    heard_again = [one.until for one in silences if one.until is not None]
    cleared = min(heard_again) if heard_again else None
    until = int(clock[-1]) if cleared is None else cleared
    stages = tuple(_stages(name, silences, clock, until, told=gateway != EVERYBODY))
    if stages:
        subject = gateway if name == "silent.gateway" else silences[0].meter
        yield Finding(subject, stages, None if cleared is None else moment(cleared))


def _stages(name: str, silences: list[_Silence], clock: Ints, until: int, *, told: bool) -> Iterator[Stage]:
    since, asked = silences[0].since, max(one.asked for one in silences)
    steps = [(Tier.SUSPECT, asked), (Tier.NOTIFY, max(TOLD, asked))]
    for tier, after in steps[: 2 if told else 1]:
        place = int(np.searchsorted(clock, since + after))
        if place == len(clock) or clock[place] > until:
            return
        evidence = {
            "hours": round((int(clock[place]) - since) / HOUR, 1),
            "meters": sorted(one.meter for one in silences)[:50],
            "count": len(silences),
        }
        yield stage(tier, name, int(clock[place]), since, evidence)
