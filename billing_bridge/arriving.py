"""The rules of arrival, asked after the commit: in rounds, of what came since the last one.

::

    meters of which something newer came, some hundred at a time
        reading   states that arrived since, each with the one before it       (a consistent view)
                  judged by time                                               (pure)
        writing   what was raised, how far it is                               (one transaction)

Ingest does not wait for it. Killed anywhere, the next round does the rest: a mark per meter says which
arrivals were judged, and the same outcome is kept once. A state that comes late for a meter that is silent
since then is found by the sweep over everything, once a night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import orjson

from billing_bridge.gather import whom_at
from billing_bridge.utility import Utility
from billing_bridge.validate import Judged, Line, Outcome, judge_states
from metering.billing_customers import MeterFacts
from metering.checks import Arrived, CheckMark, Finding, Moved
from metering.meter import Installation, MeterId
from metering.ports import Clock, Store, Transaction

__all__ = ["BLOCK", "SWEEP", "ArrivalTally", "Arrivals", "Late", "finding_of"]

BLOCK = 500
"""Meters per transaction."""
RECENT = timedelta(days=3)
"""In a round, states read so long before the last one judged are looked for; older ones in the sweep."""
SWEEP = timedelta(days=62)
"""The sweep looks so far back, and so does the first look at a meter."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Late:
    """States older than what was judged before: what rests on that time is to be looked at again.

    Attributes:
        meter: whose.
        since: the oldest, UTC.
        until: the newest, UTC.
        first: nothing of the meter was judged before: it is new, or its history came in.
    """

    meter: MeterId
    since: datetime
    until: datetime
    first: bool = False


@dataclass(slots=True)
class ArrivalTally:
    """What a round over the states did.

    Attributes:
        meters: looked at.
        judged: states.
        raised: outcomes kept that were new.
        moved: meters of which something came, where they hang.
        late: what came late.
    """

    meters: int = 0
    judged: int = 0
    raised: int = 0
    moved: set[MeterId] = field(default_factory=set)
    late: list[Late] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Done:
    """One meter, judged."""

    mark: CheckMark
    findings: tuple[Finding, ...]
    late: Late | None
    count: int


