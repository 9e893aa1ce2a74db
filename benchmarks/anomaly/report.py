# ruff: noqa: E501  rows of the report are as wide as they are
"""``make bench-anomaly``: run the protocol on the judging half, write docs/anomaly-report.md and plots."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.anomaly.households import judging, meter_days, tuning
from benchmarks.anomaly.measures import Found, alarm_rate, found
from benchmarks.anomaly.run import BURST, SEEDS, TOILET, Run, run
from benchmarks.anomaly.sections import (
    alarms_section,
    budget_plot,
    budget_section,
    delay_plot,
    detection_section,
    fleet_section,
    listing_section,
    nuisance_section,
    other_ways_section,
)
from metering.finding import Tier

DOCS = Path(__file__).parents[2] / "docs"


def write(one: Run) -> None:
    """Write the report and its plots."""
    parts = [
        _head(one),
        _targets(one),
        alarms_section(one),
        detection_section(one),
        nuisance_section(one),
        budget_section(one),
        other_ways_section(one.half),
        TRIED,
        listing_section(one),
        fleet_section(),
        LIMITS,
    ]
    (DOCS / "anomaly-report.md").write_text("\n\n".join(parts) + "\n")
    (DOCS / "anomaly-delay.svg").write_text(delay_plot(one))
    (DOCS / "anomaly-budget.svg").write_text(budget_plot(one))


def _head(one: Run) -> str:
    days = sum(map(meter_days, one.half))
    return f"""# How good the leak detector is

Made by `make bench-anomaly` on {time.strftime("%Y-%m-%d", time.gmtime())}; do not edit by hand. All figures are on households nothing was tuned on.
[Districts](anomaly-districts.md) have a page of their own.

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


TRIED = """## What keeps the missed targets missed, and what was tried

All of it on the tuning half (seeds 1, 2, 3 of every scenario, 10,175 meter-days).

- **Alarms.** From 2.16 to 1.38 per 1000 meter-days, at the delays of the targets: 14 alarms in 9 of 23 households. Seven of the 14
  are flows of a week and more: leaks by any measure. The others are one steady flow of 10 to 40 hours that ended by itself, mostly the
  first of its kind in that household: a detector that is to tell 25 L/h within 12 h cannot know that it will end. What helped: a run must
  outlast the household's own runs that ended by themselves (anomaly/habits.py; four alarms); new meters are asked for up to twice the
  evidence for 30 days (two); drips below 4.5 L/h wait 60 h (two); growth within an open leak is the same finding below 60 L/h (one). What
  did not: longer runs asked of everybody (0 to 1 alarm, 1 to 2 h slower), another strictness (0.8: 21 alarms; 1.25: 17; 1.5: 13 with
  5 L/h at 32 h), a longer memory for what came back (45 and 60 days: no alarm fewer).
- **Leak 5 L/h found.** What is missed is *masked*: the household's own drip is already open, or the planted leak is taken for one that ended
  less than 30 days before and has come back. Where nothing is open, all were found.
- **Bursts** are told at the third full hour if it is steady to 5 %, else at the fourth, and over gaps by their volume: a mean in the band
  of a burst counts for up to three hours. The price is a pool filled in three hours: told in a fifth of the cases instead of a
  seventeenth. Bursts with use on top are told an hour later."""

LIMITS = """## What this does not show

- The judging half has been looked at six times so far, each time after the thresholds were chosen.
- One city, mostly flats. Nothing here was measured at 15 minutes, on shared meters, or in commerce.
- Planted leaks are additive and constant but for the ramp; real valves and pipes are not.
- The windows were chosen without long runs of the household's own, which favours every detector.
- No alarm was checked in a cellar: alarms per 1000 meter-days are an upper bound of false ones."""


def main() -> None:
    """Measure and write."""
    write(run(judging()))


if __name__ == "__main__":
    main()
