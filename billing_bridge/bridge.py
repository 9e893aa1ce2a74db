"""The bridge: periods closed for many service points, each read and its message in one transaction.

::

    service points, some hundred at a time
        reading   what is known of them, in a handful of queries       (a consistent view)
                  read taken > sub-meters > rules                      (pure)
        writing   reads kept, messages put, questions asked            (one transaction)

Killed anywhere, the same closing run again does what is left: a read is kept once under its key, its message
is put in the same transaction, and a period that has one is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal

from billing_bridge.boundary import How
from billing_bridge.checked import standing_of
from billing_bridge.gather import Place, gather
from billing_bridge.judge import Verdicts, judge, newest
from billing_bridge.ordering import SYSTEM, close_read, order_where_needed
from billing_bridge.outbox import message_of
from billing_bridge.period import Period
from billing_bridge.read import BillingRead
from billing_bridge.record import kept, opened
from billing_bridge.taking import Booked, Unbillable
from billing_bridge.utility import Utility
from metering.billing import (
    Decision,
    ExceptionKind,
    ExceptionState,
    KeptRead,
    ReadState,
)
from metering.meter import ServicePoint
from metering.ports import Clock, Store, Transaction

__all__ = ["BATCH", "Bridge", "Tally", "batches"]

BATCH = 500
"""Service points per transaction."""

_HISTORY = timedelta(days=400)
"""How far back reads are fetched where an index must be projected: a year, and a bit."""

_STANDS = (ReadState.BILLED, ReadState.HELD, ReadState.PROPOSED)


@dataclass(slots=True)
class Tally:
    """What a closing did.

    Attributes:
        looked_at: service points.
        billed: reads put into the outbox.
        estimated: of those, how many were not read at every end.
        held: reads a person must look at first.
        unbillable: periods no read could be taken of.
        standing: periods that had their read already.
        doubted: of the reads, those of whose states or intervals a rule raised something before the closing.
        unjudged: of the reads, those whose states were not judged up to the end yet.
        proposed: corrections proposed.
        volume_m3: sum of what was billed.
    """

    looked_at: int = 0
    billed: int = 0
    estimated: int = 0
    held: int = 0
    unbillable: int = 0
    standing: int = 0
    doubted: int = 0
    unjudged: int = 0
    proposed: int = 0
    volume_m3: Decimal = field(default_factory=Decimal)

    def add(self, other: Tally) -> None:
        """Add another's counts."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(frozen=True, slots=True)
class _Closed:
    """One period that is to be written."""

    period: Period
    said: Verdicts


