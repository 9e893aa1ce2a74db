"""The validation rules as a page and as data, out of the rules themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

from billing_bridge.duration import write_duration
from billing_bridge.validate import STAGES, Rule

__all__ = ["as_data", "lines", "markdown"]

_WHEN = {
    "arrival": "Asked of every state that arrived, in rounds after the commit",
    "period": "Asked when a period closes",
    "customer": "Asked of what customers enter",
    "intervals": "Asked of interval volumes, once a day or week is over",
}

_HEAD = """\
# Validation rules

Every rule with what it means, how severe it is, its quality code (IEC 61968-9) and its settings. The
numbers are defaults: each can be set for the utility and for a class of customers. This page is made by
`nurt billing rules --format markdown`.

*fail*: not billable without a person. *warn*: billable, and shown to one. *info*: told. *estimate*: an
estimate takes the place of what is missing. Some rules raise less or more than their usual severity; the
outcome says which. A rule that cannot judge says why it did not run.

Set them in `nurt.toml`, for everybody and for a class of customers (column `class` of the tenancies):

```toml
[billing]
rules = { R9 = { ratio = "3" } }
classes = { works = { R8 = { q3_m3h = "25" }, R9 = { ratio = "5" } } }
```

Every billing read carries an outcome of each rule of arrival, period and intervals, with its quality codes
(IEC 61968-9 and ESPI): in what is handed over, in the queue, and in the evidence pack. A state that failed on
arrival holds the bill only where an end of the period rests on it; elsewhere it is a warning. Intervals never
hold a bill, which rests on indices. `nurt billing checks` lists what the rules of arrival and of intervals
raised.
"""

_NEEDS = (
    (
        "R2",
        "the device's own clock, for its drift",
        "not asked of states dated by when they were heard, as all states of telegrams and pulses are",
    ),
    (
        "R4, R6",
        "digits of the dial",
        "`nurt billing import meters`, column `digits`; R6 does not run without",
    ),
    ("R7", "indices at an exchange", "`nurt billing import protocols`"),
    ("R8", "permanent flow rate Q3", "`nurt billing import meters`, `q3_m3h`; else the rule's own setting"),
    (
        "R9-R11",
        "usual usage",
        (
            "billed periods; else the median of the class over two months, once ten of it were billed; else"
            " `[billing] class_m3_per_day`"
        ),
    ),
    ("R14", "what the meter says of itself", "status flags of its telegrams; pulse inputs cannot tell any"),
    (
        "R15",
        "the meter's own log (register `volume/s1`) near both ends of the period",
        "telegrams that carry it; else `nurt billing import logs`",
    ),
    ("R17", "last day of legalization", "`nurt billing import meters`, `legal_until`"),
    ("R18", "meters behind this one", "`nurt billing import deductions`"),
    ("I1-I5", "states at least daily, for I5 hourly", "what the meter sends"),
)
"""What rules need besides readings, and how it is supplied."""


def as_data() -> list[dict[str, object]]:
    """Give every rule as JSON-able data."""
    return [
        {
            "id": rule.id,
            "name": rule.name,
            "meaning": rule.meaning,
            "stage": stage,
            "severity": rule.severity.value,
            "cim": rule.cim.value,
            "espi": int(rule.espi),
            "parameters": dict(_parameters(rule)),
        }
        for stage, rules in STAGES.items()
        for rule in rules
    ]


def lines() -> Iterator[str]:
    """Give every rule in two lines, for a terminal."""
    for rules in STAGES.values():
        for rule in rules:
            settings = ", ".join(f"{name} {value}" for name, value in _parameters(rule))
            yield f"{rule.id:<4}{rule.name:<22}{rule.severity:<9}{rule.cim:<9}{settings}".rstrip()
            yield f"    {rule.meaning}"


def markdown() -> str:
    """Give the page ``docs/billing-rules.md``."""
    return "\n".join(
        [_HEAD, *_needs(), *(line for stage, rules in STAGES.items() for line in _table(stage, rules))]
    )


def _needs() -> Iterator[str]:
    yield "| rule | needs besides the states | where it comes from |"
    yield "|---|---|---|"
    yield from (f"| {' | '.join(row)} |" for row in _NEEDS)
    yield ""


def _table(stage: str, rules: tuple[Rule[Any, Any], ...]) -> Iterator[str]:
    yield f"## {_WHEN[stage]}\n"
    yield "| rule | meaning | severity | code, ESPI | settings |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        settings = ", ".join(f"`{name}` = {value}" for name, value in _parameters(rule))
        code = f"{rule.cim.value}, {int(rule.espi)}"
        told = (f"**{rule.id}** {rule.name}", rule.meaning, rule.severity.value, code, settings)
        yield f"| {' | '.join(told)} |"
    yield ""


def _parameters(rule: Rule[Any, Any]) -> Iterator[tuple[str, str]]:
    for one in fields(rule.defaults):
        value = getattr(rule.defaults, one.name)
        yield one.name, write_duration(value) if isinstance(value, timedelta) else str(value)
