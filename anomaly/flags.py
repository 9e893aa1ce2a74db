"""Status flags of meters: told when they are set, not in every telegram that repeats them.

A flag is *edge-triggered* (told once), *debounced* (set for 15 minutes, unless it is one the meter itself
latches), *latched* where a person must look (tampering, magnet, removal stay open), and *one within a day*:
set again within 24 hours it is the same finding come back. What is latched is over when somebody said what it
was; a flag that stays set after that is not told again before it was off. A magnet and a register that stands
still from then on are worth a crew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from anomaly.batch import Batch
from anomaly.gate import Gated
from anomaly.local_time import DAY
from anomaly.sufficiency import Reason
from anomaly.telling import moment, stage
from metering.finding import Finding, Stage, Tier

__all__ = ["LATCHED", "Flag", "FlagReport", "FlagsDetector", "hand_flags_at"]

DEBOUNCE = 15 * 60
AGAIN = DAY
FROZEN = 2 * DAY
USED = 30 * DAY
IN_USE_LPD = 20.0


class Flag(StrEnum):
    """What a meter can say of itself."""

    BATTERY = "battery"
    REMOVAL = "removal"
    TAMPER = "tamper"
    MAGNET = "magnet"
    DRY = "dry"
    REVERSE = "reverse"
    LEAK = "meter_leak"
    BURST = "meter_burst"
    FAULT = "fault"


LATCHED = frozenset({Flag.REMOVAL, Flag.TAMPER, Flag.MAGNET})
"""Flags that stay told until a person said what they were."""
_TIER = {
    Flag.BATTERY: Tier.NOTIFY,
    Flag.REMOVAL: Tier.NOTIFY,
    Flag.TAMPER: Tier.NOTIFY,
    Flag.MAGNET: Tier.NOTIFY,
    Flag.DRY: Tier.SUSPECT,
    Flag.REVERSE: Tier.SUSPECT,
    Flag.LEAK: Tier.SUSPECT,
    Flag.BURST: Tier.SUSPECT,
    Flag.FAULT: Tier.NOTIFY,
}
"""The meter's own rules for flow stay suspects: the detectors of flow say when it is worth telling."""


@dataclass(frozen=True, slots=True)
class FlagReport:
    """The flags of one telegram: those set, all others are not.

    Attributes:
        at: when it was heard, UTC seconds.
        flags: those set.
        telegram: its archive number, if it has one.
    """

    at: int
    flags: frozenset[Flag]
    telegram: int | None = None


def hand_flags_at(reports: Iterable[FlagReport]) -> tuple[int, ...]:
    """Give when flags came up that a hand may have caused: evidence for a fall that nothing else explains."""
    before: frozenset[Flag] = frozenset()
    found = []
    for report in sorted(reports, key=lambda one: one.at):
        if (report.flags - before) & LATCHED:
            found.append(report.at)
        before = report.flags
    return tuple(found)


@dataclass(frozen=True, slots=True)
class FlagsDetector:
    """Detector of ``battery.reported``, ``tamper.reported`` and so on, and of ``magnet.frozen``.

    Attributes:
        reports: by meter id, in any order.
        judged: by meter id and flag: when somebody said what a latched flag was, UTC seconds, rising.
    """

    reports: Mapping[str, Sequence[FlagReport]] = field(default_factory=dict)
    judged: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    names: tuple[str, ...] = (*(f"{flag}.reported" for flag in Flag), "magnet.frozen")
    blocked_by: frozenset[Reason] = frozenset()

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Follow every flag of every meter."""
        for gated in batch.meters:
            reports = sorted(self.reports.get(gated.facts.meter, ()), key=lambda report: report.at)
            if reports:
                judged = self.judged.get(gated.facts.meter, {})
                for flag in Flag:
                    yield from _findings(gated, flag, reports, judged.get(flag, ()))


@dataclass(slots=True)
class _Case:
    onset: int
    telegram: int | None
    raised: int | None = None
    off_at: int | None = None
    judged_at: int | None = None
    returns: list[int] = field(default_factory=list)


def _findings(
    gated: Gated, flag: Flag, reports: Sequence[FlagReport], judged: Sequence[int]
) -> Iterator[Finding]:
    case: _Case | None = None
    waiting = list(judged) if flag in LATCHED else []
    for report in reports:
        while waiting and waiting[0] <= report.at:
            _judge(case, waiting.pop(0))
        if case is not None and case.off_at is not None and _is_over(case, flag, report):
            yield _finding(gated, flag, case)
            case = None
        case = _follow(case, flag, report)
    for at in waiting:
        _judge(case, at)
    if case is not None and case.raised is not None:
        yield _finding(gated, flag, case)


def _judge(case: _Case | None, at: int) -> None:
    if case is not None and case.raised is not None and case.judged_at is None:
        case.judged_at = max(at, case.raised)


def _is_over(case: _Case, flag: Flag, report: FlagReport) -> bool:
    """Whether what comes now is another event; ``case`` is off."""
    if flag in LATCHED:
        return case.judged_at is not None
    return case.off_at is not None and report.at - case.off_at > AGAIN


def _follow(case: _Case | None, flag: Flag, report: FlagReport) -> _Case | None:
    if flag not in report.flags:
        if case is None or case.raised is None:
            return None
        case.off_at = report.at if case.off_at is None else case.off_at
        return case
    case = case or _Case(report.at, report.telegram)
    if case.off_at is not None:
        case.returns.append(report.at)
        case.off_at = None
    if case.raised is None and (flag in LATCHED or report.at - case.onset >= DEBOUNCE):
        case.raised = report.at
    return case


def _finding(gated: Gated, flag: Flag, case: _Case) -> Finding:
    raised = case.onset if case.raised is None else case.raised
    evidence: dict[str, object] = {"flag": flag.value, "since": moment(case.onset).isoformat()}
    if case.telegram is not None:
        evidence["telegram"] = case.telegram
    stages = [stage(_TIER[flag], f"{flag}.reported", raised, case.onset, evidence)]
    if flag is Flag.MAGNET:
        stages.extend(_frozen(gated, case.onset))
    ended = case.judged_at if flag in LATCHED else case.off_at
    cleared = None if ended is None else moment(ended)
    outcome = {"came_back": [moment(at).isoformat() for at in case.returns]} if case.returns else {}
    return Finding(gated.facts.meter, tuple(stages), cleared, outcome)


def _frozen(gated: Gated, magnet_at: int) -> Iterator[Stage]:
    """Tell when the register stood still for two days from the magnet on, after daily use."""
    first = int(np.searchsorted(gated.at, magnet_at))
    last = int(np.searchsorted(gated.at, magnet_at + FROZEN))
    if first == 0 or last == len(gated) or gated.index[last] != gated.index[first]:
        return
    begin = int(np.searchsorted(gated.at, magnet_at - USED))
    days = float(gated.at[first] - gated.at[begin]) / DAY
    used = float(gated.index[first] - gated.index[begin]) / days if days else 0.0
    if used >= IN_USE_LPD:
        evidence = {
            "still_hours": round((int(gated.at[last]) - magnet_at) / 3600, 1),
            "use_lpd": round(used, 1),
        }
        yield stage(Tier.DISPATCH, "magnet.frozen", int(gated.known_at[last]), magnet_at, evidence)
