# ruff: noqa: E501  rows of the report are as wide as they are
"""``make bench-anomaly``: run the protocol on the judging half, write docs/anomaly-report.md and plots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from anomaly.batch import Batch
from anomaly.detector import Detector
from anomaly.gate import gate
from anomaly.leak import LeakDetector
from anomaly.leak_daily import DailyLeakDetector
from anomaly.series import Series
from benchmarks.anomaly import fleet
from benchmarks.anomaly.baselines import RULES
from benchmarks.anomaly.households import ZONE, judging, meter_days, tuning
from benchmarks.anomaly.inject import scenarios
from benchmarks.anomaly.measures import Estimate, Found, alarm_rate, found
from benchmarks.anomaly.plots import Axis, Line, plot
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
    rules,
)
from metering.finding import Tier

DOCS = Path(__file__).parents[2] / "docs"
SEEDS = (101, 102, 103)
STRICTNESS = (0.6, 0.8, 1.0, 1.25, 1.5, 1.8)
LEAKS = tuple(f"leak {rate} L/h" for rate in (1, 2, 5, 10, 25, 50, 100))
TOILET, BURST = "toilet 30 L/h, 50% of the time", "burst 400 L/h for 6 h"
ON_CURVE = ("leak 5 L/h", "leak 25 L/h", "leak 100 L/h", TOILET, BURST)


@dataclass(frozen=True)
class Run:
    """Everything measured on one half of the households."""

    half: Sequence[Series]
    planted: Sequence[Planted]
    alarms: dict[Tier, dict[str, list[Alarm]]]
    rule_alarms: dict[str, dict[str, list[Alarm]]]
    outcomes: dict[str, list[Outcome]]
    rule_outcomes: dict[str, dict[str, list[Outcome]]]
    curve: Sequence[tuple[float, Estimate, dict[str, Found]]]


def run(half: Sequence[Series], seeds: Sequence[int] = SEEDS) -> Run:
    """Run ours and the rules, untouched and with everything planted."""
    detectors = (LeakDetector(),)
    planted = plant(half, scenarios(), seeds)
    changed = [one.series for one in planted]
    told_by_rules = rules(changed)
    return Run(
        half,
        planted,
        {tier: ours(half, detectors, tier) for tier in Tier},
        rules(half),
        by_name(judge(planted, ours(changed, detectors))),
        {name: by_name(judge(planted, told)) for name, told in told_by_rules.items()},
        list(_curve(half, [one for one in planted if one.scenario.name in ON_CURVE])),
    )


def _curve(
    half: Sequence[Series], planted: Sequence[Planted]
) -> Iterator[tuple[float, Estimate, dict[str, Found]]]:
    for strictness in STRICTNESS:
        detectors = (LeakDetector(strictness=strictness),)
        outcomes = by_name(judge(planted, ours([one.series for one in planted], detectors)))
        rate = alarm_rate(half, ours(half, detectors))
        yield strictness, rate, {name: found(group) for name, group in outcomes.items()}


def write(one: Run) -> None:
    """Write the report and its plots."""
    parts = [
        _head(one),
        _targets(one),
        _alarms(one),
        _detection(one),
        _nuisance(one),
        _budget(one),
        _other_ways(one.half),
        TRIED,
        _listing(one),
        _fleet(),
        LIMITS,
    ]
    (DOCS / "anomaly-report.md").write_text("\n\n".join(parts) + "\n")
    (DOCS / "anomaly-delay.svg").write_text(_delay_plot(one))
    (DOCS / "anomaly-budget.svg").write_text(_budget_plot(one))


def _head(one: Run) -> str:
    days = sum(map(meter_days, one.half))
    return f"""# How good the leak detector is

Made by `make bench-anomaly`; do not edit by hand. All figures are on households nothing was tuned on.

- **Data**: hourly readings of {len(one.half)} real households, {days:,.0f} meter-days (DAIAD trial A, Alicante,
  2016-2017, CC BY-SA 4.0), as received: duplicates, gaps, falling readings and cross-reads included. No labels.
- **Split**: {len(tuning())} other households chose the thresholds and made the priors; these {len(one.half)} judge.
- **Planted**: {len(one.planted):,} events on the cumulative index, before gatekeeping; each scenario once per household and
  seed (seeds {", ".join(map(str, SEEDS))}), at a random time after 45 days, where the household itself has no run of 24 h
  without a pause and at least half of the hours were heard.
- **Found** means: told (tier notify) between the beginning and 24 h after the end. An alarm that was open
  already, or a finding that came back, does not count: such events are *missed*, and *masked* says how many.
