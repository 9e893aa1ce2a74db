"""The rules of arrival and of intervals, asked in rounds after the commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from street import NEW, OLD, VOLUME, WARSAW, Street, at, utility

from billing_bridge.arriving import Arrivals
from billing_bridge.spreading import Intervals
from billing_bridge.validate import Line, Policy, judge_states
from metering.checks import Arrived
from metering.clock import FixedClock
from metering.consumption import IndexPoint
from metering.meter import Installation
from metering.reading import Provenance, Quality, Reading, Way
from metering.store import memory_store

HOUR = timedelta(hours=1)


@pytest.fixture
def street():
    clock = FixedClock(at(3, 10, 12))
    store = memory_store(clock)
    yield Street(store, clock, utility())
    store.close()


def arrivals(street: Street) -> Arrivals:
    return Arrivals(street.store, street.utility, street.clock)


def found(street: Street, meter=OLD) -> list[tuple[str, str, str]]:
    with street.store.reading() as tx:
        kept = tx.checks.found([meter], at(1, year=2025), at(12)).get(meter, ())
    return [(one.rule, one.severity, "" if one.value is None else str(one.value)) for one in kept]


def hours(street: Street, first: datetime, *litres: int, start: str = "100", meter=OLD) -> None:
    """A state at the first moment, and one after each hour."""
    total = Decimal(start)
    reads = [(first, str(total))]
    for n, one in enumerate(litres):
        total += Decimal(one).scaleb(-3)
        reads.append((first + (n + 1) * HOUR, str(total)))
    street.sends(*reads, meter=meter)


def test_a_round_judges_what_came_and_the_next_one_only_what_is_new(street):
    street.house()
    street.sends((at(3, 1), "100"), (at(3, 2), "100.3"))
    first = arrivals(street).run()
    street.sends((at(3, 3), "100.5"))
    second = arrivals(street).run()
    third = arrivals(street).run()
    assert (first.judged, second.judged, third.judged) == (2, 1, 0)
    assert (first.meters, second.meters, third.meters) == (1, 1, 0)
    assert found(street) == []
    with street.store.reading() as tx:
        mark = tx.checks.marks([OLD])[OLD]
    assert (mark.judged, mark.accepted) == (3, IndexPoint(at(3, 3), Decimal("100.5")))


def test_one_wrong_high_state_is_told_and_those_after_it_are_not(street):
    street.house()
    street.sends((at(3, 1), "100"), (at(3, 2), "99100.3"), (at(3, 3), "100.6"), (at(3, 4), "100.9"))
    assert arrivals(street).run().raised == 1
    assert found(street) == [("R8", "fail", "99100.3")]


def test_it_is_the_same_whether_they_come_at_once_or_one_by_one(street):
    street.house()
    for day, value in ((1, "100"), (2, "99100.3"), (3, "100.6"), (4, "100.9")):
        street.sends((at(3, day), value))
        arrivals(street).run()
    assert found(street) == [("R8", "fail", "99100.3")]


def test_a_jump_that_stays_is_told_three_times_and_then_believed(street):
    street.house()
    street.sends((at(3, 1), "100"))
    street.sends(*((at(3, day), f"{70_000 + day}") for day in range(2, 9)))
    arrivals(street).run()
    assert [rule for rule, *_ in found(street)] == ["R8", "R8", "R8"]
    with street.store.reading() as tx:
        assert tx.checks.marks([OLD])[OLD].accepted == IndexPoint(at(3, 8), Decimal(70_008))


def test_a_fall_is_told_a_roll_over_and_a_little_backflow_are_less(street):
    street.house(digits=5)
    street.sends((at(3, 1), "99999.5"), (at(3, 2), "0.25"), (at(3, 3), "0.245"), (at(3, 4), "0.1"))
    arrivals(street).run()
    assert found(street) == [("R6", "info", "0.25"), ("R5", "warn", "0.245"), ("R5", "fail", "0.1")]


def test_states_from_the_workshop_the_future_and_in_litres_are_told(street):
    street.house(since=at(3, 1))
    street.sends((at(2, 27), "3"))
    street.sends((at(3, 2), "4"), late=at(3, 1))
    source = Provenance(None, "roof", None, "1")
    litres = Reading(OLD, VOLUME, Decimal(4100), "l", at(3, 3), at(3, 3), Way.RADIO, Quality.RAW, source)
    with street.store.writing() as tx:
        tx.readings.add([litres])
    arrivals(street).run()
    told = found(street)
    assert ("R2", "fail", "3") in told
    assert ("R3", "fail", "3") in told
    assert ("R2", "fail", "4") in told
    assert ("R4", "fail", "4100") in told


def test_two_states_of_one_moment_are_told(street):
    street.house()
    street.sends((at(3, 1), "100"), (at(3, 2), "100.4"), (at(3, 2), "100.2"))
    arrivals(street).run()
    assert found(street) == [("R1", "fail", "100.4")]


def test_a_late_state_of_a_meter_that_still_sends_is_judged_and_says_which_time_is_touched(street):
    street.house()
    street.sends((at(3, 1), "100"), (at(3, 3), "100.6"))
    arrivals(street).run()
    street.sends((at(3, 2), "100.3"), late=at(3, 5))
    street.sends((at(3, 4), "100.9"), late=at(3, 5))
    tally = arrivals(street).run()
    assert tally.judged == 2
    assert [(one.since, one.until) for one in tally.late] == [(at(3, 2), at(3, 2))]


def test_the_sweep_finds_what_came_late_for_a_meter_that_is_silent(street):
    street.house()
    street.sends((at(2, 1), "100"), (at(3, 3), "100.6"))
    arrivals(street).run()
    street.sends((at(2, 10), "90000"), late=at(3, 5))
    assert arrivals(street).run().judged == 0
    assert arrivals(street).run(everything=True).judged == 1
    assert found(street) == [("R8", "fail", "90000")]
    assert arrivals(street).run(everything=True).judged == 0


def test_a_round_stopped_after_a_block_goes_on_with_the_next(street, monkeypatch):
    monkeypatch.setattr("billing_bridge.arriving.BLOCK", 1)
    street.house()
    street.house("SP2", NEW)
    street.sends((at(3, 1), "100"))
    street.sends((at(3, 1), "100"), meter=NEW)
    first = arrivals(street).run(ended=lambda: True)
    second = arrivals(street).run()
    assert (first.meters, second.meters) == (1, 1)


def test_settings_of_a_class_of_customers_count(street):
    street.house()
    street.tenant("U-1", at(1, year=2025))
    with street.store.writing() as tx:
        (customer,) = tx.customers.customers(["CU-1"]).values()
        tx.customers.put_customers([replace(customer, customer_class="works")])
    street.utility = replace(street.utility, policy=Policy(by_class={"works": {"R5": {"reverse_m3": "5"}}}))
    street.sends((at(3, 1), "100"), (at(3, 2), "97"))
    arrivals(street).run()
    assert found(street) == [("R5", "warn", "97")]


def judged(street: Street, first: date, last: date):
    with street.store.reading() as tx:
        points = tx.billing.service_points()
    return Intervals(street.store, street.utility, street.clock).run(points, first, last)


def test_a_day_of_hours_is_judged_leak_spike_and_gap(street):
    street.house()
    hours(street, at(3, 1), *([0] * 6 + [120] + [0] * 6 + [900] + [0] * 6 + [130] + [0] * 3))
    hours(street, at(3, 2), *([20] * 24), start="101.150")
    tally = judged(street, date(2026, 3, 1), date(2026, 3, 3))
    assert tally.spans == 2
    assert found(street) == [("I2", "warn", ""), ("I5", "info", "")]
    with street.store.reading() as tx:
        mark = tx.checks.interval_marks([OLD])[OLD]
        leak = tx.checks.found([OLD], at(3, 2), at(3, 2))[OLD][0]
    assert (mark.step, mark.until) == ("hour", at(3, 3))
    assert (leak.at, leak.until, leak.cim, leak.espi) == (at(3, 2), at(3, 3), "3.5.258", 10)


def test_a_gap_is_told_until_what_is_missing_comes_late(street):
    street.house()
    day = [(at(3, 1) + n * HOUR, f"{100 + n / 100:.2f}") for n in range(25)]
    street.sends(*day[:8], *day[15:])
    hours(street, at(3, 2), *([0] * 24), start="100.24")
    arrivals(street).run()
    judged(street, date(2026, 3, 1), date(2026, 3, 3))
    assert found(street) == [("I1", "estimate", "")]
    street.sends(*day[8:15], late=at(3, 3, 1))
    street.sends((at(3, 3, 2), "100.25"))
    late = arrivals(street).run().late
    again = Intervals(street.store, street.utility, street.clock).again(late, date(2026, 3, 3))
    assert again.spans >= 1
    assert found(street) == [("I5", "info", "")]


def test_days_of_23_and_25_hours_are_right_as_they_are(street):
    street.house()
    hours(street, at(3, 28), *([0, 10] * 40))
    assert judged(street, date(2026, 3, 28), date(2026, 3, 31)).spans == 3
    assert found(street) == []


def test_a_meter_read_daily_is_judged_by_weeks_and_one_read_monthly_not_at_all(street):
    street.house()
    street.house("SP2", NEW)
    start = at(3, 1)
    street.sends(*((at(3, day), f"{100 + day * 0.4:.1f}") for day in range(1, 20) if day != 12))
    street.sends((at(1, 1), "1"), (at(2, 1), "2"), (at(3, 1), "3"), meter=NEW)
    tally = judged(street, date(2026, 3, 9), date(2026, 3, 17))
    assert (tally.points, tally.spans) == (2, 1)
    assert found(street) == [("I1", "estimate", "")]
    with street.store.reading() as tx:
        marks = tx.checks.interval_marks([OLD, NEW])
    assert (marks[OLD].step, marks[NEW].step) == ("day", "")
    assert start < marks[OLD].until


def test_what_is_new_in_the_line_is_what_was_asked():
    """Judged in any portions, the line and what was raised are the same."""
    hung = [Installation(OLD, "SP1", at(1, year=2025))]
    values = ["100", "100.2", "70000", "100.4", "99.9", "100.5", "70001", "70002", "70003", "70004"]
    moments = [at(3, day + 1) for day in range(len(values))]
    before = [None, *(IndexPoint(m, Decimal(v)) for m, v in zip(moments, values, strict=True))]
    states = [
        Arrived(moment, Decimal(value), "m3", moment, believed=True, before=before[n])
        for n, (moment, value) in enumerate(zip(moments, values, strict=True))
    ]
    whole, told = judge_states(Line(OLD, hung, 5), states, Policy())
    for cut in range(len(states)):
        line, first = judge_states(Line(OLD, hung, 5), states[:cut], Policy())
        line, second = judge_states(line, states[cut:], Policy())
        assert (line, (*first, *second)) == (whole, told)
    assert [str(one.state.value) for one in told] == ["70000", "99.9", "70001", "70002", "70003"]
    assert whole.accepted == IndexPoint(moments[-1], Decimal(70004))
    assert WARSAW.key == "Europe/Warsaw"