class Arrivals:
    """Judges states as they arrived."""

    def __init__(
        self,
        store: Store,
        utility: Utility,
        clock: Clock,
        hold: Callable[[Transaction], None] = lambda _tx: None,
    ) -> None:
        """Prepare; nothing is read. ``hold`` is called in each transaction that writes."""
        self._hold = hold
        self._store = store
        self._utility = utility
        self._clock = clock

    def run(
        self,
        *,
        everything: bool = False,
        told: Callable[[int], None] = lambda _meters: None,
        ended: Callable[[], bool] = lambda: False,
    ) -> ArrivalTally:
        """Judge what came since the last round.

        Args:
            everything: of all meters, also what is older than :data:`RECENT`: the sweep.
            told: given how many meters were done, block by block.
            ended: asked after each block whether to stop; the next round goes on.

        Raises:
            StoreUnavailable: what was judged by then stays judged.
        """
        tally, after = ArrivalTally(), 0
        while moved := self._moved(after, everything=everything):
            after = moved[-1].number
            self._judge(moved, tally, everything=everything)
            told(len(moved))
            if ended():
                break
        return tally

    def _moved(self, after: int, *, everything: bool) -> Sequence[Moved]:
        with self._store.reading() as tx:
            return tx.checks.moved(self._utility.register, after, BLOCK, everything=everything)

    def _judge(self, moved: Sequence[Moved], tally: ArrivalTally, *, everything: bool) -> None:
        now = self._clock.now()
        with self._store.reading() as tx:
            done = list(self._done(tx, moved, now, everything=everything))
        if not done:
            return
        with self._store.writing() as tx:
            self._hold(tx)
            new = tx.checks.keep([finding for one in done for finding in one.findings])
            tx.checks.put_marks([one.mark for one in done])
        tally.meters += len(moved)
        tally.judged += sum(one.count for one in done)
        tally.raised += new
        tally.moved |= {one.mark.meter for one in done if one.count}
        tally.late += [one.late for one in done if one.late is not None]

    def _done(
        self, tx: Transaction, moved: Sequence[Moved], now: datetime, *, everything: bool
    ) -> Iterator[_Done]:
        meters = [one.meter for one in moved]
        states = self._arrived(tx, moved, now, everything=everything)
        facts, hung = tx.customers.meter_facts(meters), tx.registry.installations(meters)
        classes = _classes(tx, hung)
        for one in moved:
            came = states.get(one.meter, ())
            line = _line(one, facts.get(one.meter), hung.get(one.meter, ()))
            yield self._one(one, line, came, classes.get(one.meter, ""), now, swept=everything)

    def _arrived(
        self, tx: Transaction, moved: Sequence[Moved], now: datetime, *, everything: bool
    ) -> dict[MeterId, Sequence[Arrived]]:
        """Fetch what arrived: of meters never looked at from :data:`SWEEP` on, of others what is recent."""
        new = {one.meter: _NEVER for one in moved if one.mark is None}
        known = {one.meter: one.mark for one in moved if one.mark is not None}
        since = {meter: mark.swept if everything else mark.arrived for meter, mark in known.items()}
        recent = min((mark.newest for mark in known.values()), default=now) - RECENT
        found = dict(tx.checks.arrived(new, self._utility.register, now - SWEEP)) if new else {}
        if since:
            begin = now - SWEEP if everything else max(recent, now - SWEEP)
            found |= tx.checks.arrived(since, self._utility.register, begin)
        return found

    def _one(  # noqa: PLR0913  one meter and all that is known of it
        self,
        moved: Moved,
        line: Line,
        came: Sequence[Arrived],
        customer_class: str,
        now: datetime,
        *,
        swept: bool,
    ) -> _Done:
        after, judged = judge_states(line, came, self._utility.policy, customer_class)
        arrived = max((one.received_at for one in came), default=_NEVER)
        was = moved.mark or CheckMark(moved.meter, moved.newest, _NEVER, _NEVER)
        upto = max(was.arrived, arrived)
        first = swept or moved.mark is None
        mark = replace(
            was,
            newest=moved.newest,
            arrived=upto,
            swept=upto if first else was.swept,
            judged=was.judged + sum(one.received_at > was.arrived for one in came),
            accepted=after.accepted,
            doubted=after.doubted,
            doubts=after.doubts,
            raised=was.raised + len({(one.state.at, one.state.value) for one in judged}),
        )
        register = self._utility.register.key
        findings = tuple(
            finding_of(moved.meter, register, told, now, state=one) for one in judged for told in one.raised
        )
        late = _late(moved, came)
        return _Done(mark, findings, late, len(came))


def finding_of(  # noqa: PLR0913  an outcome and what it is about
    meter: MeterId,
    register: str,
    told: Outcome,
    now: datetime,
    *,
    state: Judged | None = None,
    span: tuple[datetime, datetime] | None = None,
) -> Finding:
    """Give an outcome as it is kept: about a state, or about a span."""
    at, until = span or (now, None)
    return Finding(
        meter=meter,
        register=register,
        rule=told.rule,
        at=state.state.at if state else at,
        until=None if state else until,
        value=state.state.value if state else None,
        severity=told.severity.value if told.severity else "",
        sentence=told.sentence,
        cim=told.cim.value if told.cim else "",
        espi=int(told.espi) if told.espi is not None else 0,
        evidence=orjson.dumps(dict(told.evidence)),
        found_at=now,
    )


def _line(moved: Moved, facts: MeterFacts | None, hung: Sequence[Installation]) -> Line:
    mark = moved.mark
    return Line(
        moved.meter,
        hung,
        facts.digits if facts else None,
        facts.q3_m3h if facts else None,
        mark.accepted if mark else None,
        mark.doubted if mark else None,
        mark.doubts if mark else 0,
    )


def _late(moved: Moved, came: Sequence[Arrived]) -> Late | None:
    mark = moved.mark
    late = [one.at for one in came if mark is None or one.at <= mark.newest]
    return Late(moved.meter, min(late), max(late), first=mark is None) if late else None


def _classes(tx: Transaction, hung: Mapping[MeterId, Sequence[Installation]]) -> dict[MeterId, str]:
    """Give the class of the customer each meter is billed to now."""
    places = {meter: known[-1].service_point for meter, known in hung.items() if known}
    whom = whom_at(tx, set(places.values()))
    last = {point: known[-1].customer for point, known in whom.items() if known}
    class_of = {point: customer.customer_class for point, customer in last.items() if customer is not None}
    return {meter: class_of[point] for meter, point in places.items() if point in class_of}
