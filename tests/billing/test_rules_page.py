"""The page of rules is made from the rules, and is the current one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from billing_bridge.validate import STAGES
from service import cli

PAGE = Path(__file__).parents[2] / "docs" / "billing-rules.md"
IDS = [rule.id for rules in STAGES.values() for rule in rules]


def told(capfdbinary, *options: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["billing", "rules", *options])
    assert not ended.value.code
    return capfdbinary.readouterr().out.decode()


def test_the_page_is_current(capfdbinary):
    made = told(capfdbinary, "--format", "markdown")
    assert PAGE.read_text("utf-8") == made, (
        "run: nurt billing rules --format markdown > docs/billing-rules.md"
    )


def test_every_rule_is_told_in_every_form(capfdbinary):
    assert [one["id"] for one in json.loads(told(capfdbinary, "--format", "json"))] == IDS
    assert [line.split()[0] for line in told(capfdbinary).splitlines()[::2]] == IDS
    page = told(capfdbinary, "--format", "markdown")
    assert all(f"| **{rule}** " in page for rule in IDS)


def test_settings_are_told_with_their_defaults(capfdbinary):
    high = next(one for one in json.loads(told(capfdbinary, "--format", "json")) if one["id"] == "R9")
    assert high["parameters"] == {
        "ratio": "2.0",
        "fail_ratio": "4.0",
        "excess_m3": "5",
        "max_estimated": "0.5",
    }
    assert (high["severity"], high["cim"], high["stage"]) == ("warn", "3.6.5", "period")
