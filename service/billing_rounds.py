"""The bridge's rounds: what came since the last one is judged, and what was billed compared with it.

::

    states since the last round ──R1-R6, R8──> outcomes kept
    days that are over by now ───I1-I5───────> outcomes kept
    what changed or was billed since ────────> corrections proposed; chart = bill = meter's last word?
    once a day ──────────────────────────────> what each class of customers usually uses

A round takes nothing from ingest: it reads what was committed. Stopped or killed anywhere, the next one does
the rest. Of several processes on a database one makes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from billing_bridge.arriving import BLOCK, Arrivals, ArrivalTally
from billing_bridge.bridge import batches
from billing_bridge.class_usage import class_medians
from billing_bridge.judge import newest
from billing_bridge.record import opened
from billing_bridge.review import Review
from billing_bridge.spreading import FIRST, Intervals, IntervalTally
from metering.billing import ExceptionKind, ReadState
from metering.errors import TelemetryError
from metering.meter import MeterId, ServicePoint
from metering.ports import Clock, Store, Transaction
from service.billing_reconcile import Reconciled, ask, compare_points, settle_agreed
from service.billing_utility import utility_of
from service.scanning_turn import Turn
from service.settings_model import Settings

__all__ = ["TURN", "RoundReport", "Rounds", "RoundsLoop", "making_rounds"]

_log = structlog.get_logger(__name__)

TURN = "billing.turn"
_DAYS, _DAYS_AT = "billing.days", "billing.days.at"
_BILLED, _USAGE = "billing.compared", "billing.usage"
_BACK = timedelta(days=62)
_NEW_READS = 1000
"""Billed reads compared at a time."""
FIRST_AFTER_S = 45.0
"""Seconds after the start before the first round: what waited at the broker comes first."""


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round did.

    Attributes:
        arrivals: states judged.
        intervals: days judged.
        compared: billed periods compared with chart and meter.
        differing: those that do not agree.
        agreed: questions closed because they agree again.
        classes: classes of customers whose usual usage was taken anew.
    """

    arrivals: ArrivalTally
    intervals: IntervalTally
    compared: int = 0
    differing: int = 0
    agreed: int = 0
    classes: int = 0


