"""Facts about validation rules: when each raises, when it is silent, and when it cannot judge."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D  # noqa: N817  hundreds of numbers
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.duration import read_duration, write_duration
from billing_bridge.quality import Cim, Espi
from billing_bridge.validate import (
    STAGES,
    Arrival,
    CustomerCase,
    IntervalCase,
    Outcome,
    PeriodCase,
    Policy,
    Reference,
    ReferenceKind,
    Severity,
    SubMeter,
    Verdict,
    validate_arrival,
    validate_customer,
    validate_intervals,
    validate_period,
)
from metering.consumption import IndexPoint, Step, boundaries, intervals
from metering.errors import InvalidValue
from metering.meter import Installation, MeterId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METER = MeterId("KAM", "76348799", "1b", "16")
OTHER = MeterId("KAM", "76348800", "1b", "16")
WARSAW = ZoneInfo("Europe/Warsaw")
HERE = Installation(METER, "SP1", datetime(2024, 1, 1, tzinfo=UTC))
LAST_YEAR = Reference(ReferenceKind.SAME_PERIOD_LAST_YEAR, D("0.4"))

ARRIVED = Arrival(
    METER,
    "SP1",
    NOON,
    D("812.405"),
    "m3",
    now=NOON + timedelta(seconds=3),
    earlier_at=NOON - timedelta(days=1),
    earlier=D("812.1"),
    installations=[HERE],
    clock_drift=timedelta(seconds=2),
    digits=5,
    q3_m3h=D("2.5"),
)
CLOSING = PeriodCase(
    datetime(2026, 1, 31, 23, tzinfo=UTC),
    datetime(2026, 2, 28, 23, tzinfo=UTC),
    date(2026, 2, 28),
    D(11),
    references=[LAST_YEAR],
    exchanges=[True],
    last_actual=datetime(2026, 2, 28, 23, tzinfo=UTC),
    alarms=[],
    intervals_m3=[D("5.5"), D("5.5")],
    index_delta_m3=D(11),
    legal_until=date(2027, 12, 31),
    subs=[SubMeter(OTHER, D(2), date(2026, 2, 28))],
)
ENTERED = CustomerCase(
    D(812),
    NOON,
    opens=NOON - timedelta(days=2),
    closes=NOON + timedelta(days=2),
    booked=D(800),
    radio=D("812.405"),
)


def hourly(*litres: int, since: datetime = NOON, step: Step = Step.HOUR) -> IntervalCase:
    """Hours with these volumes."""
    total, points = 0, [IndexPoint(since, D(0))]
    for hour, volume in enumerate(litres, 1):
        total += volume
        points.append(IndexPoint(since + timedelta(hours=hour), D(total).scaleb(-3)))
    end = since + timedelta(hours=len(litres))
    return IntervalCase(boundaries(since, end, step, WARSAW), intervals(points, step, WARSAW))


QUIET = hourly(*[3, 0, 2, 5] * 8)


DEFAULTS = Policy()


def outcomes(
    case: Arrival | PeriodCase | CustomerCase | IntervalCase, policy: Policy = DEFAULTS, of: str = ""
):
    match case:
        case Arrival():
            told = validate_arrival(case, policy, of)
        case PeriodCase():
            told = validate_period(case, policy, of)
        case CustomerCase():
            told = validate_customer(case, policy, of)
        case IntervalCase():
            told = validate_intervals(case, policy, of)
    return {one.rule: one for one in told}


CLEAN = [ARRIVED, CLOSING, ENTERED, QUIET]


@pytest.mark.parametrize("case", CLEAN, ids=["arrival", "period", "customer", "intervals"])
def test_a_clean_case_passes_every_rule_that_can_judge_it(case):
    told = outcomes(case)
    assert {one.rule for one in told.values() if one.verdict is Verdict.RAISED} == set()
    assert all(one.sentence for one in told.values() if one.verdict is Verdict.NOT_RUN)
    passed = [one for one in told.values() if one.verdict is Verdict.PASSED]
    assert {(one.cim, one.espi) for one in passed} == {(Cim.VALIDATED, Espi.VALIDATED)}


RAISED = [
    ("R1", replace(ARRIVED, same_moment=D("812.405")), Severity.INFO, Cim.REJECTED),
    ("R1", replace(ARRIVED, same_moment=D("812.5")), Severity.FAIL, Cim.REJECTED),
    ("R2", replace(ARRIVED, at=NOON + timedelta(minutes=6)), Severity.FAIL, Cim.CLOCK_ERROR),
    ("R2", replace(ARRIVED, clock_drift=timedelta(minutes=-11)), Severity.FAIL, Cim.CLOCK_ERROR),
    ("R2", replace(ARRIVED, at=HERE.valid_from - timedelta(days=1)), Severity.FAIL, Cim.CLOCK_ERROR),
    ("R3", replace(ARRIVED, service_point="SP2"), Severity.FAIL, Cim.SUSPECT),
    ("R3", replace(ARRIVED, meter=OTHER), Severity.FAIL, Cim.SUSPECT),
    ("R4", replace(ARRIVED, unit="Wh"), Severity.FAIL, Cim.OUT_OF_RANGE),
    ("R4", replace(ARRIVED, value=D(100_000)), Severity.FAIL, Cim.OUT_OF_RANGE),
    ("R5", replace(ARRIVED, value=D("812.089")), Severity.FAIL, Cim.REVERSE_ROTATION),
    ("R5", replace(ARRIVED, value=D("812.090")), Severity.WARN, Cim.REVERSE_ROTATION),
    ("R6", replace(ARRIVED, earlier=D(99990), value=D("2.5")), Severity.INFO, Cim.OVERFLOW),
    ("R8", replace(ARRIVED, value=D("887.101")), Severity.FAIL, Cim.OUT_OF_RANGE),
    ("R7", replace(CLOSING, exchanges=[True, False]), Severity.FAIL, Cim.CONFIGURATION_CHANGED),
    ("R9", replace(CLOSING, volume_m3=D("22.401")), Severity.WARN, Cim.USAGE_ABOVE_PERCENT),
    ("R9", replace(CLOSING, volume_m3=D("44.801")), Severity.FAIL, Cim.USAGE_ABOVE_PERCENT),
    ("R10", replace(CLOSING, volume_m3=D("4.479")), Severity.WARN, Cim.USAGE_BELOW_PERCENT),
    (
        "R11",
        replace(CLOSING, volume_m3=D(0), start=CLOSING.start - timedelta(days=3)),
        Severity.WARN,
        Cim.ZERO_USAGE,
    ),
    ("R12", replace(CLOSING, active=False, volume_m3=D("0.101")), Severity.FAIL, Cim.INACTIVE_USAGE),
    ("R13", replace(CLOSING, estimated_periods=2), Severity.WARN, Cim.ESTIMATED),
    ("R13", replace(CLOSING, last_actual=CLOSING.end - timedelta(days=181)), Severity.WARN, Cim.ESTIMATED),
    ("R13", replace(CLOSING, last_actual=None), Severity.WARN, Cim.ESTIMATED),
    ("R14", replace(CLOSING, alarms=["reverse_flow"]), Severity.WARN, Cim.REVERSE_ROTATION),
    ("R14", replace(CLOSING, alarms=["air_in_pipe"]), Severity.WARN, Cim.DIAGNOSTICS),
    ("R15", replace(CLOSING, index_delta_m3=D("11.056")), Severity.FAIL, Cim.VALIDATION),
    ("R16", replace(CLOSING, closing_off=None), Severity.ESTIMATE, Cim.KNOWN_MISSING),
    ("R16", replace(CLOSING, opening_off=timedelta(hours=-25)), Severity.ESTIMATE, Cim.KNOWN_MISSING),
    ("R17", replace(CLOSING, legal_until=date(2026, 2, 27)), Severity.WARN, Cim.SUSPECT),
    ("R17", replace(CLOSING, closing_day=date(2026, 3, 1)), Severity.WARN, Cim.SUSPECT),
    ("R18", replace(CLOSING, subs=[SubMeter(OTHER, D("11.551"), None)]), Severity.WARN, Cim.VALIDATION),
    ("R19", replace(ENTERED, at=ENTERED.closes), Severity.FAIL, Cim.CUSTOMER_READ),
    ("R19", replace(ENTERED, settled=True), Severity.FAIL, Cim.CUSTOMER_READ),
    ("R19", replace(ENTERED, value=D(799)), Severity.FAIL, Cim.CUSTOMER_READ),
    ("R19", replace(ENTERED, value=D("812.404")), Severity.FAIL, Cim.CUSTOMER_READ),
    ("R19", replace(ENTERED, value=D("813.406")), Severity.FAIL, Cim.CUSTOMER_READ),
    ("I2", hourly(3, 5, 4, 101, 5), Severity.WARN, Cim.OUT_OF_RANGE),
    ("I3", hourly(3, -2, 4), Severity.FAIL, Cim.OUT_OF_RANGE),
    ("I5", hourly(*[4] * 24), Severity.INFO, Cim.SUSPECT),
]


@pytest.mark.parametrize(
    ("rule", "case", "severity", "cim"), RAISED, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_raises_a_rule(rule, case, severity, cim):
    told = outcomes(case)[rule]
    assert (told.verdict, told.severity, told.cim) == (Verdict.RAISED, severity, cim), told
    assert told.espi is Espi.QUESTIONABLE
    assert told.sentence.endswith((".", "?"))
    assert json.loads(json.dumps(told.evidence)) == told.evidence
    assert told.evidence
    assert told.blocks == (severity is Severity.FAIL)


JUST_NOT = [
    ("R2", replace(ARRIVED, at=NOON + timedelta(minutes=5))),
    ("R5", replace(ARRIVED, value=D(5), exchanged=True)),
    ("R8", replace(ARRIVED, value=D("887.1"))),
    ("R9", replace(CLOSING, volume_m3=D("22.4"))),
    ("R9", replace(CLOSING, volume_m3=D(6), references=[replace(LAST_YEAR, m3_per_day=D("0.04"))])),
    ("R10", replace(CLOSING, volume_m3=D("4.48"))),
    ("R11", replace(CLOSING, start=CLOSING.start - timedelta(days=3))),
    ("R12", replace(CLOSING, active=False, volume_m3=D("0.1"))),
    ("R13", replace(CLOSING, estimated_periods=1)),
    ("R15", replace(CLOSING, index_delta_m3=D("11.055"))),
    ("R16", replace(CLOSING, closing_off=timedelta(days=-3), manual=True)),
    ("R17", replace(CLOSING, legal_until=date(2026, 2, 28))),
    ("R18", replace(CLOSING, subs=[SubMeter(OTHER, D("11.55"), None)])),
    ("R19", replace(ENTERED, value=D("813.405"))),
    ("R19", replace(ENTERED, at=ENTERED.opens)),
    ("I2", hourly(40, 50, 40, 100, 5)),
    ("I5", hourly(*[4] * 23, 3, *[4] * 23)),
]


@pytest.mark.parametrize(("rule", "case"), JUST_NOT, ids=lambda one: one if isinstance(one, str) else "")
def test_what_just_does_not(rule, case):
    assert outcomes(case)[rule].verdict is Verdict.PASSED


NOT_RUN = [
    ("R3", replace(ARRIVED, installations=None)),
    ("R5", replace(ARRIVED, earlier=None, earlier_at=None)),
    ("R5", replace(ARRIVED, earlier=D(99990), value=D("2.5"))),
    ("R6", replace(ARRIVED, digits=None)),
    ("R8", replace(ARRIVED, exchanged=True)),
    ("R7", replace(CLOSING, exchanges=[])),
    ("R9", replace(CLOSING, references=[])),
    ("R9", replace(CLOSING, references=[replace(LAST_YEAR, estimated=D("0.51"))])),
    ("R10", replace(CLOSING, references=[replace(LAST_YEAR, m3_per_day=D("0.05"))])),
    ("R10", replace(CLOSING, volume_m3=None)),
    ("R11", CLOSING),
    ("R11", replace(CLOSING, active=False)),
    ("R12", CLOSING),
    ("R14", replace(CLOSING, alarms=None)),
    ("R15", replace(CLOSING, intervals_m3=None)),
    ("R17", replace(CLOSING, legal_until=None, subs=[])),
    ("R18", replace(CLOSING, subs=[])),
    ("I1", IntervalCase([], [])),
    ("I2", hourly(3, 5)),
    ("I3", IntervalCase([], [])),
    ("I4", IntervalCase([], [])),
    ("I5", IntervalCase([], [])),
]


@pytest.mark.parametrize(("rule", "case"), NOT_RUN, ids=lambda one: one if isinstance(one, str) else "")
def test_a_rule_that_cannot_judge_says_why(rule, case):
    told = outcomes(case)[rule]
    assert (told.verdict, told.severity, told.cim) == (Verdict.NOT_RUN, None, None)
    assert told.sentence


def test_every_rule_is_raised_by_some_case_and_every_rule_passes_one():
    everything = [*(case for _, case, *_ in RAISED), *(case for _, case in JUST_NOT), *CLEAN, GAPPED, HALF]
    ids = {rule.id for rules in STAGES.values() for rule in rules}
    told = [one for case in everything for one in outcomes(case).values()]
    assert {one.rule for one in told if one.verdict is Verdict.RAISED} == ids
    assert {one.rule for one in told if one.verdict is Verdict.PASSED} == ids


def test_the_rules_are_r1_to_r19_and_i1_to_i5_each_once():
    ids = sorted(rule.id for rules in STAGES.values() for rule in rules)
    assert ids == sorted([f"R{n}" for n in range(1, 20)] + [f"I{n}" for n in range(1, 6)])


def gapped() -> IntervalCase:
    points = [IndexPoint(NOON + timedelta(hours=hour), D(hour)) for hour in (0, 1, 5, 6)]
    marks = boundaries(NOON, NOON + timedelta(hours=6), Step.HOUR, WARSAW)
    return IntervalCase(marks, intervals(points, Step.HOUR, WARSAW))


def half() -> IntervalCase:
    points = [IndexPoint(NOON + timedelta(hours=hour), D(hour)) for hour in (-18, -13, 5)]
    marks = boundaries(points[0].at, points[-1].at, Step.DAY, WARSAW)
    return IntervalCase(marks, intervals(points, Step.DAY, WARSAW, max_age=timedelta(0)))


GAPPED, HALF = gapped(), half()


def test_a_gap_is_told_with_its_ends():
    told = outcomes(GAPPED)["I1"]
    assert told.severity is Severity.ESTIMATE
    assert told.evidence["gap_0"] == "2026-03-01T13:00:00+00:00/2026-03-01T17:00:00+00:00"


def test_part_of_a_day_is_not_a_day():
    assert outcomes(HALF)["I4"].cim is Cim.PARTIAL_INTERVAL


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"])
def test_days_on_which_clocks_change_have_the_right_size(day):
    start = datetime(day.year, day.month, day.day, tzinfo=WARSAW).astimezone(UTC)
    case = hourly(*[2] * 72, since=start - timedelta(days=1))
    days = boundaries(start - timedelta(days=1), start + timedelta(days=2), Step.DAY, WARSAW)
    points = [IndexPoint(mark, D(n)) for n, mark in enumerate(days)]
    by_day = IntervalCase(days, intervals(points, Step.DAY, WARSAW))
    assert outcomes(by_day)["I4"].verdict is Verdict.PASSED
    assert outcomes(by_day)["I1"].verdict is Verdict.PASSED
    assert outcomes(case)["I4"].verdict is Verdict.PASSED


def test_last_year_counts_before_the_period_before_and_that_before_the_class():
    kinds = [ReferenceKind.CLASS_MEDIAN, ReferenceKind.PREVIOUS_PERIOD, ReferenceKind.SAME_PERIOD_LAST_YEAR]
    references = [Reference(kind, D("0.01")) for kind in kinds]
    for left in (3, 2, 1):
        told = outcomes(replace(CLOSING, references=references[:left]))["R9"]
        assert told.evidence["reference"] == kinds[left - 1].value


def test_whole_cubic_metres_are_compared_with_the_black_digits_of_what_the_meter_sent():
    assert outcomes(replace(ENTERED, value=D(812)))["R19"].verdict is Verdict.PASSED
    assert outcomes(replace(ENTERED, value=D(811)))["R19"].verdict is Verdict.RAISED


def test_settings_hold_for_all_customers_or_for_a_class():
    policy = Policy({"R9": {"ratio": "3"}}, {"garden": {"R9": {"excess_m3": "100"}}})
    much = replace(CLOSING, volume_m3=D(40))
    assert outcomes(much)["R9"].verdict is Verdict.RAISED
    assert outcomes(much, policy)["R9"].verdict is Verdict.RAISED
    assert outcomes(replace(CLOSING, volume_m3=D(33)), policy)["R9"].verdict is Verdict.PASSED
    assert outcomes(much, policy, "garden")["R9"].verdict is Verdict.PASSED
    assert outcomes(replace(ARRIVED, at=NOON + timedelta(hours=2)), Policy({"R2": {"future": "2 h"}}))[
        "R2"
    ].verdict is (Verdict.PASSED)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"R99": {}}, "there is no rule 'R99'"),
        ({"R9": {"rato": "3"}}, "R9 has no setting 'rato'; it has ratio"),
        ({"R9": {"ratio": "much"}}, "a number, 0 or more"),
        ({"R9": {"ratio": "-1"}}, "a number, 0 or more"),
        ({"R9": {"ratio": "NaN"}}, "a number, 0 or more"),
        ({"R13": {"periods": "1.5"}}, "a whole number"),
        ({"R2": {"future": "soon"}}, "not a length of time like 36 h"),
        ({"R1": {"x": "1"}}, "it has none"),
    ],
)
def test_a_setting_no_rule_knows_is_refused(said, sentence):
    rules = [rule for group in STAGES.values() for rule in group]
    for policy in (Policy(said), Policy(by_class={"house": said})):
        with pytest.raises(InvalidValue, match=sentence):
            policy.check(rules)


def text_for(default: object) -> str:
    return "1 d" if isinstance(default, timedelta) else "1"


def test_every_parameter_can_be_set_as_text():
    rules = [rule for group in STAGES.values() for rule in group]
    said = {rule.id: {one.name: text_for(one.default) for one in fields(rule.defaults)} for rule in rules}
    Policy(said).check(rules)


VALUES = st.decimals(0, 100_000, places=3)


@settings(max_examples=200, deadline=None)
@given(
    VALUES,
    st.none() | VALUES,
    st.none() | VALUES,
    st.integers(-(10**6), 10**8),
    st.none() | st.integers(1, 8),
)
def test_rules_give_an_outcome_for_any_state(value, earlier, same, seconds, digits):
    at = NOON - timedelta(seconds=seconds)
    earlier_at = None if earlier is None else at - timedelta(seconds=abs(seconds) + 1)
    case = replace(
        ARRIVED, value=value, at=at, earlier=earlier, earlier_at=earlier_at, same_moment=same, digits=digits
    )
    told = validate_arrival(case, Policy())
    assert len(told) == 7
    assert all(isinstance(one, Outcome) for one in told)
    fell = earlier is not None and value < earlier
    answers = {one.rule: one for one in told}
    assert fell == (answers["R5"].verdict is Verdict.RAISED or answers["R6"].verdict is Verdict.RAISED)


@given(st.timedeltas(timedelta(0), timedelta(days=9999)).map(lambda one: timedelta(seconds=one // SECOND)))
def test_a_length_of_time_is_read_as_it_is_written(length):
    assert read_duration(write_duration(length)) == length


SECOND = timedelta(seconds=1)


def test_lengths_of_time_are_told_in_their_largest_unit():
    told = [
        write_duration(one) for one in (timedelta(days=1), timedelta(hours=25), timedelta(minutes=5), SECOND)
    ]
    assert told == ["1 d", "25 h", "5 min", "1 s"]
