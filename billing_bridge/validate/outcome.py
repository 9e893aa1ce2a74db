"""What a rule says: it passed, it raised something, or why it did not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from billing_bridge.quality import Cim, Espi

__all__ = ["Evidence", "NotRun", "Outcome", "Passed", "Raised", "Result", "Severity", "Verdict"]

Evidence = Mapping[str, str]
"""Numbers and times as text: exact, and the same in JSON."""


class Severity(StrEnum):
    """What it means for the bill."""

    INFO = "info"
    """Told, changes nothing."""
    WARN = "warn"
    """Billable, and shown to a person."""
    FAIL = "fail"
    """Not billable without a person."""
    ESTIMATE = "estimate"
    """Something is missing: an estimate takes its place."""


class Verdict(StrEnum):
    """How a rule ended."""

    PASSED = "passed"
    RAISED = "raised"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing to say."""


@dataclass(frozen=True, slots=True)
class NotRun:
    """What the rule needs and has not got."""

    reason: str


@dataclass(frozen=True, slots=True)
class Raised:
    """What is wrong.

    Attributes:
        sentence: for the operator, in English.
        evidence: the numbers behind it.
        severity: where it differs from the rule's own.
        cim: likewise.
    """

    sentence: str
    evidence: Evidence = field(default_factory=dict)
    severity: Severity | None = None
    cim: Cim | None = None


Result = Passed | Raised | NotRun


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule on one thing.

    Attributes:
        rule: ``R9``.
        verdict: how it ended.
        severity: ``None`` unless it raised something.
        sentence: what is wrong, or why it did not run; empty if it passed.
        cim: IEC 61968-9 code; that of what was raised, else "validated"; ``None`` if it did not run.
        espi: ESPI quality, likewise.
        evidence: the numbers behind it.
    """

    rule: str
    verdict: Verdict
    severity: Severity | None = None
    sentence: str = ""
    cim: Cim | None = None
    espi: Espi | None = None
    evidence: Evidence = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether nothing may be billed on it without a person."""
        return self.severity is Severity.FAIL
