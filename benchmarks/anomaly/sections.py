# ruff: noqa: E501  rows of the report are as wide as they are
"""Sections and plots of the report, each from one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from anomaly.batch import Batch
from anomaly.detector import Detector
from anomaly.gate import gate
from anomaly.leak import LeakDetector
from anomaly.leak_daily import DailyLeakDetector
from anomaly.series import Series
from benchmarks.anomaly import fleet
from benchmarks.anomaly.baselines import RULES
from benchmarks.anomaly.households import ZONE
from benchmarks.anomaly.inject import scenarios
from benchmarks.anomaly.measures import alarm_rate, found
from benchmarks.anomaly.plots import Axis, Line, plot
from benchmarks.anomaly.run import LEAKS, ON_CURVE, SEEDS, Run
from benchmarks.anomaly.trial import (
    Alarm,
    Outcome,
    Planted,
    by_name,
    by_ten_litres,
    judge,
    native_runs,
    once_a_day,
    ours,
    plant,
)
from metering.finding import Tier


def alarms_section(one: Run) -> str:
    lines = ["| detector | alarms per 1000 meter-days | households with any |", "|---|---|---|"]
    for tier, told in one.alarms.items():
        lines.append(_alarm_row(f"**ours, {tier.value}**", one.half, told))
    lines += [_alarm_row(rule.name, one.half, one.rule_alarms[rule.name]) for rule in RULES]
    confirmed, total = _confirmed(one)
    return "\n".join(
        [
            "## Alarms on untouched households",
            "",
            *lines,
            "",
            f"Nobody knows which of these alarms are false. By hindsight, {confirmed} of our {total} notify alarms lie on a run",
            "of 24 known hours without a pause or on 4 h above 200 L/h: real flow, whatever its cause.",
        ]
    )


def _alarm_row(name: str, half: Sequence[Series], told: dict[str, list[Alarm]]) -> str:
    return f"| {name} | {alarm_rate(half, told).text()} | {sum(map(bool, told.values()))} of {len(half)} |"


def _confirmed(one: Run) -> tuple[int, int]:
    """Notify alarms that lie on a long run without a pause, or on a long high flow."""
    confirmed = total = 0
    for series, ticks in zip(one.half, Batch.of(one.half, ZONE).ticks, strict=True):
        runs = native_runs(ticks)
        for alarm in one.alarms[Tier.NOTIFY][series.facts.meter]:
            total += 1
            on_run = ((runs[:, 0] <= alarm.raised) & (runs[:, 1] >= alarm.onset)).any()
            near = (ticks.known_at > alarm.onset) & (ticks.known_at <= alarm.raised)
            confirmed += bool(on_run or (ticks.flow[near] >= 200).sum() >= 4)
    return confirmed, total


def detection_section(one: Run) -> str:
    names = [RULES[0].name, RULES[1].name, RULES[2].name]
    lines = [
        "| planted | n | found | median h | p90 h | masked | "
        + " | ".join(f"{name}: found, h" for name in names)
        + " |",
        "|---|---|---|---|---|---|" + "---|" * len(names),
    ]
    for name, group in one.outcomes.items():
        if not group[0].planted.scenario.must_be_found:
            continue
        told = found(group)
        others = [found(one.rule_outcomes[rule][name]) for rule in names]
        cells = [f"{o.recall.value:.2f}, {hours_text(o.median_h.value)}" for o in others]
        lines.append(
            f"| {name} | {told.number} | {told.recall.text()} | {told.median_h.text(0)} | {hours_text(told.p90_h)} | "
            f"{told.masked:.0%} | " + " | ".join(cells) + " |"
        )
    return "\n".join(["## What is found, and when", "", "![delay](anomaly-delay.svg)", "", *lines])


def hours_text(hours: float) -> str:
    return f"{hours:.0f}" if np.isfinite(hours) else "-"


def nuisance_section(one: Run) -> str:
    lines = ["| what happened | kind | n | with an alarm | median h |", "|---|---|---|---|---|"]
    for name, group in one.outcomes.items():
        scenario = group[0].planted.scenario
        if scenario.must_be_found:
            continue
        told = found(group)
        lines.append(
            f"| {name} | {scenario.group} | {told.number} | {told.recall.text()} | {hours_text(told.median_h.value)} |"
        )
    right, wrong = _gated_right(one)
    return "\n".join(
        [
            "## What must not alarm",
            "",
            *lines,
            "",
            f"Decode errors: in {right} of {right + wrong} series with cross-reads or a wrong digit, every wrong reading was taken",
            "out and every other reading kept. A pool being filled is a burst to any meter, if it takes long enough.",
        ]
    )


def _gated_right(one: Run) -> tuple[int, int]:
    """Count series with planted decode errors whose line is the untouched line, less the wrong readings."""
    lines = {series.facts.meter: gate(series) for series in one.half}
    verdicts = []
    for planted in one.planted:
        if planted.scenario.name in {"cross-read of another meter", "one digit wrong"}:
            line, clean = gate(planted.series), lines[planted.household]
            place = np.clip(np.searchsorted(clean.at, line.at), 0, len(clean) - 1)
            wrong = (planted.series.index != _index_at(one, planted)).sum()
            same = bool((clean.at[place] == line.at).all() and (clean.index[place] == line.index).all())
            span = (clean.at >= planted.series.at[0]) & (clean.at <= planted.series.at[-1])
            verdicts.append(same and len(line) >= span.sum() - wrong)
    return sum(verdicts), len(verdicts) - sum(verdicts)


def _index_at(one: Run, planted: Planted) -> np.ndarray:
    """Give what the readings of a planted series were before."""
    whole = next(series for series in one.half if series.facts.meter == planted.household)
    first = int(np.flatnonzero(whole.at == planted.series.at[0])[0])
    return np.asarray(whole.index[first : first + len(planted.series)])


def budget_section(one: Run) -> str:
    lines = [
        "| strictness | alarms per 1000 meter-days | "
        + " | ".join(f"{name}: found, median h" for name in ON_CURVE)
        + " |",
        "|---|---|" + "---|" * len(ON_CURVE),
    ]
    for strictness, rate, sums in one.curve:
        cells = [
            f"{sums[name].recall.value:.2f}, {hours_text(sums[name].median_h.value)}" for name in ON_CURVE
        ]
        lines.append(f"| {strictness} | {rate.text()} | " + " | ".join(cells) + " |")
    return "\n".join(["## Fewer alarms or sooner", "", "![budget](anomaly-budget.svg)", "", *lines])


def _as_sent_otherwise(
    half: Sequence[Series], detector: Detector, sent: Callable[[Series], Series], days: int, unit_h: float
) -> tuple[str, list[str]]:
    """Alarm rate, and rows of leaks found, had the same households been read in another way."""
    chosen = [replace(leak, days=days) for leak in scenarios() if leak.name in LEAKS]
    planted = [replace(one, series=sent(one.series)) for one in plant(half, chosen, SEEDS)]
    outcomes = by_name(judge(planted, ours([one.series for one in planted], (detector,))))
    heard = [sent(series) for series in half]
    rows = []
    for name, group in outcomes.items():
        told = found(group)
        rows.append(
            f"| {name} | {told.number} | {told.recall.text()} | {hours_text(told.median_h.value / unit_h)} |"
        )
    return alarm_rate(heard, ours(heard, (detector,))).text(), rows


def other_ways_section(half: Sequence[Series]) -> str:
    coarse, coarse_rows = _as_sent_otherwise(half, LeakDetector(), by_ten_litres, 14, 1)
    daily, daily_rows = _as_sent_otherwise(half, DailyLeakDetector(), once_a_day, 28, 24)
    return "\n".join(
        [
            "## Coarser registers and rarer readings",
            "",
            f"The same households with registers of 10 L, hourly: {coarse} notify alarms per 1000 meter-days.",
            "",
            "| planted for 14 days | n | found | median hours |",
            "|---|---|---|---|",
            *coarse_rows,
            "",
            f"The same households read once a day, `leak.daily_rise`: {daily} notify alarms per 1000 meter-days.",
            "",
            "| planted for 28 days | n | found | median days |",
            "|---|---|---|---|",
            *daily_rows,
        ]
    )


def listing_section(one: Run) -> str:
    lines = ["| household | name | onset (UTC) | raised | open for |", "|---|---|---|---|---|"]
    for meter, told in one.alarms[Tier.NOTIFY].items():
        for alarm in told:
            days = (alarm.cleared - alarm.raised) / 86_400
            shown = f"{days:.1f} d" if np.isfinite(days) else "to the end"
            lines.append(f"| {meter} | {alarm.name} | {_day(alarm.onset)} | {_day(alarm.raised)} | {shown} |")
    return "\n".join(["## Every notify alarm on the untouched households", "", *lines])


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def fleet_section() -> str:
    figures = fleet.measure()
    month = figures.month_s / figures.month_meters * 100_000
    return f"""## Fleet

