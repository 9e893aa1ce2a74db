"""What late reads, late keys and late papers change in periods that were billed: corrections, proposed.

A correction stays in the period it belongs to. Nothing is sent before a person takes it; until then what was
billed counts, and periods that follow open where it closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing_bridge.bridge import Tally
from billing_bridge.closing import revise_periods
from billing_bridge.gather import Place, gather
from billing_bridge.judge import about, newest, question_of, ruled
from billing_bridge.ordering import SYSTEM
from billing_bridge.read import BillingRead
from billing_bridge.record import kept, opened
from billing_bridge.utility import Late, Utility
from metering.billing import Decision, ExceptionKind, ExceptionState, KeptRead, NewException, ReadState
from metering.meter import ServicePoint
from metering.ports import Clock, Store, Transaction

__all__ = ["Review"]

_HISTORY = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A correction that may be proposed.

    Attributes:
        billed: what was billed.
        now: what is known now.
        row: as it is to be kept.
        question: for a person.
        stale: proposals of before that say something else.
    """

    billed: BillingRead
    now: BillingRead
    row: KeptRead
    question: NewException
    stale: tuple[KeptRead, ...]


class Review:
    """Looks again at what was billed."""

    def __init__(self, store: Store, utility: Utility, clock: Clock) -> None:
        """Prepare; nothing is read."""
        self._store = store
        self._utility = utility
        self._clock = clock

    def look(
        self, points: Sequence[ServicePoint], since: datetime, until: datetime, *, dry_run: bool = False
    ) -> Tally:
        """Propose corrections of billed periods with ``since < end <= until``.

        Raises:
            StoreUnavailable: nothing of this batch is kept.
        """
        tally = Tally(looked_at=len(points))
        if self._utility.late is Late.ABSORB:
            return tally
        now = self._clock.now()
        with self._store.reading() as tx:
            plain, estimated = _parted(tx, points, since, until)
            places = self._gathered(tx, plain, since, until)
            places |= (
                gather(tx, self._utility, estimated, since - _HISTORY, max(until, now), judging=now)
                if estimated
                else {}
            )
            found = [
                one
                for point in (*plain, *estimated)
                for one in self._of(places[point.id], places, since, until, now)
            ]
        tally.proposed = len(found)
        if found and not dry_run:
            with self._store.writing() as tx:
                self._write(tx, found, now)
        return tally

    def _gathered(
        self, tx: Transaction, points: Sequence[ServicePoint], since: datetime, until: datetime
    ) -> dict[str, Place]:
        """Fetch what lies around the periods: what was read at both ends needs no history."""
        calendars = {self._utility.calendars.of(one.route) for one in points}
        begins = [calendar.periods(since, until)[0].start for calendar in calendars]
        return (
            gather(tx, self._utility, points, min(begins), until, judging=self._clock.now()) if points else {}
        )

    def _of(
        self, place: Place, places: dict[str, Place], since: datetime, until: datetime, now: datetime
    ) -> Iterator[_Proposal]:
        billed = sorted(newest(place.reads, ReadState.BILLED).values(), key=lambda one: one.ends)
        asked = [opened(one) for one in billed if since < one.ends <= until]
        if not asked:
            return
        ends = [end for one in asked for end in (one.period.start, one.period.end)]
        dials, rounding, rulings, _contradictions = place.dials(self._utility, ends)
        before = next((opened(one) for one in billed if one.ends == asked[0].period.start), None)
        of = {one.period.id: one for one in asked}
        for revision in revise_periods(dials, rounding, asked, before):
            was = of[revision.period.id]
            row = _numbered(place, was, replace(revision, rulings=about(rulings, was.period)))
            read = ruled(row, place, dials, row.period, self._utility, places)
            if _billed(was) != _billed(read):
                yield from self._proposed(place, was, read, now)

    def _proposed(
        self, place: Place, was: BillingRead, read: BillingRead, now: datetime
    ) -> Iterator[_Proposal]:
        standing = [
            one for one in place.reads if one.period == read.period.id and one.state is ReadState.PROPOSED
        ]
        if any(_billed(opened(one)) == _billed(read) for one in standing):
            return
        rejected = [
            one for one in place.reads if one.period == read.period.id and one.state is ReadState.REJECTED
        ]
        if any(_billed(opened(one)) == _billed(read) for one in rejected):
            return  # a person said no to exactly this
        row = kept(read, ReadState.PROPOSED, contract=_contract(place, was), now=now, by=SYSTEM)
        evidence = {
            "billed_m3": str(was.volume_m3),
            "now_m3": str(read.volume_m3),
            "difference_m3": str(read.volume_m3 - was.volume_m3),
            "billed": was.key,
        }
        more = read.volume_m3 - was.volume_m3
        sentence = (
            f"Billed were {was.volume_m3} m3; by what is known now it is {read.volume_m3} m3 ({more:+} m3)."
        )
        question = question_of(read, ExceptionKind.CORRECTION, sentence, evidence)
        yield _Proposal(was, read, row, question, tuple(standing))

    def _write(self, tx: Transaction, found: Sequence[_Proposal], now: datetime) -> None:
        for one in found:
            for stale in one.stale:
                tx.billing.set_state(stale.key, [ReadState.PROPOSED], ReadState.REJECTED)
        if any(one.stale for one in found):
            self._withdraw(tx, {stale.key for one in found for stale in one.stale}, found, now)
        new = tx.billing.add_reads([one.row for one in found])
        tx.billing.ask([one.question for one in found if one.row.key in new], now)

    def _withdraw(self, tx: Transaction, stale: set[str], found: Sequence[_Proposal], now: datetime) -> None:
        for asked in tx.billing.questions_at({one.row.service_point for one in found}):
            if asked.about.read in stale:
                newer = Decision("gone", SYSTEM, "Something newer is known.", now)
                tx.billing.decide(asked.number, newer, ExceptionState.GONE)


def _parted(
    tx: Transaction, points: Sequence[ServicePoint], since: datetime, until: datetime
) -> tuple[list[ServicePoint], list[ServicePoint]]:
    """Give those that were read at every end, and those with an estimate; others have nothing to review."""
    reads = tx.billing.reads_at([one.id for one in points], since, until)
    billed = {point: list(newest(rows, ReadState.BILLED).values()) for point, rows in reads.items()}
    asked = [one for one in points if billed.get(one.id)]
    plain = [one for one in asked if all(row.actual for row in billed[one.id])]
    return plain, [one for one in asked if one not in plain]


def _billed(read: BillingRead) -> tuple[object, ...]:
    """What makes a difference on a bill."""
    return read.volume_m3, read.gross_m3, [(one.meter, one.volume_m3) for one in read.segments]


def _numbered(place: Place, was: BillingRead, revision: BillingRead) -> BillingRead:
    """Give the revision its number behind all there are; what it replaces is what was handed over."""
    numbers = [one.revision for one in place.reads if one.period == was.period.id]
    return replace(revision, revision=max(numbers) + 1, replaces=was.revision)


def _contract(place: Place, was: BillingRead) -> str | None:
    return next((one.contract for one in place.reads if one.key == was.key), None)
