"""The anomaly scan on the store: who is judged, what is kept, who is told.

::

    parts of the fleet   per-meter detectors, of meters with something new -> findings kept
                         once a day: what fleet detectors need, of all meters
    all of the fleet     once a day: fleet detectors                       -> findings kept
    end of the scan      many at once, outages, budget                     -> told, or why not

A meter's state is not stored but rebuilt from its readings, months of them; a mark per meter says which
readings the last scan had, so that a meter of which nothing new came is left out. Stopped anywhere, a scan
goes on with the meters it did not reach; what it kept is settled by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from anomaly.battery import BatteryDetector
from anomaly.detector import DETECTORS, Detector, FleetDetector
from anomaly.falling import FallingDetector
from anomaly.flags import FlagsDetector
from anomaly.scan import ScanPart, put_together, scan_part
from anomaly.silent import SilentDetector
from anomaly.sufficiency import Insufficiency
from metering.finding import Finding
from metering.findings import Kept
from metering.meter import MeterId
from metering.ports import Clock, MeterOverview, Store, Transaction
from service.anomaly_settings import AnomalySettings
from service.fleet_source import NO_PLANS, Plans
from service.fleet_status import fleet_status
from service.scanning_districts import judge_districts, keep_states
from service.scanning_gateways import close_over, gateway_findings
from service.scanning_keeping import Keeper, Raised
from service.scanning_series import Found, gateways_of, marks_of, read_fleet

__all__ = ["Raised", "ScanReport", "Scanner"]

TOGETHER = 500
"""Meters read and judged in one go: what is held in memory, and what a stopped scan does again."""
WARM = timedelta(days=21)
"""An open finding that began sooner after the first reading looked at is not closed for being unseen."""
AHEAD = timedelta(days=2)
"""Readings dated so far ahead are looked at: a clock may be wrong, and that is told."""
DAY_BEGINS = timedelta(hours=4)
"""Local time from which a day's use is judged over the whole fleet: by then yesterday has come in."""
WHOLE_MARK = "anomaly.whole"
OF_CUSTOMERS = frozenset({"leak", "burst", "use", "vacancy", "under_registration"})
"""Classes that speak of one household's use."""
AnyDetector = Detector | FleetDetector
WATER = ("water", "cold water", "hot water", "warm water", "")

_SOLO = [one for one in DETECTORS if not isinstance(one, FleetDetector)]
_FLEET = [one for one in DETECTORS if isinstance(one, FleetDetector)]


def _nothing(_transaction: Transaction) -> None:
    """Hold nothing: nobody else scans."""


@dataclass(slots=True)
class ScanReport:
    """What a scan did.

    Attributes:
        meters: looked at.
        judged: of them, those with something new.
        whole: whether all of the fleet was judged together, as once a day.
        raised: what reached a tier, in the order it was found.
        closed: findings that ended.
        insufficiencies: what was not judged, and why.
        districts: districts judged.
    """

    meters: int = 0
    judged: int = 0
    whole: bool = False
    raised: list[Raised] = field(default_factory=list)
    closed: int = 0
    insufficiencies: list[Insufficiency] = field(default_factory=list)
    districts: int = 0


@dataclass(slots=True)
class _Fleet:
    """What a scan over the whole fleet gathers: small, of all meters."""

    parts: list[ScanPart] = field(default_factory=list)
    first: dict[str, float] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)
    gateways: dict[str, str] = field(default_factory=dict)
    borders: set[str] = field(default_factory=set)

    def note(self, found: Sequence[Found]) -> None:
        """Note of some meters from when to when they were looked at, and who brings them."""
        self.gateways |= gateways_of(found)
        for one in found:
            self.first[str(one.meter)] = float(one.series.at.min())
            self.until[str(one.meter)] = one.mark.until


