"""A round of the bridge: what came is judged, what was billed stays compared, classes have their usage."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from street import NEW, OLD, VOLUME, Street, at, utility

from billing_bridge.spreading import Intervals
from billing_bridge.validate import Severity, Verdict
from metering.billing import ExceptionKind, ExceptionState, ReadState
from metering.checks import ClassUsage
from metering.clock import FixedClock
from metering.meter import MeterId, PulseInput
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.status import STATUS, StatusFlag
from metering.store import memory_store
from service.billing_nightly import night_round
from service.billing_rounds import TURN, Rounds, making_rounds
from service.scanning_turn import Turn
from service.settings_model import Settings

PULSES = PulseInput("roof", "1", OLD, Decimal(1), 0, Decimal(0), at(1, year=2025))
SETTINGS = Settings.model_validate({"billing": {"tenant": "wod", "class_m3_per_day": {"works": "3"}}})


@pytest.fixture
def street():
    clock = FixedClock(at(1))
    store = memory_store(clock)
    yield Street(store, clock, replace(utility(), class_usage={"works": Decimal(3)}))
    store.close()


def round_at(street: Street, moment, **said):
    street.clock.set(moment)
    return Rounds(SETTINGS, street.store, street.clock).run(**said)


def daily(street: Street, month: int, *, until: int = 32, meter: MeterId = OLD, start: int = 100) -> None:
    """A state a day, 0.4 m3 each."""
    day, n = at(month), 0
    while day <= at(month + 1) and n < until:
        street.sends((day, f"{start + n * 0.4:.1f}"), meter=meter)
        day, n = at(month) + timedelta(days=n + 1), n + 1


def outcomes(street: Street, number: int = 0):
    return {one.rule: one for one in street.reads()[number].outcomes}


def test_every_rule_has_an_outcome_on_a_read_and_says_why_it_did_not_run(street):
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    street.close(at(1), at(2))
    told = outcomes(street)
    every = {f"R{n}" for n in range(1, 19)} | {f"I{n}" for n in range(1, 6)}
    assert set(told) == every
    assert "`nurt billing round`" in told["R8"].sentence
    assert "days were not judged" in told["I1"].sentence
    assert "register volume/s1" in told["R15"].sentence
    assert (told["R14"].verdict, told["R10"].verdict) == (Verdict.PASSED, Verdict.NOT_RUN)


def test_after_a_round_arrival_rules_passed_and_intervals_were_judged(street):
    street.house()
    daily(street, 1)
    report = round_at(street, at(2, 1, 8))
    street.close(at(1), at(2), now=at(2, 1, 8))
    told = outcomes(street)
    assert report.arrivals.judged == 32
    assert {told[rule].verdict for rule in ("R1", "R2", "R3", "R4", "R5", "R6", "R8")} == {Verdict.PASSED}
    assert {told[rule].verdict for rule in ("I1", "I2", "I3", "I4")} == {Verdict.PASSED}
    assert told["I5"].sentence == "it needs a state an hour, and this meter is read by the day"


def test_a_failed_state_is_told_where_no_end_of_the_period_rests_on_it(street):
    """On 15 January the meter says 9000 once; at the ends it says 100 and 104."""
    street.house()
    street.sends(
        (at(1), "100"), (at(1, 14), "101"), (at(1, 15), "9000"), (at(1, 16), "101.2"), (at(2), "104")
    )
    round_at(street, at(2, 1, 8))
    street.close(at(1), at(2), now=at(2, 1, 8))
    told = outcomes(street)["R8"]
    assert (told.severity, told.cim, told.evidence["states"]) == (Severity.WARN, "3.5.256", "1")
    assert told.evidence["bill"] == "no end of the period rests on it"
    assert street.volumes() == [4]


def test_a_failed_state_holds_the_bill_where_an_end_rests_on_it(street):
    """The closing state is dated two hours after it arrived: nobody knows when it was."""
    street.house()
    street.sends((at(1), "100"), (at(1, 31), "103.6"))
    street.sends((at(2), "104"), late=at(1, 31, 22))
    round_at(street, at(2, 1, 8))
    street.close(at(1), at(2), now=at(2, 1, 8))
    (held,) = street.reads(ReadState.HELD)
    told = next(one for one in held.outcomes if one.rule == "R2")
    assert (told.severity, told.evidence["bill"]) == (Severity.FAIL, "an end of the period rests on it")
    (asked,) = street.questions()
    assert asked.about.sentence == "The state is from the future."


def test_what_a_meter_says_of_itself_is_r14(street):
    street.house()
    daily(street, 1)
    source = Provenance(None, "roof", None, "1")
    flags = StatusFlag.MAGNET | StatusFlag.LEAK
    said = Reading(OLD, STATUS, Decimal(flags.value), "", at(1, 9), at(1, 9), Way.RADIO, Quality.RAW, source)
    with street.store.writing() as tx:
        tx.readings.add([said])
    street.close(at(1), at(2))
    told = outcomes(street)["R14"]
    assert (told.severity, told.cim, told.evidence["alarms"]) == (Severity.WARN, "3.3.0", "magnet")


def test_pulses_tell_no_alarms_and_are_named_pulses(street):
    street.house()
    source = Provenance(None, "roof", None, "1")
    states = [(at(1), "100"), (at(2), "110")]
    told = [
        Reading(OLD, VOLUME, Decimal(value), "m3", moment, moment, Way.PULSE, Quality.RAW, source)
        for moment, value in states
    ]
    with street.store.writing() as tx:
        tx.registry.put_pulse_inputs([PULSES])
        tx.readings.add(told)
    street.close(at(1), at(2))
    read = street.reads()[0]
    assert read.segments[0].closing.how.value == "pulse"
    assert "pulse inputs" in outcomes(street)["R14"].sentence


def test_the_meter_s_own_log_is_compared_with_its_index(street):
    """The log says 12 m3 between the due dates, the index 12 to 12.8: that agrees; 30 does not."""
    street.house()
    daily(street, 1)
    street.sends((at(2, 2), "112.8"))
    log, source = Register("volume", storage=1), Provenance(None, "roof", None, "1")

    def logged(moment, value: str) -> Reading:
        return Reading(OLD, log, Decimal(value), "m3", moment, moment, Way.RADIO, Quality.RAW, source)

    with street.store.writing() as tx:
        tx.readings.add([logged(at(1), "100"), logged(at(2), "112.4")])
    street.close(at(1), at(2), now=at(2, 3))
    assert outcomes(street)["R15"].verdict is Verdict.PASSED
    with street.store.writing() as tx:
        tx.readings.add([logged(at(3), "150")])
    street.sends((at(2, 28), "122"), (at(3), "122.4"), (at(3, 2), "122.8"), late=at(3, 3))
    street.close(at(2), at(3), now=at(3, 3))
    (held,) = street.reads(ReadState.HELD)
    told = next(one for one in held.outcomes if one.rule == "R15")
    assert (told.severity, told.evidence["intervals_m3"]) == (Severity.FAIL, "37.6")


def test_a_class_has_its_median_once_ten_periods_were_billed_before_that_what_settings_say(street):
    for n in range(10):
        meter = MeterId("KAM", f"9000000{n}", "1b", "16")
        street.house(f"SP{n}", meter)
        street.tenant(f"U{n}", at(1, year=2025), point=f"SP{n}")
        street.sends((at(1), "100"), (at(2), f"{100 + 31 * (n + 1) / 10:.1f}"), meter=meter)
    with street.store.writing() as tx:
        known = tx.customers.customers([f"CU{n}" for n in range(10)])
        tx.customers.put_customers([replace(one, customer_class="house") for one in known.values()])
    street.close(at(1), at(2))
    assert round_at(street, at(2, 1, 8)).classes == 1
    assert round_at(street, at(2, 1, 9)).classes == 0
    with street.store.reading() as tx:
        usage = tx.checks.usage(at(2))
    assert usage == {"house": ClassUsage("house", at(2), usage["house"].m3_per_day, 10)}
    assert Decimal("0.4") < usage["house"].m3_per_day < Decimal("0.6")
    street.house("SPX", NEW)
    street.tenant("UX", at(2), point="SPX")
    street.sends((at(2), "0"), (at(3), "100"), meter=NEW)
    with street.store.writing() as tx:
        (one,) = tx.customers.customers(["CUX"]).values()
        tx.customers.put_customers([replace(one, customer_class="house")])
    street.close(at(2), at(3))
    held = street.reads(ReadState.HELD, point="SPX")[0]
    told = next(one for one in held.outcomes if one.rule == "R9")
    assert (told.evidence["reference"], told.severity) == ("class median", Severity.FAIL)


def test_what_settings_say_of_a_class_counts_until_a_median_is_known(street):
    street.house()
    street.tenant("U1", at(1, year=2025))
    with street.store.writing() as tx:
        (one,) = tx.customers.customers(["CU1"]).values()
        tx.customers.put_customers([replace(one, customer_class="works")])
    street.sends((at(1), "100"), (at(2), "120"))
    street.close(at(1), at(2))
    told = outcomes(street)["R10"]
    assert (told.severity, told.evidence["reference_m3_per_day"]) == (Severity.WARN, "3")


def test_a_meter_that_says_less_than_was_billed_is_told_in_the_next_round(street):
    street.house()
    daily(street, 1)
    street.close(at(1), at(2), now=at(2, 1, 8))
    assert round_at(street, at(2, 1, 9)).compared == 1
    quiet = round_at(street, at(2, 1, 10))
    assert (quiet.compared, quiet.arrivals.meters) == (0, 0)
    street.sends((at(2, 2), "90"), (at(2, 3), "90.4"), (at(2, 4), "90.8"))
    report = round_at(street, at(2, 4, 8))
    assert (report.compared, report.differing) == (1, 1)
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.RECONCILIATION
    assert asked.about.sentence.startswith("The meter said 90.8 m3")
    street.sends((at(2, 5), "113.2"))
    assert round_at(street, at(2, 5, 8)).agreed == 1
    assert street.questions() == []


def test_a_late_state_in_a_billed_time_proposes_a_correction_in_the_same_round(street):
    """Billed 100 to 110 on a state of 31 January; that of 1 February comes late and says 110.9."""
    street.house()
    street.sends((at(1), "100"), (at(1, 31, 12), "109.8"))
    round_at(street, at(2, 1, 8))
    street.close(at(1), at(2), now=at(2, 1, 8))
    assert street.volumes() == [9]
    street.sends((at(2, 1, 9), "111.5"))
    round_at(street, at(2, 1, 10))
    street.sends((at(1, 31, 23), "110.9"), late=at(2, 1, 12))
    street.sends((at(2, 1, 11), "111.6"))
    round_at(street, at(2, 1, 13))
    (asked,) = street.questions()
    assert asked.about.kind is ExceptionKind.CORRECTION
    assert orjson.loads(asked.about.evidence)["difference_m3"] == "1"


def test_a_question_about_what_agrees_again_is_closed(street):
    from metering.billing import NewException

    street.house()
    daily(street, 1)
    street.close(at(1), at(2), now=at(2, 1, 8))
    key = street.reads()[0].key
    about = NewException(
        "SP1",
        "volume",
        street.reads()[0].period.id,
        at(1),
        at(2),
        ExceptionKind.RECONCILIATION,
        "The chart shows 9 m3.",
        b'{"what":"chart"}',
        key,
    )
    with street.store.writing() as tx:
        tx.billing.ask([about], at(2))
    assert round_at(street, at(2, 1, 9)).agreed == 1
    with street.store.reading() as tx:
        (closed,) = tx.billing.exceptions([ExceptionState.GONE])
    assert closed.decisions[-1].reason == "Chart, bill and meter agree again."


def test_only_one_process_makes_a_round_and_a_slot_is_made_once(street):
    street.house()
    street.clock.set(at(2, 1, 8))
    other = Turn(street.store, street.clock, TURN)
    assert other.take() is None
    assert round_at(street, at(2, 1, 8)) is None
    other.give_up()
    every = timedelta(minutes=10)
    assert round_at(street, at(2, 1, 8), every=every) is not None
    assert round_at(street, at(2, 1, 8), every=every) is None
    assert round_at(street, at(2, 1, 9), every=every) is not None


def test_a_round_stopped_between_service_points_goes_on_there(street, monkeypatch):
    monkeypatch.setattr("billing_bridge.bridge.BATCH", 1)
    for n in range(3):
        meter = MeterId("KAM", f"9000000{n}", "1b", "16")
        street.house(f"SP{n}", meter)
        daily(street, 1, meter=meter)
    judged: list[str] = []
    real = Intervals.run

    def seen(self, points, since, until):
        judged.extend(one.id for one in points)
        return real(self, points, since, until)

    monkeypatch.setattr(Intervals, "run", seen)
    stop = threading.Event()
    street.clock.set(at(2, 1, 8))
    rounds = Rounds(SETTINGS, street.store, street.clock)
    rounds.run(told=lambda what, _n: stop.set() if what == "service points" else None, ended=stop.is_set)
    rounds.run()
    assert sorted(judged) == ["SP0", "SP1", "SP2"]


def test_the_night_sweeps_what_came_late_for_silent_meters(street):
    street.house()
    daily(street, 1)
    round_at(street, at(2, 1, 8))
    street.sends((at(1, 9, 12), "70000"), late=at(2, 1, 9))
    assert round_at(street, at(2, 1, 10)).arrivals.judged == 0
    street.clock.set(at(2, 2, 3))
    night_round(SETTINGS, street.store, street.clock)
    with street.store.reading() as tx:
        found = tx.checks.found([OLD], at(1), at(2))[OLD]
    assert [(one.rule, str(one.value)) for one in found] == [("R8", "70000")]


def test_a_closing_counts_what_was_raised_before_it_and_what_was_not_judged(street):
    street.house()
    street.sends((at(1), "100"), (at(1, 15), "9000"), (at(1, 16), "101.2"), (at(2), "104"))
    first = street.close(at(1), at(2), now=at(2, 1, 7))
    assert (first.billed, first.doubted, first.unjudged) == (1, 0, 1)
    street.sends((at(3), "108"))
    round_at(street, at(3, 1, 8))
    second = street.close(at(2), at(3), now=at(3, 1, 8))
    assert (second.billed, second.doubted, second.unjudged) == (1, 0, 0)
    street.sends((at(3, 9), "70000"), (at(4), "112"))
    round_at(street, at(4, 1, 8))
    assert street.close(at(3), at(4), now=at(4, 1, 8)).doubted == 1


def test_the_days_of_a_meter_whose_history_came_in_later_are_judged_too(street):
    street.house()
    assert round_at(street, at(2, 1, 8)).intervals.spans == 0
    daily(street, 1)
    report = round_at(street, at(2, 1, 9))
    assert (report.arrivals.judged, report.intervals.spans) == (32, 4)
    assert round_at(street, at(2, 1, 10)).intervals.spans == 0


def test_rounds_are_made_by_themselves_as_long_as_the_service_runs(street, monkeypatch):
    monkeypatch.setattr("service.billing_rounds.FIRST_AFTER_S", 0.01)
    street.house()
    street.sends((at(1), "100"))
    judged = threading.Event()
    real = Rounds.run

    def seen(self, **said):
        report = real(self, **said)
        if report is not None and report.arrivals.judged:
            judged.set()
        return report

    monkeypatch.setattr(Rounds, "run", seen)
    with making_rounds(SETTINGS, street.store, street.clock):
        assert judged.wait(20)
    off = Settings.model_validate({"billing": {"round_minutes": 0}})
    with making_rounds(off, street.store, street.clock):
        assert not [one for one in threading.enumerate() if one.name == "billing-rounds"]