class Rounds:
    """Makes rounds on a store."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        """Prepare; nothing is read."""
        self._store = store
        self._clock = clock
        self._utility = utility_of(settings)
        self._turn = Turn(store, clock, TURN)
        parts = (store, self._utility, clock, self._hold)
        self._arrivals, self._intervals = Arrivals(*parts), Intervals(*parts)
        self._review = Review(store, self._utility, clock)
        self._held = False

    def run(
        self,
        *,
        everything: bool = False,
        every: timedelta | None = None,
        told: Callable[[str, int], None] = lambda _what, _done: None,
        ended: Callable[[], bool] = lambda: False,
    ) -> RoundReport | None:
        """Make a round; gives ``None`` if another process is at it, or it was made already.

        Args:
            everything: of all meters, whether anything newer came or not, 62 days back: the night's sweep.
            every: the distance of rounds; ``None`` = now, whenever the last one was.
            told: given what is done and how many more of it were, block by block.
            ended: asked after each block whether to stop.

        Raises:
            StoreUnavailable: what was done by then stays done.
        """
        if self._turn.take(every) is not None:
            return None
        self._held = True
        try:
            report = self._round(told, ended, everything=everything)
            self._turn.done(every, {"judged": report.arrivals.judged, "differing": report.differing})
        except BaseException:
            self._turn.give_up(every)
            raise
        finally:
            self._held = False
        return report

    def _hold(self, tx: Transaction) -> None:
        if self._held:
            self._turn.hold(tx)

    def _round(
        self, told: Callable[[str, int], None], ended: Callable[[], bool], *, everything: bool
    ) -> RoundReport:
        begun = self._days_begun()
        arrivals = self._arrivals.run(
            everything=everything, told=lambda done: told("meters", done), ended=ended
        )
        intervals = self._judge_days(told, ended)
        late = [one for one in arrivals.late if begun or not one.first]
        if late:
            again = self._intervals.again(late, self._judged_until())
            intervals = IntervalTally(
                intervals.points + again.points,
                intervals.spans + again.spans,
                intervals.raised + again.raised,
            )
        done = self._compare(arrivals, told, ended)
        agreed = self._told(done)
        return RoundReport(arrivals, intervals, done.compared, len(done.found), agreed, self._classes())

    # --- days ------------------------------------------------------------------------------------

    def _days_begun(self) -> bool:
        with self._store.reading() as tx:
            return bool(tx.upkeep.mark(_DAYS))

    def _judged_until(self) -> date:
        with self._store.reading() as tx:
            said = tx.upkeep.mark(_DAYS)
        return date.fromisoformat(said) if said else self._intervals.over(self._clock.now()) - FIRST

    def _judge_days(self, told: Callable[[str, int], None], ended: Callable[[], bool]) -> IntervalTally:
        """Judge the days that are over, service point by service point; goes on where it was stopped."""
        since, until = self._judged_until(), self._intervals.over(self._clock.now())
        tally = IntervalTally()
        if since >= until:
            return tally
        for points in self._from_where_it_was(until):
            done = self._intervals.run(points, since, until)
            tally.points += done.points
            tally.spans += done.spans
            tally.raised += done.raised
            self._mark(_DAYS_AT, f"{until} {points[-1].id}")
            told("service points", len(points))
            if ended():
                return tally
        self._mark(_DAYS, until.isoformat())
        return tally

    def _from_where_it_was(self, until: date) -> Iterator[list[ServicePoint]]:
        with self._store.reading() as tx:
            day, _, point = tx.upkeep.mark(_DAYS_AT).partition(" ")
        yield from batches(self._store, after=point if day == until.isoformat() else "")

    def _mark(self, name: str, value: str) -> None:
        with self._store.writing() as tx:
            self._hold(tx)
            tx.upkeep.set_mark(name, value)

    # --- chart, bill and meter -------------------------------------------------------------------

    def _compare(
        self, arrivals: ArrivalTally, told: Callable[[str, int], None], ended: Callable[[], bool]
    ) -> Reconciled:
        now, done = self._clock.now(), Reconciled()
        seen: set[str] = set()
        for points in self._doubtful(arrivals, now):
            seen |= {one.id for one in points}
            self._review.look(points, now - _BACK, now)
            done.add(compare_points(self._store, self._utility, points, now - _BACK, now, now))
            told("compared", len(points))
        for points in self._newly_billed(now, seen):
            done.add(compare_points(self._store, self._utility, points, now - _BACK, now, now))
            told("compared", len(points))
            if ended():
                break
        return done

    def _doubtful(self, arrivals: ArrivalTally, now: datetime) -> Iterator[list[ServicePoint]]:
        """Give service points where what came may say otherwise than what was billed.

        That is where something came late into a billed time, where the meter says less than what was booked,
        and where something did not agree before.
        """
        late = {one.meter: one.since for one in arrivals.late if not one.first}
        moved = sorted(arrivals.moved, key=str)
        for at in range(0, len(moved), BLOCK):
            meters = moved[at : at + BLOCK]
            with self._store.reading() as tx:
                wanted = _unlike(tx, meters, late, now)
                found = list(tx.registry.service_points(wanted).values()) if wanted else []
            if found:
                yield found

    def _newly_billed(self, now: datetime, seen: Collection[str]) -> Iterator[list[ServicePoint]]:
        """Give service points with reads billed since the last round, and remember how far that is."""
        with self._store.reading() as tx:
            after = int(tx.upkeep.mark(_BILLED) or 0)
        while True:
            with self._store.reading() as tx:
                page = tx.checks.billed_since(after, _NEW_READS)
                ids = {point for _number, point, ends in page if ends > now - _BACK} - set(seen)
                points = list(tx.registry.service_points(ids).values()) if ids else []
            if not page:
                return
            if points:
                yield points
            after = page[-1][0]
            self._mark(_BILLED, str(after))

    def _told(self, done: Reconciled) -> int:
        if done.found:
            ask(self._store, self._clock, done)
        return settle_agreed(self._store, self._clock, done) if done.points else 0

    # --- classes ---------------------------------------------------------------------------------

    def _classes(self) -> int:
        """Take what classes use, once a local day."""
        now, zone = self._clock.now(), self._utility.rounding.zone
        today = now.astimezone(zone).date().isoformat()
        with self._store.reading() as tx:
            if tx.upkeep.mark(_USAGE) == today:
                return 0
            usage = class_medians(tx, zone, now)
        with self._store.writing() as tx:
            self._hold(tx)
            tx.checks.put_usage(usage)
            tx.upkeep.set_mark(_USAGE, today)
        return len(usage)


def _unlike(
    tx: Transaction, meters: Collection[MeterId], late: dict[MeterId, datetime], now: datetime
) -> set[str]:
    hung = tx.registry.installations(meters)
    marks = tx.checks.marks(meters)
    place_of = {meter: known[-1].service_point for meter, known in hung.items() if known}
    points = sorted(set(place_of.values()))
    reads = tx.billing.reads_at(points, now - _BACK, now)
    asked = (one.about for one in tx.billing.questions_at(points))
    found = {one.service_point for one in asked if one.kind is ExceptionKind.RECONCILIATION}
    for meter, point in place_of.items():
        billed = list(newest(reads.get(point, ()), ReadState.BILLED).values())
        if not billed:
            continue
        last = opened(billed[-1]).segments[-1]
        mark = marks.get(meter)
        states = [one.value for one in (mark.accepted, mark.doubted) if one is not None] if mark else []
        less = last.meter == meter and any(value < last.closing.index for value in states)
        if less or (meter in late and late[meter] <= billed[-1].ends + timedelta(days=1)):
            found.add(point)
    return found


@contextmanager
def making_rounds(settings: Settings, store: Store, clock: Clock) -> Iterator[None]:
    """Make rounds in a thread for as long as the block lasts."""
    loop = RoundsLoop(settings, store, clock)
    loop.start()
    try:
        yield
    finally:
        loop.stop()


class RoundsLoop:
    """Makes rounds in a thread of its own."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._rounds = Rounds(settings, store, clock)
        self._every = timedelta(minutes=settings.billing.round_minutes)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="billing-rounds", daemon=True)

    def start(self) -> None:
        """Make rounds until told to stop; none if they are turned off."""
        if self._every:
            self._thread.start()

    def stop(self, patience_s: float = 5.0) -> None:
        """End after the block under way; the next round goes on."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _run(self) -> None:
        while not self._ended.wait(min(FIRST_AFTER_S, self._every.total_seconds())):
            try:
                report = self._rounds.run(every=self._every, ended=self._ended.is_set)
            except TelemetryError as fault:
                _log.warning("billing.round", fault=str(fault))
            except Exception:  # noqa: BLE001  the loop outlives any fault of one round; the log has it
                _log.exception("billing.round_failed")
            else:
                if report is not None:
                    _log.info(
                        "billing.round",
                        judged=report.arrivals.judged,
                        raised=report.arrivals.raised + report.intervals.raised,
                        compared=report.compared,
                        differing=report.differing,
                    )
