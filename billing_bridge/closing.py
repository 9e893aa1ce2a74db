"""Periods closed one after another, and what late reads change in those that were billed.

Two ways to go on when a read arrives for a period that was billed on an estimate, a setting of the utility:

absorb
    the period stays as it was billed, and the next one opens at the index that was booked
revise
    a new revision supersedes it, and every period it touches
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.period import Period
from billing_bridge.read import BillingRead, ReadSegment, Subject
from billing_bridge.taking import Booked, Unbillable, take_read
from billing_bridge.validate import Outcome, PeriodCase, Policy, validate_period

__all__ = ["close_periods", "revise_periods", "validated"]


def close_periods(
    subject: Subject,
    dials: Sequence[Dial],
    periods: Iterable[Period],
    rounding: Rounding,
    billed: Iterable[BillingRead] = (),
) -> tuple[BillingRead | Unbillable, ...]:
    """Take the reads of periods that were not billed yet; those that were stay as they are.

    Args:
        subject: whose.
        dials: the meters that hung there.
        periods: in any order.
        rounding: the utility's.
        billed: newest revisions of what was billed; the next period opens where they closed.
    """
    known = sorted(billed, key=lambda read: read.period.start)
    booked = _booked(known)
    done = {read.period.id for read in known}
    taken: list[BillingRead | Unbillable] = []
    for period in sorted(one for one in periods if one.id not in done):
        found = take_read(subject, dials, period, rounding, booked)
        taken.append(found)
        booked = booked.after(found) if isinstance(found, BillingRead) else booked
    return tuple(taken)


def revise_periods(
    dials: Sequence[Dial],
    rounding: Rounding,
    billed: Iterable[BillingRead],
    before: BillingRead | None = None,
) -> tuple[BillingRead, ...]:
    """Give the revisions of billed periods that say something else by what is known now, by time.

    Sub-meters that were deducted are deducted again. What a person put or had estimated stays as it is.

    Args:
        dials: the meters that hung there.
        rounding: the utility's.
        billed: newest revisions, of periods that follow one another.
        before: what was billed before the first of them, where it stays as it is.
    """
    booked = Booked() if before is None else Booked().after(before)
    revisions: list[BillingRead] = []
    for read in sorted(billed, key=lambda one: one.period.start):
        found = read if _by_hand(read) else take_read(read.subject, dials, read.period, rounding, booked)
        now = read if isinstance(found, Unbillable) else replace(found, deductions=read.deductions)
        booked = booked.after(now)
        revision = read.revised(now)
        if revision is not None:
            revisions.append(revision)
    return tuple(revisions)


def validated(
    read: BillingRead, policy: Policy, closing_day: date, customer_class: str = "", **known: Any
) -> BillingRead:
    """Ask the rules of period close about a read, and keep what they said on it.

    Args:
        read: the read.
        policy: the utility's settings.
        closing_day: local day of the closing read.
        customer_class: whose settings.
        known: what else is known, as in :class:`PeriodCase`: references, alarms, legalization, ...
    """
    case = PeriodCase(**{**_told_by(read), "closing_day": closing_day, **known})
    outcomes: tuple[Outcome, ...] = validate_period(case, policy, customer_class)
    return replace(read, outcomes=outcomes)


def _by_hand(read: BillingRead) -> bool:
    return any(one.action in {"edit", "estimate"} for one in read.edits)


def _told_by(read: BillingRead) -> Mapping[str, Any]:
    first, last = read.segments[0], read.segments[-1]
    reads = [
        one.anchor.at for part in read.segments for one in (part.opening, part.closing) if one.how.actual
    ]
    return {
        "start": read.period.start,
        "end": read.period.end,
        "volume_m3": read.gross_m3,
        "opening_off": _off(first.opening.read_at, first.opening.at),
        "closing_off": _off(last.closing.read_at, last.closing.at),
        "exchanges": [_on_protocol(old, new) for old, new in pairwise(read.segments)],
        "estimated_periods": 0 if last.closing.how.actual else 1,
        "last_actual": max(reads, default=None),
    }


def _on_protocol(old: ReadSegment, new: ReadSegment) -> bool:
    return old.closing.how is How.PROTOCOL and new.opening.how is How.PROTOCOL


def _off(read_at: datetime | None, boundary: datetime) -> timedelta | None:
    return None if read_at is None else read_at - boundary


def _booked(reads: Sequence[BillingRead]) -> Booked:
    booked = Booked()
    for read in reads:
        booked = booked.after(read)
    return booked
