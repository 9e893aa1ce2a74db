"""Readers sent to a dial: who orders, what waits for them, and what closes an order.

::

    a person, or a rule ──order, due by a day──> open
        a period that could only be estimated waits for it until that day, then as the utility's settings say
    open ──the reader's visit, or a read of the meter after all──> read
       └───by name, with a reason, or its question is decided────> withdrawn

A question that waited for the reader is open again once the order is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from billing_bridge.gather import Place
from billing_bridge.period import Period
from billing_bridge.read import BillingRead, Ruling
from billing_bridge.taking import Unbillable
from billing_bridge.utility import Overdue, Utility
from billing_bridge.validate import Verdict
from metering.billing import Decision, ExceptionKind, ExceptionState, OpenException
from metering.errors import InvalidValue
from metering.orders import NewOrder, OrderState, ReadingOrder
from metering.ports import Transaction

__all__ = [
    "SYSTEM",
    "awaited",
    "close_for",
    "close_read",
    "due_day",
    "order_reader",
    "order_where_needed",
    "visited",
    "withdraw",
]

SYSTEM = "nurt"
_PROLONGED = "R13"


def due_day(utility: Utility, now: datetime, due: date | None = None) -> date:
    """Give the last local day of an order.

    Raises:
        InvalidValue: it has passed.
    """
    today = now.astimezone(utility.rounding.zone).date()
    if due is not None and due < today:
        raise InvalidValue(f"a reader cannot come by {due}: today is {today}")
    return due or today + timedelta(days=utility.reader_days)


def order_reader(tx: Transaction, order: NewOrder, now: datetime) -> ReadingOrder:
    """Order a reader.

    Raises:
        InvalidValue: nobody ordered, nobody knows why, there is no such place, or one is ordered already.
    """
    if not order.by.strip() or not order.reason.strip():
        raise InvalidValue("an order needs a name and a reason, in a few words")
    if not tx.registry.service_points([order.service_point]):
        raise InvalidValue(f"there is no service point {order.service_point[:60]!r}")
    placed = tx.orders.place([order], now)
    standing = tx.orders.open_at([order.service_point])[order.service_point]
    if not placed:
        raise InvalidValue(
            f"order {standing.number} for {order.service_point} is open already, due {standing.about.due}"
        )
    return standing


def order_where_needed(
    tx: Transaction, reads: Iterable[BillingRead | Unbillable], utility: Utility, now: datetime
) -> int:
    """Order a reader where nobody has seen the meter for too long (R13). Gives how many were new."""
    if not utility.order_readers:
        return 0
    due = due_day(utility, now)
    wanted = [
        NewOrder(read.subject.service_point, due, f"{told.rule}: {told.sentence}", SYSTEM)
        for read in reads
        if isinstance(read, BillingRead)
        for told in read.outcomes
        if told.rule == _PROLONGED and told.verdict is Verdict.RAISED
    ]
    return tx.orders.place(wanted, now) if wanted else 0


def awaited(
    place: Place, period: Period, taken: BillingRead | Unbillable, utility: Utility
) -> BillingRead | Unbillable:
    """Give what becomes of a period while a reader is on the way: it waits, or is estimated and says so.

    A period that was read at its end needs no reader.
    """
    order = place.order
    if order is None or (isinstance(taken, BillingRead) and taken.segments[-1].closing.how.actual):
        return taken
    subject, due = place.subject(utility), order.about.due
    if not order.overdue(place.asof.astimezone(utility.rounding.zone).date()):
        return Unbillable(subject, period, f"a reader is to come by {due} (order {order.number}): it waits")
    late = f"the reader was to come by {due} and did not (order {order.number})"
    if utility.overdue is Overdue.WAIT:
        return Unbillable(subject, period, f"{late}; it waits on, as [billing] after_deadline says")
    if isinstance(taken, Unbillable):
        return Unbillable(subject, period, f"{taken.reason}; {late}")
    closing = taken.segments[-1].closing
    why = f"{late[0].upper()}{late[1:]}; it is estimated, as [billing] after_deadline says."
    return replace(taken, rulings=(*taken.rulings, Ruling(period.end, closing.how.value, why)))


def visited(tx: Transaction, service_point: str, by: str, found: str, now: datetime) -> ReadingOrder | None:
    """Close the order of a place somebody visited, and open its question again; gives the order, if any."""
    order = tx.orders.open_at([service_point]).get(service_point)
    if order is not None:
        tx.orders.settle(order.number, OrderState.READ, now, by, found)
        _ask_again(tx, service_point, Decision("visited", by, found, now))
    return order


def withdraw(tx: Transaction, number: int, by: str, reason: str, now: datetime) -> ReadingOrder:
    """Withdraw an order; a question that waited for it is open again.

    Raises:
        InvalidValue: there is no such open order, or no name or reason is given.
    """
    if not by.strip() or not reason.strip():
        raise InvalidValue("withdrawing an order needs a name and a reason, in a few words")
    order = tx.orders.order(number)
    if order is None or not tx.orders.settle(number, OrderState.WITHDRAWN, now, by.strip(), reason.strip()):
        stands = "there is none" if order is None else f"it is {order.state.value} already"
        raise InvalidValue(f"order {number} cannot be withdrawn: {stands}")
    _ask_again(tx, order.about.service_point, Decision("withdrawn", by.strip(), reason.strip(), now))
    return order


def close_for(tx: Transaction, asked: OpenException, made: Decision) -> None:
    """Withdraw the order that a question gave rise to: the question is decided."""
    point = asked.about.service_point
    order = tx.orders.open_at([point]).get(point)
    if order is not None and order.about.question == asked.number:
        said = f"question {asked.number} was decided: {made.action}"
        tx.orders.settle(order.number, OrderState.WITHDRAWN, made.at, made.by, said)


def close_read(tx: Transaction, reads: Sequence[BillingRead | Unbillable], now: datetime) -> int:
    """Close orders that a read of the meter made needless: it came after the order. Gives how many."""
    taken = {one.subject.service_point: one for one in reads if isinstance(one, BillingRead)}
    closed = 0
    for point, order in tx.orders.open_at(list(taken)).items():
        closing = taken[point].segments[-1].closing
        if closing.how.actual and closing.anchor.at > order.ordered_at and _only_to_read(tx, order):
            found = f"{closing.how.value} {closing.anchor.value} m3 at {closing.anchor.at.isoformat()}"
            closed += tx.orders.settle(order.number, OrderState.READ, now, SYSTEM, found)
    return closed


def _only_to_read(tx: Transaction, order: ReadingOrder) -> bool:
    """Whether a read is all that was wanted; where something contradicts, somebody has to look."""
    asked = tx.billing.exception(order.about.question) if order.about.question is not None else None
    return asked is None or asked.state.settled or asked.about.kind is ExceptionKind.UNBILLABLE


def _ask_again(tx: Transaction, service_point: str, told: Decision) -> None:
    for asked in _waiting(tx, service_point):
        tx.billing.decide(asked, told, ExceptionState.OPEN)


def _waiting(tx: Transaction, service_point: str) -> Iterator[int]:
    for asked in tx.billing.questions_at([service_point]):
        if asked.state is ExceptionState.READER:
            yield asked.number
