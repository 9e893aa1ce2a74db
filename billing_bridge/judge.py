"""One service point and period: the read, what is deducted, what the rules say, what a person is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import orjson

from billing_bridge.arbiter import State
from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.checked import alarms, class_reference, log_of, looked_up
from billing_bridge.closing import validated
from billing_bridge.gather import Place
from billing_bridge.ordering import awaited
from billing_bridge.period import Period
from billing_bridge.read import BillingRead, Ruling
from billing_bridge.record import opened
from billing_bridge.taking import Booked, Unbillable, take_read
from billing_bridge.utility import Utility
from billing_bridge.validate import Reference, ReferenceKind, SubMeter
from metering.billing import ExceptionKind, KeptRead, NewException, ReadState

__all__ = ["Verdicts", "about", "closing_day", "judge", "newest", "next_revision", "question_of", "ruled"]

_YEAR = timedelta(days=365)
_MILLILITRE = Decimal("0.000001")
_NEAR_A_YEAR = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What came of one period.

    Attributes:
        read: with the outcomes of the rules, or why there is none.
        questions: for a person.
        contract: who is billed.
    """

    read: BillingRead | Unbillable
    questions: tuple[NewException, ...]
    contract: str | None

    @property
    def state(self) -> ReadState:
        """Whether it may be billed without a person."""
        return ReadState.HELD if self.questions else ReadState.BILLED


def judge(
    place: Place,
    period: Period,
    utility: Utility,
    others: Mapping[str, Place],
    booked: Booked,
) -> Verdicts:
    """Take the read of a period and ask the rules about it.

    Args:
        place: the service point.
        period: which.
        utility: its settings.
        others: service points behind it, by id.
        booked: where the period before closed.
    """
    dials, rounding, rulings, contradictions = place.dials(utility, (period.start, period.end))
    taken = awaited(
        place, period, take_read(place.subject(utility), dials, period, rounding, booked), utility
    )
    whom = place.billed(period)
    contract = whom.tenancy.contract if whom else None
    if isinstance(taken, Unbillable):
        return Verdicts(taken, (question_of(taken, ExceptionKind.UNBILLABLE, taken.reason),), contract)
    named = replace(
        taken, rulings=(*about(rulings, period), *taken.rulings), revision=next_revision(place, period)
    )
    read = ruled(named, place, dials, period, utility, others)
    return Verdicts(read, tuple(_questions(read, _within(contradictions, period))), contract)


def ruled(  # noqa: PLR0913, PLR0917  a read and all that is known around it
    read: BillingRead,
    place: Place,
    dials: Sequence[Dial],
    period: Period,
    utility: Utility,
    others: Mapping[str, Place],
) -> BillingRead:
    """Take sub-meters off, and ask the rules."""
    day = closing_day(period.end, utility.rounding)
    subs = _subs(place, period, utility, others)
    whom = place.billed(period)
    customer = whom.customer if whom else None
    customer_class = customer.customer_class if customer else ""
    actual = [one for dial in dials if (one := dial.latest_actual(period.end)) is not None]
    estimated = 0 if read.segments[-1].closing.how.actual else 1 + _estimated_before(place, period)
    log = log_of(read, place.checked, place.points.get(read.segments[-1].meter, ()))
    known = validated(
        read.deduct(subs, day) if subs else read,
        utility.policy,
        day,
        customer_class,
        references=_references(place, period, utility, customer_class),
        active=whom is not None or not place.keeps_tenancies,
        legal_until=place.legal_until(read.segments[-1].meter),
        subs=subs,
        manual=any(not How(one.counts).own for one in read.rulings),
        estimated_periods=estimated,
        last_actual=max(actual, default=None),
        alarms=alarms(read, place.checked),
        intervals_m3=None if log is None else (log.volume_m3,),
        index_delta_m3=None if log is None else log.index_delta_m3,
    )
    return replace(known, outcomes=(*known.outcomes, *looked_up(read, place.checked)))


def closing_day(end: datetime, rounding: Rounding) -> date:
    """Give the local day a period ends with."""
    return (end - timedelta(microseconds=1)).astimezone(rounding.zone).date()


