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
    "arrival": "Asked of every state as it arrives",
    "period": "Asked when a period closes",
    "customer": "Asked of what customers enter",
    "intervals": "Asked of interval volumes",
}

_HEAD = """\
# Validation rules

Every rule with what it means, how severe it is, its quality code (IEC 61968-9) and its settings. The
numbers are defaults: each can be set for the utility and for a class of customers. This page is made by
`nurt billing rules --format markdown`.

*fail*: not billable without a person. *warn*: billable, and shown to one. *info*: told. *estimate*: an
estimate takes the place of what is missing. Some rules raise less or more than their usual severity; the
outcome says which. A rule that cannot judge says why it did not run.
"""


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
    return "\n".join([_HEAD, *(line for stage, rules in STAGES.items() for line in _table(stage, rules))])


def _table(stage: str, rules: tuple[Rule[Any, Any], ...]) -> Iterator[str]:
    yield f"## {_WHEN[stage]}\n"
    yield "| rule | meaning | severity | code | settings |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        settings = ", ".join(f"`{name}` = {value}" for name, value in _parameters(rule))
        told = (f"**{rule.id}** {rule.name}", rule.meaning, rule.severity.value, rule.cim.value, settings)
        yield f"| {' | '.join(told)} |"
    yield ""


def _parameters(rule: Rule[Any, Any]) -> Iterator[tuple[str, str]]:
    for one in fields(rule.defaults):
        value = getattr(rule.defaults, one.name)
        yield one.name, write_duration(value) if isinstance(value, timedelta) else str(value)