- **Intervals** are 95 %, from {1000} resamples by household. Delays are medians over all events, missed = never."""


def _targets(one: Run) -> str:
    sums = {name: found(group) for name, group in one.outcomes.items()}
    notify = alarm_rate(one.half, one.alarms[Tier.NOTIFY])
    rows = [
        ("alarms per 1000 meter-days, tier notify", "<= 1.0", notify.value, 1.0, notify.text(), True),
        _recall("leak 5 L/h", 0.98, sums),
        _delay("leak 5 L/h", 24, sums),
        _delay("leak 25 L/h", 12, sums),
        _delay("leak 100 L/h", 6, sums),
        _recall(TOILET, 0.90, sums),
        _recall(BURST, 0.95, sums),
        _delay(BURST, 4, sums),
    ]
    lines = [
        f"| {what} | {target} | {shown} | {_verdict(value, bound, lower)} |"
        for what, target, value, bound, shown, lower in rows
    ]
    return "\n".join(
        ["## Against the targets", "", "| what | target | measured | |", "|---|---|---|---|", *lines]
    )


Row = tuple[str, str, float, float, str, bool]


def _recall(name: str, target: float, sums: dict[str, Found]) -> Row:
    told = sums[name]
    unmasked = f"; masked {told.masked:.0%}"
    return (f"{name}: found", f">= {target}", told.recall.value, target, told.recall.text() + unmasked, False)


def _delay(name: str, target: float, sums: dict[str, Found]) -> Row:
    told = sums[name].median_h
    return (f"{name}: median delay, h", f"<= {target}", told.value, target, told.text(1), True)


def _verdict(value: float, bound: float, lower: bool) -> str:  # noqa: FBT001  a direction
    if value <= bound if lower else value >= bound:
        return "met"
    return f"**missed by {abs(value - bound):.2g}**"


def _alarms(one: Run) -> str:
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


def _detection(one: Run) -> str:
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
        cells = [f"{o.recall.value:.2f}, {_hours(o.median_h.value)}" for o in others]
        lines.append(
            f"| {name} | {told.number} | {told.recall.text()} | {told.median_h.text(0)} | {_hours(told.p90_h)} | "
            f"{told.masked:.0%} | " + " | ".join(cells) + " |"
        )
    return "\n".join(["## What is found, and when", "", "![delay](anomaly-delay.svg)", "", *lines])


def _hours(hours: float) -> str:
    return f"{hours:.0f}" if np.isfinite(hours) else "-"


def _nuisance(one: Run) -> str:
    lines = ["| what happened | kind | n | with an alarm | median h |", "|---|---|---|---|---|"]
    for name, group in one.outcomes.items():
        scenario = group[0].planted.scenario
        if scenario.must_be_found:
            continue
        told = found(group)
        lines.append(
            f"| {name} | {scenario.group} | {told.number} | {told.recall.text()} | {_hours(told.median_h.value)} |"
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


def _budget(one: Run) -> str:
    lines = [
        "| strictness | alarms per 1000 meter-days | "
        + " | ".join(f"{name}: found, median h" for name in ON_CURVE)
        + " |",
        "|---|---|" + "---|" * len(ON_CURVE),
    ]
    for strictness, rate, sums in one.curve:
        cells = [f"{sums[name].recall.value:.2f}, {_hours(sums[name].median_h.value)}" for name in ON_CURVE]
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
            f"| {name} | {told.number} | {told.recall.text()} | {_hours(told.median_h.value / unit_h)} |"
        )
    return alarm_rate(heard, ours(heard, (detector,))).text(), rows


def _other_ways(half: Sequence[Series]) -> str:
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


def _listing(one: Run) -> str:
    lines = ["| household | name | onset (UTC) | raised | open for |", "|---|---|---|---|---|"]
    for meter, told in one.alarms[Tier.NOTIFY].items():
        for alarm in told:
            days = (alarm.cleared - alarm.raised) / 86_400
            shown = f"{days:.1f} d" if np.isfinite(days) else "to the end"
            lines.append(f"| {meter} | {alarm.name} | {_day(alarm.onset)} | {_day(alarm.raised)} | {shown} |")
    return "\n".join(["## Every notify alarm on the untouched households", "", *lines])


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _fleet() -> str:
    figures = fleet.measure()
    month = figures.month_s / figures.month_meters * 100_000
    return f"""## Fleet

| what | measured | target |
|---|---|---|
| one hourly tick of the bank for a million meters, one core | {figures.tick_s:.2f} s | <= 1.5 s |
| detector state | {figures.bytes_per_meter:.0f} bytes a meter | <= 160 |
| a month of hours scanned again, from {figures.month_meters:,} meters to 100,000 in proportion, one core | {month:.0f} s | <= 120 s on two |"""


TRIED = """## What keeps the missed targets missed, and what was tried

- **Alarms.** Nearly all are real flow of one size for 5 to 60 hours that ended by itself: toilets, forgotten taps, drips. To be
  told of 25 L/h within 12 h means to be told of these. On the tuning half (hourly CUSUM on four wide thresholds, the
  published starting point: 3.1 alarms per 1000 meter-days at 30 h for 5 L/h) bands of one flow brought 2.2 at 24 h;
  asking a household whose leaks end by themselves for twice the evidence, and treating the same flow within 30 days
  as the same finding, took out about a third of them. Bands half as wide, separate spreads for day and night, and
  windows of 45 and 60 days changed the number by two alarms at most and cost recall. `strictness` is the dial left.
- **Leak 5 L/h found.** On the tuning half every miss is *masked*: the household's own drip is already open, or the planted leak
  is taken for one that ended less than 30 days before and has come back. Where nothing is open, all were found. Telling each
  return as a new finding finds them all and raises a third more alarms.
- **Burst for 6 h found.** On the tuning half what is missed fell into outages of the radio: fewer than three hours of the six were heard. A gap with
  a mean above 200 L/h counts as one such hour; two hours never do."""

LIMITS = """## What this does not show

- One city, mostly flats. Nothing here was measured at 15 minutes, on shared meters, or in commerce.
- Planted leaks are additive and constant but for the ramp; real valves and pipes are not.
- The windows were chosen without long runs of the household's own, which favours every detector.
- No alarm was checked in a cellar: alarms per 1000 meter-days are an upper bound of false ones."""


def _delay_plot(one: Run) -> str:
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


def _budget_plot(one: Run) -> str:
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


def main() -> None:
    """Measure and write."""
    write(run(judging()))


if __name__ == "__main__":
    main()
