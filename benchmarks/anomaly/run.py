"""The protocol once: scenarios planted, ours and the rules run, on one half of the households."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anomaly.leak import LeakDetector
from anomaly.series import Series
from benchmarks.anomaly.inject import scenarios
from benchmarks.anomaly.measures import Estimate, Found, alarm_rate, found
from benchmarks.anomaly.trial import Alarm, Outcome, Planted, by_name, judge, ours, plant, rules
from metering.finding import Tier

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
