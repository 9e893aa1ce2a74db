"""A staged roll-out of settings: some gateways first, the others when those stayed well; a failure stops it.

It keeps no notes of its own: what gateways.toml says, what the broker keeps as told and what the gateways
report is all it goes by. So it can be broken off at any moment and begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from metering.errors import TelemetryError
from metering.gateway import Condition
from service.fleet_status import Drift, GatewayStatus

__all__ = ["Pace", "RolloutStopped", "Verdict", "Watch", "roll_out"]


class RolloutStopped(TelemetryError):
    """A gateway is not well with its new settings; the others were not told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a roll-out goes.

    Attributes:
        first: gateways that try the settings before all others.
        batch: gateways in each later stage; 0 = all the rest at once.
        take_s: how long an online gateway may need to take them; longer than its own trial.
        well_s: how long it must stay well with them.
        look_s: from one look to the next.
    """

    first: int = 1
    batch: int = 0
    take_s: float = 600
    well_s: float = 120
    look_s: float = 1


class Verdict(Enum):
    """How a gateway does with its new settings."""

    WAITING = "has not taken it yet"
    TRYING = "took it"
    GOOD = "is well with it"
    AWAY = "is away; it takes it when it comes back"
    FAILED = "failed"


@dataclass(slots=True)
class Watch:
    """One gateway that was told new settings; pure, the time is given.

    Attributes:
        before: how it was when it was told.
        rev: the revision it was told.
        told_at: when, seconds of any steady clock.
        health: health messages that had come by then.
        well_since: since when it is well without a break.
        because: what is wrong, in a sentence.
    """

    before: GatewayStatus
    rev: int
    told_at: float
    health: int
    well_since: float | None = None
    because: str = field(default="", init=False)

    def judge(self, now: GatewayStatus, health: int, at: float, pace: Pace) -> Verdict:
        """Judge a gateway by how it is now.

        Args:
            now: how it is.
            health: health messages of it that have come.
            at: seconds of the same clock.
            pace: how long is waited.
        """
        if now.drift is Drift.REFUSED and now.told == self.rev:
            self.because = now.error or "it says no reason"
            return Verdict.FAILED
        if now.in_force != self.rev:
            return self._not_taken(now, at, pace)
        return self._taken(now, health, at, pace)

    def _not_taken(self, now: GatewayStatus, at: float, pace: Pace) -> Verdict:
        if self.before.condition is not Condition.ONLINE and now.condition is not Condition.ONLINE:
            return Verdict.AWAY
        if at - self.told_at < pace.take_s:
            return Verdict.WAITING
        self.because = f"it has not taken it in {pace.take_s:.0f} s"
        return Verdict.FAILED

    def _taken(self, now: GatewayStatus, health: int, at: float, pace: Pace) -> Verdict:
        self.because = self._unwell(now, health)
        if self.because:
            self.well_since = None
        elif self.well_since is None:
            self.well_since = at
        if self.well_since is not None and at - self.well_since >= pace.well_s:
            return Verdict.GOOD
        if at - self.told_at < pace.take_s + pace.well_s:
            return Verdict.TRYING
        self.because = self.because or f"it was not well for {pace.well_s:.0f} s without a break"
        return Verdict.FAILED

    def _unwell(self, now: GatewayStatus, health: int) -> str:
        if now.condition is not Condition.ONLINE:
            return "it went away with it"
        if health <= self.health:
            return "it has not said since how it is"
        if new := sorted(set(now.troubles) - set(self.before.troubles)):
            return f"new trouble with it: {new[0]}: {now.troubles[new[0]]}"
        return ""


class Operating(Protocol):
    """What a roll-out needs of an operator at the broker."""

    def look(self) -> Mapping[str, GatewayStatus]:
        """Give how all gateways are now."""
        ...

    def health_messages(self, name: str) -> int:
        """Give how many health messages of a gateway have come."""
        ...

    def tell(self, name: str) -> int:
        """Tell a gateway its settings under a new revision; gives the revision."""
        ...


def roll_out(
    operator: Operating,
    names: Sequence[str],
    pace: Pace,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[str]:
    """Roll the settings out; gives what happens, in lines for people.

    Raises:
        RolloutStopped: a gateway is not well with them, or none is there to try them first.
    """
    fleet = operator.look()
    due = [name for name in names if not _settled(fleet.get(name))]
    if not due:
        yield f"all {len(names)} gateways have the settings they should have"
        return
    stages = _stages(due, fleet, pace)
    for number, stage in enumerate(stages, 1):
        yield f"stage {number} of {len(stages)}: {', '.join(stage)}"
        yield from _stage(operator, stage, pace, clock=clock, sleep=sleep)
    yield f"done: {len(due)} gateways told"


def _settled(now: GatewayStatus | None) -> bool:
    """Whether a gateway has what gateways.toml says."""
    return now is not None and now.told > 0 and now.drift is None


def _stages(due: Sequence[str], fleet: Mapping[str, GatewayStatus], pace: Pace) -> list[list[str]]:
    """Divide gateways: the first ones are such as are there, or nobody would try the settings."""
    there = [name for name in due if name in fleet and fleet[name].condition is Condition.ONLINE]
    if not there:
        raise RolloutStopped(f"none of {', '.join(due)} is online: nobody is there to try the settings first")
    first = there[: pace.first]
    rest = [name for name in due if name not in first]
    size = pace.batch or len(rest) or 1
    return [first, *(rest[at : at + size] for at in range(0, len(rest), size))]


def _stage(
    operator: Operating,
    names: Sequence[str],
    pace: Pace,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[str]:
    """Tell some gateways and watch them until every one is well or away."""
    fleet, watches = operator.look(), {}
    for name in names:
        before = fleet.get(name) or GatewayStatus(name=name)
        again = before.drift is Drift.WAITING  # told by a roll-out that was broken off
        rev = before.told if again else operator.tell(name)
        watches[name] = Watch(before, rev, clock(), operator.health_messages(name))
        yield f"{name}: {'was told' if again else 'told'} revision {rev}"
    verdicts: dict[str, Verdict] = dict.fromkeys(names, Verdict.WAITING)
    while watches:
        sleep(pace.look_s)
        fleet = operator.look()
        for name, watch in list(watches.items()):
            verdict = watch.judge(fleet[name], operator.health_messages(name), clock(), pace)
            if verdict is Verdict.FAILED:
                raise RolloutStopped(
                    f"{name}, revision {watch.rev}: {watch.because}. Nobody else is told; "
                    "mend gateways.toml and run it again"
                )
            if verdict is not verdicts[name]:
                verdicts[name] = verdict
                yield f"{name}: {verdict.value}"
            if verdict in {Verdict.GOOD, Verdict.AWAY}:
                del watches[name]
