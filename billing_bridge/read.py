"""The billing read: what one register used in one period, with everything it rests on.

::

    period     |------------------------------------------|
    meters     ======= old =======x======= new ============
    segments   [opening .. closing][opening .. closing]        index and quality at every end
    volume     floor(closing) - floor(opening), per meter, added up; sub-meters deducted

Indices are floored to the billing step, consumption never is: what is cut off at one end is there at the
next period's, so the volumes of periods that follow one another add up to the difference of the floored
indices, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import orjson

from billing_bridge.boundary import Boundary
from billing_bridge.period import Period
from billing_bridge.validate import Outcome, SubMeter
from metering.meter import MeterId
from metering.reading import Register

__all__ = ["BillingRead", "Deduction", "Edit", "ReadSegment", "Ruling", "Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose register is billed: a register of a service point outlives its meters."""

    tenant: str
    service_point: str
    register: Register = field(default_factory=lambda: Register("volume"))

    @property
    def key(self) -> str:
        """Stable text, safe between colons."""
        return f"{_quoted(self.tenant)}:{_quoted(f'{self.service_point}/{self.register.key}')}"


@dataclass(frozen=True, slots=True)
class ReadSegment:
    """One meter within the period.

    Attributes:
        meter: which.
        opening: its index at the start of the period or when it was installed.
        closing: its index at the end of the period or when it was removed.
        step_m3: billing step.
    """

    meter: MeterId
    opening: Boundary
    closing: Boundary
    step_m3: Decimal

    @property
    def volume_m3(self) -> Decimal:
        """Floored closing total minus floored opening total."""
        return self.closing.billed(self.step_m3) - self.opening.billed(self.step_m3)