class Bridge:
    """Closes periods.

    Several may run at once, on different service points or the same ones: whoever keeps a read first puts its
    message.
    """

    def __init__(self, store: Store, utility: Utility, clock: Clock) -> None:
        """Prepare; nothing is read."""
        self._store = store
        self._utility = utility
        self._clock = clock

    def close(
        self, points: Sequence[ServicePoint], since: datetime, until: datetime, *, dry_run: bool = False
    ) -> Tally:
        """Close what is due of some service points: periods with ``since < end <= until`` that are over.

        Args:
            points: a batch.
            since: UTC.
            until: UTC.
            dry_run: say what would come of it and keep nothing.

        Raises:
            StoreUnavailable: nothing of this batch is kept; closing again does it.
            KeyReused: a read was handed over with another content under its key.
        """
        now = self._clock.now()
        tally = Tally(looked_at=len(points))
        closed = self._closed(points, since, min(until, now - self._utility.wait), tally)
        if dry_run or not closed:
            for one in closed:
                _count(tally, one.said)
            return tally
        with self._store.writing() as tx:
            self._write(tx, closed, now, tally)
        return tally

    # --- reading ---------------------------------------------------------------------------------

    def _closed(
        self, points: Sequence[ServicePoint], since: datetime, until: datetime, tally: Tally
    ) -> list[_Closed]:
        if since >= until:
            return []
        begin = self._begin(points, since, until)
        with self._store.reading() as tx:
            places = gather(tx, self._utility, points, begin, until, judging=self._clock.now())
            found = [
                one for point in points for one in self._of(places[point.id], places, since, until, tally)
            ]
            return self._looked_closer(tx, found, until)

    def _begin(self, points: Sequence[ServicePoint], since: datetime, until: datetime) -> datetime:
        """Give the earliest begin of a period that ends within a span."""
        calendars = {self._utility.calendars.of(one.route) for one in points}
        return min((calendar.periods(since, until)[0].start for calendar in calendars), default=since)

    def _of(
        self, place: Place, places: dict[str, Place], since: datetime, until: datetime, tally: Tally
    ) -> Iterator[_Closed]:
        standing = newest(place.reads, *_STANDS)
        booked = _booked(place)
        for period in place.periods(self._utility, since, until):
            if period.id in standing:
                tally.standing += 1
                continue
            said = judge(place, period, self._utility, places, booked)
            if isinstance(said.read, BillingRead):
                booked = booked.after(said.read)
            yield _Closed(period, said)

    def _looked_closer(self, tx: Transaction, found: list[_Closed], until: datetime) -> list[_Closed]:
        """Judge anew, with a year of reads around them, those that are not simply read at both ends."""
        points = {one.said.read.subject.service_point: one for one in found if not _plain(one.said)}
        if not points:
            return found
        known = tx.registry.service_points(list(points))
        since, now = min(one.period.start for one in points.values()) - _HISTORY, self._clock.now()
        wide = gather(tx, self._utility, known.values(), since, max(until, now), judging=now)
        again: list[_Closed] = []
        booked = {point: _booked(place) for point, place in wide.items()}
        for one in found:
            point = one.said.read.subject.service_point
            if point not in points:
                again.append(one)
                continue
            said = judge(wide[point], one.period, self._utility, wide, booked[point])
            if isinstance(said.read, BillingRead):
                booked[point] = booked[point].after(said.read)
            again.append(_Closed(one.period, said))
        return again

    # --- writing ---------------------------------------------------------------------------------

    def _write(self, tx: Transaction, closed: Sequence[_Closed], now: datetime, tally: Tally) -> None:
        rows = [self._row(one, now) for one in closed]
        new = tx.billing.add_reads([row for row in rows if row is not None])
        mine = [one for one, row in zip(closed, rows, strict=True) if row is None or row.key in new]
        messages = [
            message_of(one.said.read, self._utility.target)
            for one in mine
            if isinstance(one.said.read, BillingRead) and one.said.state is ReadState.BILLED
        ]
        tx.outbox.put(messages, now)
        tx.billing.ask([question for one in mine for question in one.said.questions], now)
        taken = [one.said.read for one in mine]
        settle_gone(tx, taken, now)
        close_read(tx, taken, now)
        order_where_needed(tx, taken, self._utility, now)
        for one in mine:
            _count(tally, one.said)

    def _row(self, one: _Closed, now: datetime) -> KeptRead | None:
        read = one.said.read
        if isinstance(read, Unbillable):
            return None
        return kept(read, one.said.state, contract=one.said.contract, now=now, by=SYSTEM)


def batches(
    store: Store, *, route: str | None = None, size: int = BATCH, after: str = ""
) -> Iterator[list[ServicePoint]]:
    """Give the service points with meters, some hundred at a time, by id, behind ``after``."""
    while True:
        with store.reading() as tx:
            found = list(tx.billing.service_points(route=route, after=after, limit=size))
        if not found:
            return
        yield found
        after = found[-1].id


def settle_gone(tx: Transaction, reads: Sequence[BillingRead | Unbillable], now: datetime) -> None:
    """Close questions that ask for a read which has been taken now."""
    taken = {(one.subject.service_point, one.period.id) for one in reads if isinstance(one, BillingRead)}
    waiting = sum(
        count
        for (kind, _state), count in tx.billing.count_exceptions().items()
        if kind is ExceptionKind.UNBILLABLE
    )
    if not waiting:
        return
    for one in tx.billing.questions_at({point for point, _ in taken}):
        about = one.about
        if about.kind is ExceptionKind.UNBILLABLE and (about.service_point, about.period) in taken:
            done = Decision("gone", SYSTEM, "A read could be taken.", now)
            tx.billing.decide(one.number, done, ExceptionState.GONE)


def _plain(said: Verdicts) -> bool:
    """Whether a read was taken at both ends, and nobody has to look at it."""
    if not isinstance(said.read, BillingRead) or said.questions:
        return False
    ends = (end for part in said.read.segments for end in (part.opening, part.closing))
    return all(end.how.actual and end.how is not How.EDITED for end in ends)


def _booked(place: Place) -> Booked:
    booked = Booked()
    for row in newest(place.reads, ReadState.BILLED).values():
        booked = booked.after(opened(row))
    return booked


def _count(tally: Tally, said: Verdicts) -> None:
    if isinstance(said.read, BillingRead):
        doubted, unjudged = standing_of(said.read)
        tally.doubted += doubted
        tally.unjudged += unjudged
    if isinstance(said.read, Unbillable):
        tally.unbillable += 1
    elif said.state is ReadState.HELD:
        tally.held += 1
    else:
        tally.billed += 1
        tally.estimated += not said.read.actual
        tally.volume_m3 += said.read.volume_m3
