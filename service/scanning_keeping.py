"""What is found is kept, part by part; who is told is decided when all of the fleet was looked at.

Between the two a finding stands with ``muted`` = WAITS. A scan that was stopped leaves some so, and the next
one decides about them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anomaly.local_time import HOUR
from anomaly.telling import moment
from anomaly.together import SUBJECT, together
from metering.errors import InvalidValue
from metering.finding import Finding, Tier
from metering.findings import WAITS, FindingState, Kept, Wanted
from metering.meter import MeterId
from metering.ports import Store, Transaction
from service.anomaly_settings import AnomalySettings
from service.notices.teller import ask_for
from service.scanning_budget import MANY, SILENT, SPENT, Budget
from service.scanning_tenancy import tenancy_at

__all__ = ["OF_SILENCE", "Keeper", "Raised", "one_a_class"]

OF_SILENCE = frozenset({"silent", "stopped", "vacancy", "unusual", "under_registration"})
"""Classes that a gateway's outage looks like."""
OF_OPERATION = frozenset({"drift", "receiver"})
"""Classes that speak of our own gateways: no budget of customers' findings holds them back."""
AT_ONCE = 20_000
"""Findings settled together at most."""
MOST_IN_AN_HOUR = 5_000
MOST_SILENT = 1_000


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding that reached a tier in this scan."""

    kept: Kept
    tier: Tier


class Keeper:
    """Keeps findings and settles who is told of them."""

    def __init__(
        self, store: Store, settings: AnomalySettings, zone: ZoneInfo, channels: Sequence[str]
    ) -> None:
        """Prepare; ``channels`` are those that findings are told on."""
        self._store = store
        self._settings = settings
        self._zone = zone
        self._channels = channels

    def keep(
        self, tx: Transaction, findings: Iterable[Finding], now: datetime, raised: list[Raised]
    ) -> set[int]:
        """Keep findings; gives their numbers. What reached a tier is added to ``raised``."""
        seen: set[int] = set()
        for finding in one_a_class(findings):
            kept, reached = tx.findings.keep(finding, now, muted=WAITS)
            seen.add(kept.id)
            if reached is not None:
                raised.append(Raised(kept, reached))
                if kept.muted != WAITS and kept.state is not FindingState.DISMISSED:
                    tx.findings.settle(kept.id, muted=WAITS, tenancy=kept.tenancy)
        return seen

    def settle(self, tx: Transaction, fleet: int, now: datetime) -> Mapping[int, Kept]:
        """Decide about what waits, also since the budget of a day was spent; gives it as decided."""
        muted = self._many(tx, tx.findings.waiting(WAITS, AT_ONCE), fleet, now)
        waiting = [*tx.findings.waiting(WAITS, AT_ONCE), *tx.findings.waiting(SPENT, AT_ONCE)]
        muted |= _outages(tx, waiting)
        budget = Budget.of(tx, self._settings, now, self._zone)
        waiting.sort(key=lambda one: budget.worth(one.finding), reverse=True)
        settled = {}
        for kept in waiting:
            operation = kept.finding.family in OF_OPERATION
            reason = muted.get(kept.id) or ("" if operation else budget.refuses(kept.finding))
            done = replace(kept, muted=reason, tenancy=kept.tenancy or tenancy_at(tx, kept.finding))
            if reason != kept.muted:
                tx.findings.settle(kept.id, muted=reason, tenancy=done.tenancy)
            settled[kept.id] = done
            if not operation:
                budget.spend(done, kept.finding.tier)
            ask_for(tx, done, kept.finding.tier, self._channels, now)
        budget.book(tx)
        return settled

    def _many(self, tx: Transaction, waiting: Sequence[Kept], fleet: int, now: datetime) -> dict[int, str]:
        """Keep one finding for many meters of a class in an hour; gives the members that wait."""
        hours = {(one.finding.family, _hour(one)) for one in waiting if not _is_event(one)}
        muted: dict[int, str] = {}
        for family, hour in sorted(hours):
            since = moment(hour * HOUR)
            there = tx.findings.raised(family, since, since + timedelta(hours=1), MOST_IN_AN_HOUR)
            members = {id(one.finding): one.id for one in there}
            for event in together([one.finding for one in there], fleet):
                tx.findings.keep(event.event, now, muted=WAITS)
                muted |= {members[id(member)]: MANY for member in event.members}
        return muted


def one_a_class(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out findings of a class at a subject while another of them lasts that began no later.

    A battery may be both reported low and forecast to run out: at most one finding of a class is open, and of
    those that last at a time the one raised to the higher tier is kept, then the one that began first.
    """
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.subject, finding.family].append(finding)
    return [one for group in groups.values() for one in (_without_overlap(group) if group[1:] else group)]


def _without_overlap(group: Sequence[Finding]) -> list[Finding]:
    if len({one.name for one in group}) == 1:
        return list(group)
    taken: list[Finding] = []
    for one in sorted(group, key=lambda one: (-one.tier.rank, one.stages[0].raised_at)):
        if one.cleared_at is not None or all(other.cleared_at is not None for other in taken):
            taken.append(one)
    return sorted(taken, key=lambda one: one.stages[0].raised_at)


def _outages(tx: Transaction, waiting: Sequence[Kept]) -> dict[int, str]:
    """Say of which findings a gateway that is silent is the reason."""
    suspects = [one for one in waiting if one.finding.family in OF_SILENCE]
    if not suspects:
        return {}
    silent, _ = tx.findings.wanted(Wanted(family="silent", is_open=True), limit=MOST_SILENT)
    out = {one.finding.subject for one in silent if one.finding.name == "silent.gateway"}
    if not out:
        return {}
    return {one.id: SILENT for one in suspects if _gateway(tx, one.finding.subject) in out}


def _gateway(tx: Transaction, subject: str) -> str:
    """Give the gateway that brought a meter's newest readings; empty for what is no meter."""
    try:
        newest = tx.readings.latest(MeterId.parse(subject))
    except InvalidValue:
        return ""
    return max(newest, key=lambda one: one.measured_at).provenance.gateway if newest else ""


def _hour(kept: Kept) -> int:
    return int(kept.finding.stages[0].raised_at.timestamp()) // HOUR


def _is_event(kept: Kept) -> bool:
    return kept.finding.subject.startswith(f"{SUBJECT}/")