@dataclass(frozen=True, slots=True)
class Deduction:
    """A sub-meter's volume that is taken off, or why it is not."""

    meter: MeterId
    volume_m3: Decimal
    accepted: bool
    reason: str = ""

    @classmethod
    def of(cls, sub: SubMeter, closing_day: date) -> Deduction:
        """Decide by the sub-meter's legalization on the day of the closing read."""
        if sub.legal_until is None:
            return cls(sub.meter, sub.volume_m3, accepted=False, reason="no legalization is on record")
        if sub.legal_until < closing_day:
            expired = f"the legalization expired on {sub.legal_until.isoformat()}"
            return cls(sub.meter, sub.volume_m3, accepted=False, reason=expired)
        return cls(sub.meter, sub.volume_m3, accepted=True)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Which of several ways of reading counts at an end of a period, and why.

    Attributes:
        at: the end, UTC.
        counts: the way that counts.
        why: one sentence.
        others: what the other ways said: ``customer 409.2 at 2026-07-30T18:00:00+00:00``.
    """

    at: datetime
    counts: str
    why: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person decided about it: by name, with the reason in their words.

    Attributes:
        action: accept, edit, estimate, agree.
        by: who.
        reason: why.
        at: UTC.
    """

    action: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BillingRead:
    """What is handed to billing for one register and period.

    Attributes:
        subject: whose.
        period: which.
        segments: the meters that hung there, in order; at least one.
        deductions: sub-meters.
        outcomes: what the rules said.
        revision: 1, then one more each time it is corrected.
        replaces: the revision that was handed over before and no longer counts; 0 = none was.
        rulings: where several ways of reading met.
        edits: what people decided about it.
    """

    subject: Subject
    period: Period
    segments: tuple[ReadSegment, ...]
    deductions: tuple[Deduction, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    revision: int = 1
    replaces: int = 0
    rulings: tuple[Ruling, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def key(self) -> str:
        """``br:utility:SP1%2Fvolume:2026-01-01..2026-02-01:1``: the same after any restore."""
        return f"br:{self.subject.key}:{_quoted(self.period.id)}:{self.revision}"

    @property
    def supersedes(self) -> str | None:
        """Key of the revision it takes the place of at the receiver."""
        return replace(self, revision=self.replaces).key if self.replaces else None

    @property
    def gross_m3(self) -> Decimal:
        """What passed the main meter, in whole billing steps."""
        return sum((one.volume_m3 for one in self.segments), Decimal(0))

    @property
    def volume_m3(self) -> Decimal:
        """Gross volume less the accepted deductions; never below zero."""
        deducted = sum((one.volume_m3 for one in self.deductions if one.accepted), Decimal(0))
        return max(self.gross_m3 - deducted, min(self.gross_m3, Decimal(0)))

    @property
    def actual(self) -> bool:
        """Whether every end was read."""
        return all(end.how.actual for one in self.segments for end in (one.opening, one.closing))

    @property
    def blocked(self) -> bool:
        """Whether a person must look before it is billed: a rule failed, or what was billed was too much."""
        return self.gross_m3 < 0 or any(one.blocks for one in self.outcomes)

    def deduct(self, subs: Sequence[SubMeter], closing_day: date) -> BillingRead:
        """Take sub-meters off, as far as their legalization allows."""
        return replace(self, deductions=tuple(Deduction.of(one, closing_day) for one in subs))

    def revised(self, now: BillingRead) -> BillingRead | None:
        """Give the revision that says what is known now; ``None`` if that is what this one says."""
        if self.content == now.content:
            return None
        return replace(now, revision=self.revision + 1, replaces=self.revision)

    @property
    def content(self) -> Mapping[str, Any]:
        """What it says, without who said it when: two reads of equal content bill alike."""
        return {
            "volume_m3": format(self.volume_m3, "f"),
            "gross_m3": format(self.gross_m3, "f"),
            "segments": [_segment(one) for one in self.segments],
            "deductions": [_deduction(one) for one in self.deductions],
        }

    def payload(self) -> bytes:
        """Give it as canonical JSON: the same read is the same bytes."""
        told = {
            "key": self.key,
            "supersedes": self.supersedes,
            "tenant": self.subject.tenant,
            "service_point": self.subject.service_point,
            "register": self.subject.register.key,
            "period": _period(self.period),
            "revision": self.revision,
            "rules": [_outcome(one) for one in self.outcomes],
            "rulings": [_ruling(one) for one in self.rulings],
            "edits": [_edit(one) for one in self.edits],
            **self.content,
        }
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

    def digest(self) -> bytes:
        """SHA-256 of :meth:`payload`."""
        return sha256(self.payload()).digest()


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe="")


def _period(period: Period) -> dict[str, str]:
    return {
        "id": period.id,
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "cause": period.cause.value,
    }


def _segment(one: ReadSegment) -> dict[str, Any]:
    return {
        "meter": str(one.meter),
        "opening": _boundary(one.opening, one.step_m3),
        "closing": _boundary(one.closing, one.step_m3),
        "volume_m3": format(one.volume_m3, "f"),
    }


def _boundary(one: Boundary, step: Decimal) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "index_m3": format(one.index, "f"),
        "billed_total_m3": format(one.billed(step), "f"),
        "how": one.how.value,
        "read_at": one.read_at.isoformat() if one.read_at else None,
        "method": one.method.value if one.method else None,
        "quality": one.cim.value,
        "espi": int(one.espi),
    }


def _deduction(one: Deduction) -> dict[str, Any]:
    return {
        "meter": str(one.meter),
        "volume_m3": format(one.volume_m3, "f"),
        "accepted": one.accepted,
        "reason": one.reason,
    }


def _outcome(one: Outcome) -> Any:
    """Give an outcome; those that say nothing of their own, as most do, are written once for all reads."""
    if not one.evidence:
        return _written(one.rule, one.verdict, one.severity, one.sentence, one.cim, one.espi)
    return _told(one)


@lru_cache(maxsize=1024)
def _written(*said: Any) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(_told(Outcome(*said)), option=orjson.OPT_SORT_KEYS))


def _told(one: Outcome) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "verdict": one.verdict.value,
        "severity": one.severity.value if one.severity else None,
        "sentence": one.sentence,
        "quality": one.cim.value if one.cim else None,
        "espi": int(one.espi) if one.espi is not None else None,
        "evidence": dict(one.evidence),
    }


def _ruling(one: Ruling) -> dict[str, Any]:
    return {"at": one.at.isoformat(), "counts": one.counts, "why": one.why, "others": list(one.others)}


def _edit(one: Edit) -> dict[str, Any]:
    return {"action": one.action, "reason": one.reason, "at": one.at.isoformat()}
