"""What was billed, what the billing system holds, what the chart shows and what the meter last said: one?

Two comparisons:

with the billing system, nightly and by hand
    missing there, extra there, differing: key by key, over the digest of what was handed over
with ourselves, in every round for what changed since, nightly and by hand for two months
    the volume of each billed period against the chart's over the same time, and the last booked index against
    what the meter sent since: to the litre, or a question for a person says where not; a question about what
    agrees again is closed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import orjson

from billing_bridge.boundary import Dial
from billing_bridge.bridge import batches
from billing_bridge.gather import Place, gather
from billing_bridge.judge import newest, question_of
from billing_bridge.ordering import SYSTEM
from billing_bridge.read import BillingRead
from billing_bridge.record import opened
from billing_bridge.taking import Booked, Unbillable, take_read
from billing_bridge.utility import Late, Utility
from metering.billing import Decision, ExceptionKind, ExceptionState, KeptRead, NewException, ReadState
from metering.consumption import Interval, cut, joined
from metering.errors import TelemetryError
from metering.meter import ServicePoint
from metering.outbox import OutboxState
from metering.ports import Clock, Store, Transaction

__all__ = [
    "Disagreement",
    "Reconciled",
    "Theirs",
    "ask",
    "compare_books",
    "compare_ourselves",
    "compare_points",
    "settle_agreed",
    "theirs_of",
]

_MARGIN = timedelta(days=400)


class BadList(TelemetryError):
    """What the billing system gave is no list of reads."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """A read as the billing system holds it.

    Attributes:
        key: of the read.
        sha256: of what it booked, hexadecimal; empty if it does not say.
        volume_m3: as it booked it; ``None`` if it does not say.
    """

    key: str
    sha256: str = ""
    volume_m3: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Something that should be the same and is not.

    Attributes:
        what: missing, extra, differs, chart, meter.
        key: of the billing read.
        sentence: for people.
        read: our read, if there is one.
    """

    what: str
    key: str
    sentence: str
    read: KeptRead | None = None


@dataclass(slots=True)
class Reconciled:
    """What came of it.

    Attributes:
        compared: reads.
        found: where not.
        points: service points that were looked at, for comparisons with ourselves.
    """

    compared: int = 0
    found: list[Disagreement] = field(default_factory=list)
    points: set[str] = field(default_factory=set)

    def add(self, other: Reconciled) -> None:
        """Add another's."""
        self.compared += other.compared
        self.found += other.found
        self.points |= other.points


def theirs_of(body: bytes) -> list[Theirs]:
    """Read the billing system's list: ``{"reads": [{"key", "sha256", "volume_m3"}]}``.

    Raises:
        BadList: it is not one.
    """
    try:
        return [
            Theirs(
                str(one["key"]),
                str(one.get("sha256") or ""),
                Decimal(one["volume_m3"]) if one.get("volume_m3") is not None else None,
            )
            for one in orjson.loads(body)["reads"]
        ]
    except (ValueError, KeyError, TypeError, ArithmeticError) as wrong:
        raise BadList("the billing system's list of reads cannot be read") from wrong


def compare_books(
    store: Store, utility: Utility, theirs: Sequence[Theirs], since: datetime, until: datetime
) -> Reconciled:
    """Compare what was delivered with what the billing system holds, for periods ``since < end <= until``."""
    held = {one.key: one for one in theirs}
    done, seen = Reconciled(), set[str]()
    with store.reading() as tx:
        for page in _pages(tx, since, until):
            for one in page:
                seen.add(one.key)
                if one.state is ReadState.BILLED:
                    done.compared += 1
                    done.found += _against(tx, utility.target, one, held)
    for key in sorted(held.keys() - seen):
        row = _kept(store, key)
        if row is None:
            done.found.append(Disagreement("extra", key, "The billing system holds a read that is not ours."))
        elif since < row.ends <= until:
            done.found.append(Disagreement("extra", key, f"It is {row.state.value} here.", row))
    return done


def compare_ourselves(
    store: Store, utility: Utility, since: datetime, until: datetime, now: datetime
) -> Reconciled:
    """Compare each billed period with the chart over the same time, and with what the meter says."""
    done = Reconciled()
    for points in batches(store):
        done.add(compare_points(store, utility, points, since, until, now))
    return done


def compare_points(  # noqa: PLR0913, PLR0917  whose, which periods, and as of when
    store: Store,
    utility: Utility,
    points: Sequence[ServicePoint],
    since: datetime,
    until: datetime,
    now: datetime,
) -> Reconciled:
    """Compare the billed periods of some service points with ``since < end <= until``."""
    done = Reconciled(points={one.id for one in points})
    with store.reading() as tx:
        reads = tx.billing.reads_at([one.id for one in points], since, until)
        billed = {point: newest(rows, ReadState.BILLED).values() for point, rows in reads.items()}
        read = [one for one in points if billed.get(one.id) and all(row.actual for row in billed[one.id])]
        others = [one for one in points if billed.get(one.id) and one not in read]
        begin = min((row.starts for one in read for row in billed[one.id]), default=since)
        places = gather(tx, utility, read, begin, max(until, now)) if read else {}
        if others:
            places |= gather(tx, utility, others, since - _MARGIN, max(until, now))
    for point in (*read, *others):
        place = places[point.id]
        for row in newest(place.reads, ReadState.BILLED).values():
            if since < row.ends <= until:
                done.compared += 1
                done.found += _to_the_litre(place, utility, row)
    return done


