"""A day's budget of findings that are told: filled by expected loss times how often the class was right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from metering.finding import Finding, Tier
from metering.findings import WAITS, Feedback, Kept
from metering.ports import Transaction
from service.anomaly_settings import AnomalySettings

__all__ = ["MANY", "REASONS", "SILENT", "SPENT", "TIRESOME", "Budget"]

FEWEST_VERDICTS = 10
"""Verdicts on a class from which they count."""
LEAST_PRECISION = 0.2
"""A class that was right less often is kept and shown, and told to nobody."""
HORIZON_H = 24 * 30
"""Hours a flow would run on unseen."""
UNKNOWN_LPH = 1.0
"""Worth of a finding without a flow, as if so much were lost."""


MARK = "anomaly.told"
"""How many were told on the last day that something was."""
SPENT = "budget of the day"
TIRESOME = "dismissed too often"
MANY = "many at once"
SILENT = "its gateway is silent"
REASONS = (WAITS, SPENT, TIRESOME, MANY, SILENT)
"""Why nobody is told of a finding."""


@dataclass(slots=True)
class Budget:
    """What may still be told today.

    Attributes:
        left: by tier.
        feedback: verdicts by class.
        day: local date.
        told: today, by tier.
    """

    left: dict[Tier, int]
    feedback: Mapping[str, Feedback] = field(default_factory=dict)
    day: str = ""
    told: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, tx: Transaction, settings: AnomalySettings, now: datetime, zone: ZoneInfo) -> Budget:
        """Take what the settings allow less what was told since local midnight."""
        day = now.astimezone(zone).date().isoformat()
        booked = json.loads(tx.upkeep.mark(MARK) or "{}")
        told: Counter[str] = Counter(booked.get("told", {}) if booked.get("day") == day else {})
        allowed = {Tier.NOTIFY: settings.notify_per_day, Tier.DISPATCH: settings.dispatch_per_day}
        left = {tier: most - told[tier] for tier, most in allowed.items()}
        return cls(left, tx.findings.feedback(), day, told)

    def book(self, tx: Transaction) -> None:
        """Remember what was told today."""
        tx.upkeep.set_mark(MARK, json.dumps({"day": self.day, "told": self.told}))

    def worth(self, finding: Finding) -> float:
        """Expected litres lost over a month, times how often its class was right."""
        stage = finding.stages[-1]
        rate = stage.rate_lph or UNKNOWN_LPH
        return (stage.loss_l or 0.0) + rate * HORIZON_H * self._precision(finding.family)

    def refuses(self, finding: Finding) -> str:
        """Say why a finding is not told; empty if it may be."""
        known = self.feedback.get(finding.family)
        if (
            known
            and known.confirmed + known.dismissed >= FEWEST_VERDICTS
            and known.precision < LEAST_PRECISION
        ):
            return TIRESOME
        if finding.cleared_at is None and self.left.get(finding.tier, 1) <= 0:
            return SPENT
        return ""

    def spend(self, kept: Kept, tier: Tier) -> None:
        """Count a finding that is told."""
        if not kept.muted and tier in self.left and kept.finding.cleared_at is None:
            self.left[tier] -= 1
            self.told[tier.value] += 1

    def _precision(self, family: str) -> float:
        known = self.feedback.get(family)
        return known.precision if known else 0.5