def next_revision(place: Place, period: Period) -> int:
    """Give the number behind those on record."""
    return max((one.revision for one in place.reads if one.period == period.id), default=0) + 1


def newest(reads: Iterable[KeptRead], *states: ReadState) -> dict[str, KeptRead]:
    """Give the newest revision per period, of those in some states."""
    return {one.period: one for one in reads if one.state in states}


def question_of(
    about: BillingRead | Unbillable,
    kind: ExceptionKind,
    sentence: str,
    evidence: Mapping[str, object] | None = None,
) -> NewException:
    """Ask a person about a period."""
    subject, period = about.subject, about.period
    return NewException(
        service_point=subject.service_point,
        register=subject.register.key,
        period=period.id,
        starts=period.start,
        ends=period.end,
        kind=kind,
        sentence=sentence,
        evidence=orjson.dumps(evidence or {}),
        read=about.key if isinstance(about, BillingRead) else None,
    )


def _questions(read: BillingRead, contradictions: Sequence[State]) -> Iterable[NewException]:
    failed = [one for one in read.outcomes if one.blocks]
    if read.blocked:
        sentence = " ".join(one.sentence for one in failed) or "More was billed before than was used."
        evidence = {one.rule: {"sentence": one.sentence, **one.evidence} for one in failed}
        yield question_of(
            read, ExceptionKind.RULE, sentence, {"rules": evidence, "volume_m3": str(read.volume_m3)}
        )
    if contradictions:
        said = [str(one) for one in contradictions]
        sentence = "A person's state and the meter's own reads do not agree."
        yield question_of(read, ExceptionKind.CONTRADICTION, sentence, {"states": said})


def about(rulings: Sequence[Ruling], period: Period) -> tuple[Ruling, ...]:
    """Give the rulings about the ends of a period."""
    return tuple(one for one in rulings if one.at in {period.start, period.end})


def _within(states: Sequence[State], period: Period) -> list[State]:
    return [one for one in states if period.start < one.at <= period.end]


def _references(place: Place, period: Period, utility: Utility, customer_class: str) -> list[Reference]:
    reads = newest(place.reads, ReadState.BILLED).values()
    found: list[Reference] = []
    for one in reads:
        kind = _kind(one, period)
        if kind is not None:
            days = Decimal(int((one.ends - one.starts).total_seconds())) / 86_400
            estimated = Decimal(0 if one.actual else 1)
            daily = (max(one.volume_m3, Decimal(0)) / days).quantize(_MILLILITRE)
            found.append(Reference(kind, daily, estimated))
    usual = class_reference(place.checked, utility, customer_class)
    return found if usual is None else [*found, usual]


def _kind(read: KeptRead, period: Period) -> ReferenceKind | None:
    if read.ends == period.start:
        return ReferenceKind.PREVIOUS_PERIOD
    if abs(period.end - _YEAR - read.ends) <= _NEAR_A_YEAR / 2:
        return ReferenceKind.SAME_PERIOD_LAST_YEAR
    return None


def _estimated_before(place: Place, period: Period) -> int:
    """Count the periods estimated in a row before this one, as far as they were fetched."""
    count, end = 0, period.start
    for one in sorted(newest(place.reads, ReadState.BILLED).values(), key=lambda one: one.ends, reverse=True):
        if one.ends == end and not opened(one).segments[-1].closing.how.actual:
            count, end = count + 1, one.starts
    return count


def _subs(place: Place, period: Period, utility: Utility, others: Mapping[str, Place]) -> list[SubMeter]:
    known = [
        others[one.sub]
        for one in place.deductibles
        if one.sub in others
        and one.valid_from < period.end
        and (one.valid_to is None or one.valid_to > period.start)
    ]
    return [sub for one in known if (sub := _sub(one, period, utility)) is not None]


def _sub(place: Place, period: Period, utility: Utility) -> SubMeter | None:
    """Give what a meter behind another passed in a period; ``None`` if that is not known."""
    dials, rounding, _rulings, _contradictions = place.dials(utility, (period.start, period.end))
    taken = take_read(place.subject(utility), dials, period, rounding, Booked())
    if isinstance(taken, Unbillable):
        return None
    meter = taken.segments[-1].meter
    return SubMeter(meter, taken.gross_m3, place.legal_until(meter))