| what | measured | target |
|---|---|---|
| one hourly tick of the bank for a million meters, one core | {figures.tick_s:.2f} s | <= 1.5 s |
| detector state | {figures.bytes_per_meter:.0f} bytes a meter | <= 160 |
| a month of hours scanned again by all detectors, from {figures.month_meters:,} meters to 100,000 in proportion, one core | {month:.0f} s | <= 120 s on two |"""


def delay_plot(one: Run) -> str:
    rates = [float(name.split()[1]) for name in LEAKS]

    def line(name: str, outcomes: dict[str, list[Outcome]]) -> Line:
        medians = [found(outcomes[leak]).median_h.value for leak in LEAKS]
        return Line(name, [(r, h) for r, h in zip(rates, medians, strict=True) if np.isfinite(h)])

    lines = [line("ours, notify", one.outcomes)]
    lines += [line(rule.name, one.rule_outcomes[rule.name]) for rule in RULES]
    return plot(
        "Median hours until a steady leak is told",
        Axis("leak, L/h", (1, 2, 5, 10, 25, 50, 100)),
        Axis("hours", (2, 5, 10, 24, 48, 100, 200)),
        [some for some in lines if some.points],
    )


def budget_plot(one: Run) -> str:
    lines = [
        Line(name, [(rate.value, sums[name].median_h.value) for _, rate, sums in one.curve])
        for name in ON_CURVE
    ]
    return plot(
        "Alarms on untouched households against delay",
        Axis("alarms per 1000 meter-days", (0.5, 1, 2, 5, 10)),
        Axis("median hours", (2, 5, 10, 24, 48, 100, 200)),
        lines,
    )