def settle_agreed(store: Store, clock: Clock, done: Reconciled) -> int:
    """Close questions about chart and meter where they agree again. Gives how many."""
    differing = {one.read.service_point for one in done.found if one.read is not None}
    settled = 0
    with store.writing() as tx:
        for asked in tx.billing.questions_at(done.points - differing):
            about = asked.about
            ours = orjson.loads(about.evidence).get("what") in {"chart", "meter"}
            if about.kind is ExceptionKind.RECONCILIATION and asked.state is ExceptionState.OPEN and ours:
                agreed = Decision("gone", SYSTEM, "Chart, bill and meter agree again.", clock.now())
                settled += tx.billing.decide(asked.number, agreed, ExceptionState.GONE)
    return settled


def ask(store: Store, clock: Clock, done: Reconciled) -> int:
    """Open a question for each disagreement about a read of ours. Gives how many were new."""
    questions = [_question(one, one.read) for one in done.found if one.read is not None]
    with store.writing() as tx:
        return tx.billing.ask(questions, clock.now())


def _question(one: Disagreement, row: KeptRead) -> NewException:
    return question_of(
        opened(row), ExceptionKind.RECONCILIATION, one.sentence, {"what": one.what, "key": one.key}
    )


def _against(
    tx: Transaction, target: str, row: KeptRead, held: Mapping[str, Theirs]
) -> Iterator[Disagreement]:
    item = tx.outbox.item(target, row.key)
    if item is None or item.state is not OutboxState.DELIVERED:
        return  # on its way, or waiting for a person: the outbox tells
    theirs = held.get(row.key)
    if theirs is None:
        said = (
            f"It was delivered (receipt {item.receipt or 'none'}), but the billing system does not hold it."
        )
        if not _superseded(tx, row):
            yield Disagreement("missing", row.key, said, row)
    elif theirs.sha256 and theirs.sha256 != item.sha256.hex():
        yield Disagreement("differs", row.key, "The billing system booked another content.", row)
    elif theirs.volume_m3 is not None and theirs.volume_m3 != row.volume_m3:
        said = f"The billing system booked {theirs.volume_m3} m3, handed over were {row.volume_m3} m3."
        yield Disagreement("differs", row.key, said, row)


def _superseded(tx: Transaction, row: KeptRead) -> bool:
    same = tx.billing.reads_at([row.service_point], row.ends - timedelta(microseconds=1), row.ends)
    return any(
        one.revision > row.revision and one.state is ReadState.BILLED
        for one in same.get(row.service_point, ())
        if (one.period, one.register) == (row.period, row.register)
    )


def _to_the_litre(place: Place, utility: Utility, row: KeptRead) -> Iterator[Disagreement]:
    billed = opened(row)
    if any(one.action in {"edit", "estimate"} for one in billed.edits):
        return  # a person said otherwise than the meter, with a reason
    dials, rounding, _rulings, _contradictions = place.dials(utility, (row.starts, row.ends))
    taken = take_read(billed.subject, dials, billed.period, rounding, Booked())
    if isinstance(taken, Unbillable):
        said = f"By what is stored today no read could be taken: {taken.reason}."
        yield Disagreement("meter", row.key, said, row)
        return
    ours, theirs = _litres(billed), _litres(taken)
    proposed = any(one.period == row.period and one.state is ReadState.PROPOSED for one in place.reads)
    absorbed = utility.late is Late.ABSORB and not billed.actual
    if ours != theirs and not proposed and not absorbed:
        said = f"Billed index {ours} m3 at the end, the meter's own reads say {theirs} m3."
        yield Disagreement("meter", row.key, said, row)
    yield from _last_word(place, dials, billed, row)
    chart = _charted(place, utility, billed)
    if chart is not None and billed.actual and not proposed and chart != _exact(billed):
        said = f"The chart shows {chart} m3 for the period, billed indices differ by {_exact(billed)} m3."
        yield Disagreement("chart", row.key, said, row)


def _last_word(
    place: Place, dials: Sequence[Dial], billed: BillingRead, row: KeptRead
) -> Iterator[Disagreement]:
    """Tell a meter whose newest state, believed or not, is less than what was billed of it."""
    last = billed.segments[-1]
    points = place.points.get(last.meter, ())
    dial = next((one for one in dials if one.meter == last.meter), None)
    if dial is None or not points or points[-1].at <= row.ends or not dial.segment.hangs_at(points[-1].at):
        return
    newest_state, wraps = points[-1], dial.segment.limits.wraps_at
    fall = last.closing.index - newest_state.value
    if fall > 0 and (wraps is None or 2 * fall < wraps):  # a larger fall is a register that began anew
        told = f"The meter said {newest_state.value} m3 at {newest_state.at.isoformat()},"
        told += f" less than the {last.closing.index} m3 billed."
        yield Disagreement("meter", row.key, told, row)


def _litres(read: BillingRead) -> Decimal:
    return read.segments[-1].closing.index


def _exact(read: BillingRead) -> Decimal:
    """Give what passed, not floored to the billing step."""
    return sum((one.closing.total - one.opening.total for one in read.segments), Decimal(0))


def _charted(place: Place, utility: Utility, read: BillingRead) -> Decimal | None:
    """Give what the customer's chart says of the same time; ``None`` where its ends lie elsewhere."""
    ends = (read.period.start, read.period.end)
    dials, _rounding, _rulings, _contradictions = place.dials(utility, ends)
    lines = joined([one.segment for one in dials]).lines
    found: list[Interval] = [one for line in lines for one in cut(line, ends)]
    inside = [one for one in found if (one.start, one.end) == ends]
    return inside[0].volume if len(inside) == 1 else None


def _pages(tx: Transaction, since: datetime, until: datetime) -> Iterator[Sequence[KeptRead]]:
    after = ""
    while page := tx.billing.reads_ending(since, until, after=after, limit=1000):
        yield page
        after = page[-1].key


def _kept(store: Store, key: str) -> KeptRead | None:
    with store.reading() as tx:
        return tx.billing.read(key)