class Scanner:
    """Scans the store with the settings in force."""

    def __init__(  # noqa: PLR0913, PLR0917  what a scan needs to know
        self,
        store: Store,
        clock: Clock,
        zone: ZoneInfo,
        settings: AnomalySettings,
        channels: Sequence[str] = (),
        hold: Callable[[Transaction], None] = _nothing,
        plans: Callable[[], Plans] = lambda: NO_PLANS,
    ) -> None:
        """Prepare.

        Args:
            store: where readings are and findings go.
            clock: the present.
            zone: local time.
            settings: of the scan.
            channels: that findings are told on.
            hold: called in each transaction that keeps something; raises if another took over.
            plans: gives what gateways should be told.
        """
        self._store = store
        self._clock = clock
        self._zone = zone
        self._settings = settings
        self._hold = hold
        self._plans = plans
        self._keeper = Keeper(store, settings, zone, channels)

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
            meters: these only, whether anything new came of them or not, each by itself; empty = all
                registered.
            since: rebuild state from readings from this moment on; ``None`` = as the settings say.
            told: given how many meters are done and how many there are, after each part.
            ended: asked after each part whether to stop.
        """
        now = self._clock.now()
        begin = since or now - timedelta(days=self._settings.history_days)
        time = begin.replace(hour=0, minute=0, second=0, microsecond=0), now + AHEAD
        fleet = list(meters) or self._registered()
        report = ScanReport(meters=len(fleet), whole=not meters and (since is not None or self._is_due(now)))
        whole = _Fleet()
        for place in range(0, len(fleet), TOGETHER):
            part = fleet[place : place + TOGETHER]
            self._judge(part, time, now, report, whole, always=bool(meters or since))
            told(min(place + TOGETHER, len(fleet)), len(fleet))
            if ended():
                return report
        if report.whole:
            self._conclude(whole, now, report)
        if not meters:
            self._look_at_gateways(now, report)
        self._settle(report, now)
        return report

    def _registered(self) -> list[MeterId]:
        with self._store.reading() as tx:
            return [row.meter.id for row in _overview(tx) if row.meter.medium in WATER]

    def _is_due(self, now: datetime) -> bool:
        with self._store.reading() as tx:
            return tx.upkeep.mark(WHOLE_MARK) < self._day(now)

    def _day(self, now: datetime) -> str:
        return (now.astimezone(self._zone) - DAY_BEGINS).date().isoformat()

    # --- one part --------------------------------------------------------------------------------

    def _judge(  # noqa: PLR0913  a part, its time, and where what comes of it goes
        self,
        part: Sequence[MeterId],
        time: tuple[datetime, datetime],
        now: datetime,
        report: ScanReport,
        whole: _Fleet,
        *,
        always: bool,
    ) -> None:
        with self._store.reading() as tx:
            borders = {one.meter for meters in tx.districts.meters().values() for one in meters}
            marks = marks_of(tx, part, *time)
            before = {} if always else tx.findings.marks(list(map(str, marks)))
            new = {meter for meter, mark in marks.items() if before.get(str(meter)) != mark}
            wanted = marks if report.whole else {meter: marks[meter] for meter in part if meter in new}
            found = read_fleet(tx, wanted, *time, borders)
        fresh = [one for one in found if one.meter in new]
        second = int(now.timestamp())
        if report.whole and found:
            gathered = scan_part([one.series for one in found], self._zone, second, _FLEET)
            whole.borders |= {str(one) for one in borders}
            whole.parts.append(replace(gathered, insufficiencies=()))
            whole.note(found)
        if not fresh:
            return
        detectors = [_equipped(detector, fresh) for detector in _SOLO]
        result = scan_part([one.series for one in fresh], self._zone, second, detectors)
        report.judged += len(fresh)
        report.insufficiencies += result.insufficiencies
        with self._store.writing() as tx:
            self._hold(tx)
            names = {str(one) for one in borders}
            of_customers = [one for one in result.findings if not _is_district_flow(one, names)]
            seen = self._keeper.keep(tx, of_customers, now, report.raised)
            until = {str(one.meter): one.mark.until for one in fresh}
            first = {str(one.meter): float(one.series.at.min()) for one in fresh}
            opened = [
                one for one in tx.findings.open_of(list(until)) if one.finding.family in _families(_SOLO)
            ]
            report.closed += _close_unseen(tx, opened, seen, first, until)
            tx.findings.set_marks({str(one.meter): one.mark for one in fresh})

    # --- the whole fleet -------------------------------------------------------------------------

    def _conclude(self, whole: _Fleet, now: datetime, report: ScanReport) -> None:
        """Let fleet detectors tell what they see in all meters, and book that the day is done."""
        detectors = [_told_gateways(detector, whole.gateways) for detector in _FLEET]
        result = put_together(whole.parts, detectors)
        of_customers = [one for one in result.findings if not _is_district_flow(one, whole.borders)]
        with self._store.writing() as tx:
            self._hold(tx)
            seen = self._keeper.keep(tx, of_customers, now, report.raised)
            subjects = list(whole.until)
            opened = [one for one in tx.findings.open_of(subjects) if one.finding.family in _families(_FLEET)]
            report.closed += _close_unseen(tx, opened, seen, whole.first, whole.until)
        self._judge_districts(now, report)
        with self._store.writing() as tx:
            self._hold(tx)
            tx.upkeep.set_mark(WHOLE_MARK, self._day(now))

    def _judge_districts(self, now: datetime, report: ScanReport) -> None:
        judged = judge_districts(self._store, self._zone, now, frozenset(self._settings.holidays), self._hold)
        report.districts = len(judged.states)
        with self._store.writing() as tx:
            self._hold(tx)
            seen = self._keeper.keep(tx, judged.findings, now, report.raised)
            opened = tx.findings.open_of(list(judged.until))
            report.closed += _close_unseen(tx, opened, seen, judged.first, judged.until)
            keep_states(tx, judged.states)

    def _look_at_gateways(self, now: datetime, report: ScanReport) -> None:
        with self._store.writing() as tx:
            self._hold(tx)
            fleet = fleet_status(tx.ledger.gateways(), tx.ledger.words(), now, plans=self._plans())
            seen = self._keeper.keep(tx, gateway_findings(tx, fleet, now), now, report.raised)
            report.closed += close_over(tx, fleet, seen, now)

    def _settle(self, report: ScanReport, now: datetime) -> None:
        with self._store.writing() as tx:
            self._hold(tx)
            fleet = max(report.meters, tx.registry.overview(limit=1)[1])
            settled = self._keeper.settle(tx, fleet, now)
        report.raised = [replace(one, kept=settled.get(one.kept.id, one.kept)) for one in report.raised]


def _equipped(detector: AnyDetector, found: Sequence[Found]) -> AnyDetector:
    """Give a detector what else the store knows of these meters."""
    if isinstance(detector, FallingDetector):
        return replace(detector, circumstances={str(one.meter): one.circumstances for one in found})
    if isinstance(detector, BatteryDetector):
        return replace(detector, reports={str(one.meter): one.battery for one in found if one.battery})
    if isinstance(detector, FlagsDetector):
        reports = {str(one.meter): one.flags for one in found if one.flags}
        return replace(detector, reports=reports, judged={str(one.meter): one.judged for one in found})
    return detector


def _told_gateways(detector: AnyDetector, gateways: Mapping[str, str]) -> AnyDetector:
    return replace(detector, gateways=gateways) if isinstance(detector, SilentDetector) else detector


def _is_district_flow(finding: Finding, borders: Collection[str]) -> bool:
    """Whether it tells a district's flow as if a customer used it: the district itself is judged for that."""
    return finding.family in OF_CUSTOMERS and finding.subject in borders


def _families(detectors: Sequence[AnyDetector]) -> frozenset[str]:
    return frozenset(name.partition(".")[0] for detector in detectors for name in detector.names)


def _close_unseen(
    tx: Transaction,
    opened: Sequence[Kept],
    seen: set[int],
    first: Mapping[str, float],
    until: Mapping[str, datetime],
) -> int:
    """Close what is open and was not found again: late readings showed that it was not so."""
    closed = 0
    for kept in opened:
        finding: Finding = kept.finding
        began = finding.stages[0].onset.timestamp()
        if kept.id not in seen and began > first[finding.subject] + WARM.total_seconds():
            tx.findings.close(kept.id, until[finding.subject], {"no_longer_seen": True})
            closed += 1
    return closed


def _overview(tx: Transaction) -> Iterator[MeterOverview]:
    offset, page = 0, 500
    while rows := tx.registry.overview(offset=offset, limit=page)[0]:
        yield from rows
        offset += page
