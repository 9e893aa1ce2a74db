"""What is known of some service points over a span: a handful of queries, whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from billing_bridge.arbiter import Arbitrated, State, arbitrate, told_by
from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.checked import Checked, checked_at
from billing_bridge.period import Calendar, Cause, Cut, Period
from billing_bridge.read import Ruling, Subject
from billing_bridge.utility import Utility
from metering.billing import KeptRead
from metering.billing_customers import (
    Customer,
    CutMade,
    Deductible,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
    ToldState,
)
from metering.consumption import IndexPoint, Limits, Segment
from metering.meter import Installation, MeterId, ServicePoint
from metering.orders import ReadingOrder
from metering.ports import Transaction

__all__ = ["MARGIN", "Place", "Whom", "gather", "whom_at"]

MARGIN = timedelta(days=5)
"""Read before and after a span, so that readings at its ends are judged by their neighbours."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_BEHIND = timedelta(days=400)
"""Reads behind a span are fetched so far: a period taken late closes where the one behind it opened."""
_LAST_YEAR = (timedelta(days=366 + 31), timedelta(days=334))
"""Where periods of last year end that may be the same period, before the ends asked about."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is billed: a tenancy and the customer behind it."""

    tenancy: Tenancy
    customer: Customer | None


@dataclass(frozen=True, slots=True)
class Place:
    """One service point, with what is known of it.

    Attributes:
        point: the service point.
        installed: meters that hang and hung there, by begin.
        points: their readings within the span, by time.
        facts: what is engraved on them.
        protocols: indices written down at exchanges.
        states: states people told that were taken over.
        whom: who is billed, by begin; empty if nobody.
        keeps_tenancies: whether tenancies are kept at all.
        cuts: where periods end out of turn.
        deductibles: service points behind this one that are deducted.
        reads: billing reads on record that touch the span, and those of a year before.
        checked: what was judged between closings; empty unless it was asked for.
        order: the open order of a reader, if it was asked for.
        asof: when it was asked for, UTC.
    """

    point: ServicePoint
    installed: Sequence[Installation] = ()
    points: Mapping[MeterId, Sequence[IndexPoint]] = field(default_factory=dict)
    facts: Mapping[MeterId, MeterFacts] = field(default_factory=dict)
    protocols: Mapping[MeterId, Sequence[ProtocolIndex]] = field(default_factory=dict)
    states: Mapping[MeterId, Sequence[ToldState]] = field(default_factory=dict)
    whom: Sequence[Whom] = ()
    keeps_tenancies: bool = False
    cuts: Sequence[CutMade] = ()
    deductibles: Sequence[Deductible] = ()
    reads: Sequence[KeptRead] = ()
    checked: Checked = field(default_factory=Checked)
    order: ReadingOrder | None = None
    asof: datetime = _NEVER

    def subject(self, utility: Utility) -> Subject:
        """Whose register."""
        return Subject(utility.tenant, self.point.id, utility.register)

    def periods(self, utility: Utility, since: datetime, until: datetime) -> tuple[Period, ...]:
        """Give the periods whose end lies within ``since < end <= until``."""
        made = [Cut(one.at, Cause(one.cause)) for one in self.cuts]
        left = [Cut(one.tenancy.valid_to, Cause.FINAL) for one in self.whom if one.tenancy.valid_to]
        around = _periods(utility.calendars.of(self.point.route), since, until, (*made, *left))
        return tuple(one for one in around if since < one.end <= until and self._hung_in(one))

    def _hung_in(self, period: Period) -> bool:
        return any(
            one.valid_from < period.end and (one.valid_to is None or one.valid_to > period.start)
            for one in self.installed
        )

    def billed(self, period: Period) -> Whom | None:
        """Give who is billed for a period: the tenancy at its begin, else the first one within it."""
        within = (
            one
            for one in self.whom
            if one.tenancy.valid_from < period.end
            and (one.tenancy.valid_to is None or one.tenancy.valid_to > period.start)
        )
        return next(within, None)

    def legal_until(self, meter: MeterId) -> date | None:
        """Give the last local day of a meter's legalization, if it is on record."""
        known = self.facts.get(meter)
        return known.legal_until if known else None

    def dials(
        self, utility: Utility, ends: Collection[datetime]
    ) -> tuple[tuple[Dial, ...], Rounding, tuple[Ruling, ...], tuple[State, ...]]:
        """Give the meters with those reads that count, and what the arbiter said.

        Args:
            utility: its settings.
            ends: of the periods in question, UTC.
        """
        found = [(one, self._arbitrated(one, utility, ends)) for one in self.installed]
        dials = tuple(self._dial(one, said) for one, said in found)
        by_people = any(said.ways for _one, said in found)
        window = max(utility.rounding.window, utility.arbitration.manual)
        rounding = replace(utility.rounding, window=window) if by_people else utility.rounding
        rulings = tuple(ruling for _one, said in found for ruling in said.rulings)
        return dials, rounding, rulings, tuple(one for _, said in found for one in said.contradictions)

    def _arbitrated(
        self, installed: Installation, utility: Utility, ends: Collection[datetime]
    ) -> Arbitrated:
        points = self.points.get(installed.meter, ())
        told = self.states.get(installed.meter)
        if not told:
            return Arbitrated(points, {})
        states = [
            State(one.read_at, one.value, told_by(one.channel)) for one in told if one.value is not None
        ]
        ways = self.checked.ways.get(installed.meter)
        return arbitrate(points, states, ends, How.RADIO, utility.arbitration, ways=ways)

    def _dial(self, installed: Installation, said: Arbitrated) -> Dial:
        meter = installed.meter
        known = self.facts.get(meter)
        limits = Limits.of_water_m3(
            q3_m3h=known.q3_m3h if known else None, digits=known.digits if known else None
        )
        opening = self._written(meter, installed.valid_from, Event.INSTALLED)
        closing = self._written(meter, installed.valid_to, Event.REMOVED)
        segment = Segment(said.points, limits, installed.valid_from, installed.valid_to, opening, closing)
        ways = self.checked.ways.get(meter)
        return Dial(meter, segment, {**ways, **said.ways} if ways else said.ways)

    def _written(self, meter: MeterId, at: datetime | None, event: Event) -> Decimal | None:
        known = (one for one in self.protocols.get(meter, ()) if one.event is event and one.at == at)
        written = next(known, None)
        return None if written is None else written.value


