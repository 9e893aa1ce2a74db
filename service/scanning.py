"""The anomaly scan on the store: who is judged, what is kept, who is told.

A meter's state is not stored but rebuilt from its readings, months of them; a mark per meter says which
readings the last scan had, so that a meter of which nothing new came is left out. Stopped anywhere, a scan
goes on with the meters it did not reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anomaly.battery import BatteryDetector
from anomaly.detector import DETECTORS, Detector, FleetDetector
from anomaly.falling import Circumstances, FallingDetector
from anomaly.scan import scan
from anomaly.silent import SilentDetector
from anomaly.sufficiency import Insufficiency
from anomaly.together import together
from metering.finding import Finding, Tier
from metering.findings import Kept, Wanted
from metering.meter import MeterId
from metering.ports import Clock, MeterOverview, Store, Transaction
from service.anomaly_settings import AnomalySettings
from service.notices.teller import ask_for
from service.scanning_budget import Budget
from service.scanning_series import Found, gateways_of, read_fleet
from service.scanning_tenancy import tenancy_at

__all__ = ["Raised", "ScanReport", "Scanner"]

TOGETHER = 2000
"""Meters judged together."""
STALE = timedelta(days=2)
"""A meter silent for longer is judged again although nothing came of it: silence is told too."""
WARM = timedelta(days=21)
"""An open finding that began sooner after the first reading looked at is not closed for being unseen."""
OF_SILENCE = frozenset({"silent", "stopped", "vacancy", "unusual", "under_registration"})
"""Classes that a gateway's outage looks like."""
AnyDetector = Detector | FleetDetector
WATER = ("water", "cold water", "hot water", "warm water", "")


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding that reached a tier in this scan."""

    kept: Kept
    tier: Tier


@dataclass(slots=True)
class ScanReport:
    """What a scan did.

    Attributes:
        meters: looked at.
        judged: of them, those with something new.
        raised: what reached a tier, in the order it was found.
        closed: findings that ended.
        insufficiencies: what was not judged, and why.
    """

    meters: int = 0
    judged: int = 0
    raised: list[Raised] = field(default_factory=list)
    closed: int = 0
    insufficiencies: list[Insufficiency] = field(default_factory=list)


class Scanner:
    """Scans the store with the settings in force."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: ZoneInfo,
        settings: AnomalySettings,
        channels: Sequence[str] = (),
    ) -> None:
        """Prepare; ``channels`` are those that findings are told on."""
        self._store = store
        self._clock = clock
        self._zone = zone
        self._settings = settings
        self._channels = channels

    def run(
        self,
        *,
        meters: Sequence[MeterId] = (),
        since: datetime | None = None,
        told: Callable[[int, int], None] = lambda _done, _all: None,
        ended: Callable[[], bool] = lambda: False,
    ) -> ScanReport:
        """Judge meters and keep what is found.

        Args:
            meters: these only, whether anything new came of them or not; empty = all registered.
            since: rebuild state from readings from this moment on; ``None`` = as the settings say.
            told: given how many meters are done and how many there are, after each part.
            ended: asked after each part whether to stop.
        """
        now = self._clock.now()
        begin = since or now - timedelta(days=self._settings.history_days)
        fleet = list(meters) or self._registered()
        report = ScanReport(meters=len(fleet))
        for place in range(0, len(fleet), TOGETHER):
            part = fleet[place : place + TOGETHER]
            self._judge(part, begin, now, report, always=bool(meters or since))
            told(min(place + TOGETHER, len(fleet)), len(fleet))
            if ended():
                break
        return report

    def _registered(self) -> list[MeterId]:
        with self._store.reading() as tx:
            return [row.meter.id for row in _overview(tx) if row.meter.medium in WATER]

    def _judge(
        self, part: Sequence[MeterId], since: datetime, now: datetime, report: ScanReport, *, always: bool
    ) -> None:
        with self._store.reading() as tx:
            found = read_fleet(
                tx, part, since.replace(hour=0, minute=0, second=0, microsecond=0), now + STALE
            )
            fresh = [one for one in found if always or self._is_new(tx, one, now)]
        if not fresh:
            return
        if any(one.mark.until < now - STALE for one in fresh):
            fresh = found  # silence is told by comparison with those that are heard
        detectors = [self._equipped(detector, fresh) for detector in DETECTORS]
        result = scan([one.series for one in fresh], self._zone, int(now.timestamp()), detectors)
        report.judged += len(fresh)
        report.insufficiencies += result.insufficiencies
        with self._store.writing() as tx:
            self._keep(tx, fresh, result.findings, now, report)
            for one in fresh:
                tx.findings.set_mark(str(one.meter), one.mark)

    def _is_new(self, tx: Transaction, one: Found, now: datetime) -> bool:
        mark = tx.findings.mark(str(one.meter))
        if mark is None or one.mark.until < now - STALE:
            return True
        return mark != one.mark

    @staticmethod
    def _equipped(detector: AnyDetector, found: Sequence[Found]) -> AnyDetector:
        if isinstance(detector, SilentDetector):
            return replace(detector, gateways=gateways_of(found))
        if isinstance(detector, FallingDetector):
            known = {str(one.meter): Circumstances(backward_at=one.backward_at) for one in found}
            return replace(detector, circumstances=known)
        if isinstance(detector, BatteryDetector):
            reports = {str(one.meter): one.battery for one in found if one.battery}
            return replace(detector, reports=reports)
        return detector

    def _keep(
        self,
        tx: Transaction,
        judged: Sequence[Found],
        findings: Sequence[Finding],
        now: datetime,
        report: ScanReport,
    ) -> None:
        events = together(findings, len(judged))
        muted = {id(member): "many at once" for event in events for member in event.members}
        muted |= _outages(findings, gateways_of(judged))
        budget = Budget.of(tx, self._settings, now, self._zone)
        everything = [*(event.event for event in events), *findings]
        everything.sort(key=budget.worth, reverse=True)
        seen: set[int] = set()
        for finding in everything:
            reason = muted.get(id(finding), "")
            kept, reached = tx.findings.keep(
                finding, now, tenancy=tenancy_at(tx, finding), muted=reason or budget.refuses(finding)
            )
            seen.add(kept.id)
            if reached is not None:
                report.raised.append(Raised(kept, reached))
                budget.spend(kept, reached)
                ask_for(tx, kept, reached, self._channels, now)
        report.closed += self._close_unseen(tx, judged, seen)

    def _close_unseen(self, tx: Transaction, judged: Sequence[Found], seen: set[int]) -> int:
        """Close what is open and was not found again: late readings showed that it was not so."""
        closed = 0
        for one in judged:
            open_ones, _ = tx.findings.wanted(Wanted(is_open=True, subject=str(one.meter)), limit=100)
            first = one.series.at.min()
            for kept in open_ones:
                began = kept.finding.stages[0].onset.timestamp()
                if kept.id not in seen and began > first + WARM.total_seconds():
                    tx.findings.close(kept.id, one.mark.until, {"no_longer_seen": True})
                    closed += 1
        return closed


def _outages(findings: Sequence[Finding], gateways: Mapping[str, str]) -> dict[int, str]:
    """Say of which findings a gateway that is silent is the reason."""
    out = {one.subject for one in findings if one.name == "silent.gateway" and one.cleared_at is None}
    return {
        id(one): "its gateway is silent"
        for one in findings
        if one.family in OF_SILENCE and gateways.get(one.subject) in out
    }


def _overview(tx: Transaction) -> Iterator[MeterOverview]:
    offset, page = 0, 500
    while rows := tx.registry.overview(offset=offset, limit=page)[0]:
        yield from rows
        offset += page
