"""Readers sent to dials: the period waits, is estimated and says so, or is closed by what came."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from street import Street, at, utility

from billing_bridge.deciding import Action, Operator
from billing_bridge.ordering import order_reader, visited, withdraw
from billing_bridge.utility import Overdue
from metering.billing import ExceptionKind, ExceptionState
from metering.errors import InvalidValue
from metering.orders import NewOrder, OrderState


@pytest.fixture
def street(store, clock) -> Street:
    return Street(store, clock, utility())


def ordered(street: Street, due: date, question: int | None = None):
    with street.store.writing() as tx:
        return order_reader(tx, NewOrder("SP1", due, "silent", "A. Kos", question), street.clock.now())


def orders(street: Street):
    with street.store.reading() as tx:
        return tx.orders.at("SP1")


def silent_house(street: Street) -> None:
    """0.5 m3 a day from October to December, then nothing: January can only be projected (Polish law)."""
    street.house()
    reads = [(at(10, 1, year=2025), "100"), (at(11, 1, year=2025), "115.5"), (at(12, 1, year=2025), "130.5")]
    street.sends(*reads, (at(1), "146"))
    street.clock.set(at(1, 20))


def test_a_period_waits_for_the_reader_and_is_billed_on_the_visit(street):
    """The reader finds 161.8 on 3 February: 15 m3, not an estimate."""
    silent_house(street)
    order = ordered(street, date(2026, 2, 10))
    street.close(at(1), at(2), now=at(2, 2))
    assert street.volumes() == []
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.UNBILLABLE
    assert asked.about.sentence == f"a reader is to come by 2026-02-10 (order {order.number}): it waits"
    street.clock.set(at(2, 3, 12))
    street.tells(at(2, 3, 10), "161.8", channel="visit")
    with street.store.writing() as tx:
        visited(tx, "SP1", "M. Bak", "161.8 m3", street.clock.now())
    street.close(at(1), at(2), now=at(2, 4))
    assert street.volumes() == [15]
    assert street.reads()[0].segments[0].closing.how.value == "visit"
    assert street.questions() == []
    assert [(one.state, one.settled_by, one.outcome) for one in orders(street)] == [
        (OrderState.READ, "M. Bak", "161.8 m3")
    ]


def test_nobody_came_by_the_day_it_is_estimated_and_the_read_says_so(street):
    """0.5 m3 a day in the three months before: 15.5 m3, floored ends give 15."""
    silent_house(street)
    order = ordered(street, date(2026, 2, 10))
    street.close(at(1), at(2), now=at(2, 11))
    (read,) = street.reads()
    assert (read.actual, read.volume_m3) == (False, 15)
    late = f"The reader was to come by 2026-02-10 and did not (order {order.number}); it is estimated"
    assert read.rulings[-1].why == f"{late}, as [billing] after_deadline says."
    assert (orders(street)[0].state, orders(street)[0].overdue(date(2026, 2, 11))) == (OrderState.OPEN, True)
    assert street.questions() == []


def test_a_utility_that_waits_says_since_when_the_reader_is_overdue(street):
    street.utility = replace(street.utility, overdue=Overdue.WAIT)
    silent_house(street)
    ordered(street, date(2026, 2, 10))
    street.close(at(1), at(2), now=at(2, 11))
    (asked,) = street.questions()
    assert "was to come by 2026-02-10 and did not" in asked.about.sentence
    assert "it waits on" in asked.about.sentence
    assert street.volumes() == []


def test_a_read_of_the_meter_after_all_closes_the_order_and_the_period(street):
    silent_house(street)
    ordered(street, date(2026, 2, 10))
    street.sends((at(2), "160.2"))
    street.close(at(1), at(2), now=at(2, 2))
    assert street.volumes() == [14]
    (order,) = orders(street)
    assert (order.state, order.settled_by) == (OrderState.READ, "nurt")
    assert order.outcome == "radio 160.2 m3 at 2026-01-31T23:00:00+00:00"


def test_an_order_is_withdrawn_by_name_and_its_question_is_open_again(street):
    street.house()
    street.sends((at(1), "100"))
    street.close(at(1), at(2), now=at(2, 1, 1))
    (asked,) = street.questions()
    operator = Operator(street.store, replace(street.utility, reader_days=7), street.clock, "A. Kos")
    said = operator.decide(asked.number, Action.READER, "silent").sentence
    assert said == "A reader is to look at SP1 by 2026-02-08 (order 1); the question stays open."
    with street.store.writing() as tx, pytest.raises(InvalidValue, match="needs a name and a reason"):
        withdraw(tx, 1, " ", "x", street.clock.now())
    with street.store.writing() as tx:
        withdraw(tx, 1, "M. Bak", "the house is gone", street.clock.now())
    (again,) = street.questions(ExceptionState.OPEN)
    assert [one.action for one in again.decisions] == ["reader", "withdrawn"]


def test_deciding_the_question_withdraws_its_order(street):
    silent_house(street)
    ordered(street, date(2026, 2, 10))
    street.close(at(1), at(2), now=at(2, 2))
    (asked,) = street.questions()
    with street.store.writing() as tx:
        withdraw(tx, orders(street)[0].number, "A. Kos", "asked anew", street.clock.now())
    operator = Operator(street.store, street.utility, street.clock, "A. Kos")
    operator.decide(asked.number, Action.READER, "go", due=date(2026, 2, 20))
    operator.decide(asked.number, Action.ESTIMATE, "nobody lives there")
    last = orders(street)[-1]
    assert (last.state, last.outcome) == (
        OrderState.WITHDRAWN,
        f"question {asked.number} was decided: estimate",
    )
    assert street.volumes() == [15]


def test_two_estimated_periods_in_a_row_order_a_reader_by_themselves(street):
    """January is the first estimate; when February is the second one, R13 sends a reader within 14 days.

    March has no method left: the question says so, and that nobody came.
    """
    silent_house(street)
    street.close(at(1), at(2), now=at(2, 2))
    assert orders(street) == []
    street.close(at(2), at(3), now=at(3, 2))
    (order,) = orders(street)
    assert (order.about.by, order.about.due) == ("nurt", date(2026, 3, 16))
    assert order.about.reason == "R13: Estimated for too long; send a reader."
    street.close(at(3), at(4), now=at(4, 2))
    (asked,) = street.questions()
    assert asked.about.sentence.endswith("the reader was to come by 2026-03-16 and did not (order 1)")
    assert len(orders(street)) == 1


def test_a_utility_that_orders_readers_itself_turns_that_off(street):
    street.utility = replace(street.utility, order_readers=False)
    silent_house(street)
    street.close(at(1), at(3), now=at(3, 2))
    assert [one.actual for one in street.reads()] == [False, False]
    assert orders(street) == []


def test_nobody_orders_twice_or_for_a_day_that_has_passed(street):
    street.house()
    ordered(street, date(2026, 2, 10))
    with pytest.raises(InvalidValue, match="order 1 for SP1 is open already, due 2026-02-10"):
        ordered(street, date(2026, 2, 11))
    with street.store.writing() as tx, pytest.raises(InvalidValue, match="there is no service point 'SP9'"):
        order_reader(tx, NewOrder("SP9", date(2026, 2, 10), "x", "A. Kos"), street.clock.now())