def gather(  # noqa: PLR0913  what is asked for, and how closely
    tx: Transaction,
    utility: Utility,
    points: Iterable[ServicePoint],
    since: datetime,
    until: datetime,
    *,
    days: Sequence[datetime] = (),
    judging: datetime | None = None,
) -> dict[str, Place]:
    """Fetch what is known of service points over a span, and of those that are deducted from them.

    Args:
        tx: a consistent view.
        utility: its settings.
        points: asked about.
        since: UTC; readings from :data:`MARGIN` before it on.
        until: UTC; readings up to :data:`MARGIN` after it.
        days: if given, only readings at the edges of these days, see
            :meth:`metering.billing.BillingBook.index_points`: enough for volumes by day, a tenth of the work.
        judging: if given, what was judged between closings and orders of readers are fetched too, as of
            this moment, UTC.
    """
    asked = {one.id: one for one in points}
    deductibles = tx.customers.deductibles(list(asked))
    behind = {one.sub for known in deductibles.values() for one in known} - asked.keys()
    asked |= tx.registry.service_points(behind)
    installed = tx.billing.installed_at(list(asked))
    meters = [
        one.meter
        for hung in installed.values()
        for one in hung
        if one.valid_from <= until + MARGIN and (one.valid_to is None or one.valid_to >= since - MARGIN)
    ]
    readings = tx.billing.index_points(meters, utility.register, since - MARGIN, until + MARGIN, days=days)
    facts, protocols = tx.customers.meter_facts(meters), tx.customers.protocols(meters)
    states = tx.customers.accepted_states(meters, utility.register.key, since - MARGIN, until + MARGIN)
    whom, cuts, reads = whom_at(tx, asked), tx.customers.cuts(list(asked)), _reads(tx, asked, since, until)
    keeps = bool(whom) or tx.customers.any_tenancy()
    checked = checked_at(tx, utility, meters, since - MARGIN, until + MARGIN) if judging else Checked()
    orders = tx.orders.open_at(list(asked)) if judging else {}
    return {
        point: Place(
            point=asked[point],
            installed=installed.get(point, ()),
            points=readings,
            facts=facts,
            protocols=protocols,
            states=states,
            whom=whom.get(point, ()),
            keeps_tenancies=keeps,
            cuts=cuts.get(point, ()),
            deductibles=deductibles.get(point, ()),
            reads=reads.get(point, ()),
            checked=checked,
            order=orders.get(point),
            asof=judging or _NEVER,
        )
        for point in asked
    }


@lru_cache(maxsize=256)
def _periods(
    calendar: Calendar, since: datetime, until: datetime, cuts: tuple[Cut, ...]
) -> tuple[Period, ...]:
    """Most service points of a route have the same."""
    return calendar.periods(since, until, cuts)


def whom_at(tx: Transaction, points: Collection[str]) -> Mapping[str, Sequence[Whom]]:
    """Give who is billed at service points, by begin; nothing for those where nobody is."""
    found = tx.customers.tenancies_at(list(points))
    contracts = tx.customers.contracts({one.contract for known in found.values() for one in known})
    customers = tx.customers.customers({one.customer for one in contracts.values()})
    customer_of = {number: customers.get(one.customer) for number, one in contracts.items()}
    return {
        point: [Whom(one, customer_of.get(one.contract)) for one in known] for point, known in found.items()
    }


def _reads(
    tx: Transaction, points: Collection[str], since: datetime, until: datetime
) -> Mapping[str, Sequence[KeptRead]]:
    """Give reads that end within the span (its first moment included) or behind it, and of a year before."""
    now = tx.billing.reads_at(points, since - timedelta(microseconds=1), until + _BEHIND)
    past = tx.billing.reads_at(points, since - _LAST_YEAR[0], until - _LAST_YEAR[1])
    return {
        point: sorted(
            {one.key: one for one in (*past.get(point, ()), *now.get(point, ()))}.values(),
            key=lambda one: (one.ends, one.revision),
        )
        for point in now.keys() | past.keys()
    }
