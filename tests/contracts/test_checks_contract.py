"""What every store promises of kept outcomes of rules, marks, class usages and reading orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from metering.billing import KeptRead, ReadState
from metering.checks import CheckMark, ClassUsage, Finding, IntervalMark
from metering.consumption import IndexPoint
from metering.meter import Installation, Meter, ServicePoint
from metering.orders import NewOrder, OrderState
from metering.reading import Register, Way


def finding(make, at=0, rule="R8", value="812.405", **said) -> Finding:
    return Finding(
        make.meter,
        "volume",
        rule,
        make.at(at),
        None,
        None if value is None else Decimal(value),
        "fail",
        "More than the meter can pass.",
        "3.5.256",
        10,
        b'{"delta_m3":"99"}',
        make.at(9),
        **said,
    )


def hang(store, make) -> None:
    with store.writing() as tx:
        tx.registry.put_service_points([ServicePoint("SP1")])
        tx.registry.put_meters([Meter(make.meter), Meter(make.other)])
        tx.registry.put_installations([Installation(make.meter, "SP1", make.at(-900))])


def billed(make, month: int, volume: str) -> KeptRead:
    begin = make.at(0) + month * timedelta(days=30)
    return KeptRead(
        key=f"br:wod:SP1:{month}:1",
        tenant="wod",
        service_point="SP1",
        register="volume",
        period=f"month {month}",
        starts=begin,
        ends=begin + timedelta(days=30),
        cause="calendar",
        revision=1,
        state=ReadState.BILLED,
        contract=None,
        volume_m3=Decimal(volume),
        actual=True,
        record=b"{}",
        taken_at=make.noon,
        by="test",
    )


def mark(make, newest=0, **said) -> CheckMark:
    return CheckMark(make.meter, make.at(newest), make.at(newest + 1), make.at(1), **said)


def test_what_was_raised_is_kept_once_and_found_by_meter_and_time(store, make):
    one, other = finding(make), finding(make, at=60, rule="R5", value="800")
    with store.writing() as tx:
        assert tx.checks.keep([one, other]) == 2
        assert tx.checks.keep([replace(one, sentence="told again")]) == 0
    with store.reading() as tx:
        assert tx.checks.found([make.meter, make.other], make.at(0), make.at(60)) == {
            make.meter: [one, other]
        }
        assert tx.checks.found([make.meter], make.at(1), make.at(59)) == {}
        assert [kept for _number, kept in tx.checks.page(limit=1)] == [other]
        assert [kept for _number, kept in tx.checks.page(rule="R8", meters=[make.meter])] == [one]
        assert tx.checks.counts(make.at(0)) == {("R8", "fail"): 1, ("R5", "fail"): 1}
        assert tx.checks.counts(make.at(10)) == {}


def test_two_states_of_one_moment_are_two_findings_and_an_interval_has_no_value(store, make):
    many = [
        finding(make, rule="R1", value="1"),
        finding(make, rule="R1", value="2"),
        replace(finding(make, rule="I2", value=None), until=make.at(3600)),
    ]
    with store.writing() as tx:
        assert tx.checks.keep(many) == 3
        assert tx.checks.found([make.meter], make.at(0), make.at(0))[make.meter] == [many[2], *many[:2]]
        assert tx.checks.clear([make.meter], ["I2"], make.at(0), make.at(1)) == 1
        assert len(tx.checks.found([make.meter], make.at(0), make.at(0))[make.meter]) == 2


def test_a_mark_is_replaced_and_says_what_moved_since(store, make):
    hang(store, make)
    states = IndexPoint(make.at(0), Decimal("7.7")), IndexPoint(make.at(5), Decimal(9000))
    with store.writing() as tx:
        tx.readings.add([make.reading("7.7"), make.reading("3", meter=make.other)])
        (moved,) = tx.checks.moved(make.volume, 0, 10, everything=False)
        assert (moved.meter, moved.newest, moved.mark) == (make.meter, make.at(0), None)
        said = mark(make, judged=3, accepted=states[0], doubted=states[1], doubts=2, raised=1)
        tx.checks.put_marks([mark(make, newest=-60)])
        tx.checks.put_marks([said])
        assert tx.checks.marks([make.meter, make.other]) == {make.meter: said}
        assert not tx.checks.moved(make.volume, 0, 10, everything=False)
        assert [one.mark for one in tx.checks.moved(make.volume, 0, 10, everything=True)] == [said]
        assert not tx.checks.moved(make.volume, moved.number, 10, everything=True)
        tx.readings.add([make.reading("7.8", at=60)])
        assert [one.newest for one in tx.checks.moved(make.volume, 0, 10, everything=False)] == [make.at(60)]


def test_how_far_intervals_were_judged_is_replaced(store, make):
    one = IntervalMark(make.meter, "day", make.at(0))
    with store.writing() as tx:
        tx.checks.put_interval_marks([one])
        tx.checks.put_interval_marks([replace(one, step="hour", until=make.at(60))])
        found = tx.checks.interval_marks([make.meter, make.other])
    assert found == {make.meter: IntervalMark(make.meter, "hour", make.at(60))}


def test_states_that_came_since_are_given_with_the_one_before_them_of_the_same_kind(store, make):
    early = replace(make.reading("7.1", at=-60), received_at=make.at(500))
    litres = make.reading("7700", at=30, unit="l")
    with store.writing() as tx:
        tx.readings.add([make.reading("7.7"), make.reading("7.8", at=60), early, litres])
        found = tx.checks.arrived({make.meter: make.at(1)}, make.volume, make.at(-999))[make.meter]
        none = tx.checks.arrived({make.meter: make.at(500)}, make.volume, make.at(-999))
    told = [(one.value, one.unit, one.believed, one.before and one.before.value) for one in found]
    assert told == [
        (Decimal("7.1"), "m3", True, None),
        (Decimal(7700), "l", False, None),
        (Decimal("7.8"), "m3", True, Decimal("7.7")),
    ]
    assert none == {}


def test_ways_name_states_that_did_not_come_by_radio(store, make):
    with store.writing() as tx:
        tx.readings.add([make.reading("7.7"), make.reading("7.8", at=60, way=Way.WIRED)])
        ways = tx.checks.ways([make.meter], make.volume, make.at(0), make.at(60))
        none = tx.checks.ways([make.meter], make.volume, make.at(0), make.at(59))
    assert ways == {make.meter: {make.at(60): Way.WIRED}}
    assert none == {}


def test_values_of_any_register_are_given_whatever_their_unit(store, make):
    flags = Register("status_flags")
    with store.writing() as tx:
        tx.readings.add([make.reading("5", register=flags, unit="")])
        assert tx.checks.values([make.meter], flags, make.at(0), make.at(1)) == {
            make.meter: [(make.at(0), Decimal(5))]
        }
        assert tx.checks.values([make.meter], Register("nothing"), make.at(0), make.at(1)) == {}


def test_the_newest_usage_of_a_class_up_to_a_moment_counts(store, make):
    usages = [
        ClassUsage("house", make.at(0), Decimal("0.4"), 12),
        ClassUsage("house", make.at(60), Decimal("0.5"), 13),
        ClassUsage("", make.at(0), Decimal("0.3"), 40),
    ]
    with store.writing() as tx:
        tx.checks.put_usage(usages)
        tx.checks.put_usage([replace(usages[2], points=41)])
        assert tx.checks.usage(make.at(59)) == {"house": usages[0], "": replace(usages[2], points=41)}
        assert tx.checks.usage(make.at(60))["house"] == usages[1]


def test_one_order_is_open_for_a_service_point_until_it_is_settled(store, make):
    hang(store, make)
    wanted = NewOrder("SP1", date(2026, 3, 10), "dial and radio differ", "A. Kos", 17)
    with store.writing() as tx:
        assert tx.orders.place([wanted], make.at(0)) == 1
        assert tx.orders.place([replace(wanted, reason="again")], make.at(1)) == 0
        order = tx.orders.open_at(["SP1", "SP2"])["SP1"]
        assert (order.about, order.state, order.overdue(date(2026, 3, 10))) == (
            wanted,
            OrderState.OPEN,
            False,
        )
        assert order.overdue(date(2026, 3, 11))
        assert (tx.orders.counts(date(2026, 3, 10)), tx.orders.counts(date(2026, 3, 11))) == ((1, 0), (1, 1))
        assert tx.orders.settle(order.number, OrderState.READ, make.at(9), "M. Bak", "812.4 m3")
        assert not tx.orders.settle(order.number, OrderState.WITHDRAWN, make.at(9), "M. Bak", "again")
        assert tx.orders.open_at(["SP1"]) == {}
        assert tx.orders.place([wanted], make.at(10)) == 1
        settled = tx.orders.order(order.number)
        assert (settled.state, settled.settled_by, settled.outcome) == (OrderState.READ, "M. Bak", "812.4 m3")
        assert next(one.number for one in tx.orders.at("SP1")) == order.number
        assert [one.state for one in tx.orders.orders(list(OrderState))] == [OrderState.READ, OrderState.OPEN]


def test_usages_by_class_are_those_of_read_periods_that_stand(store, make):
    hang(store, make)
    month = timedelta(days=30)
    with store.writing() as tx:
        for one in (
            billed(make, -1, "12"),
            billed(make, -2, "9"),
            replace(billed(make, 0, "5"), actual=False),
        ):
            tx.billing.add_reads([one])
        assert tx.checks.daily_usages(make.at(-9), make.at(0) + month) == {"": [Decimal("0.4")]}
        (first, second, third) = tx.checks.billed_since(0, 10)
        assert [one[1:] for one in (first, second)] == [("SP1", make.at(0)), ("SP1", make.at(0) - month)]
        assert tx.checks.billed_since(second[0], 10) == [third]
