"""Findings for programs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from metering.finding import Stage, Tier
from metering.findings import FindingState, Verdict
from service.web.finding_views import FindingView

__all__ = ["FindingOut", "FindingPage", "StageOut", "VerdictIn", "VerdictOut"]


class StageOut(BaseModel):
    """What was known when a tier was reached; it never changes."""

    tier: Tier
    name: str = Field(description="qualified name, `leak.continuous`")
    raised_at: datetime
    onset: datetime
    rate_lph: float | None = Field(description="estimated rate, L/h")
    loss_l: float | None = Field(description="estimated litres from onset to raised_at")
    evidence: dict[str, Any]

    @classmethod
    def of(cls, stage: Stage) -> StageOut:
        """Say a stage."""
        return cls(
            tier=stage.tier,
            name=stage.name,
            raised_at=stage.raised_at,
            onset=stage.onset,
            rate_lph=stage.rate_lph,
            loss_l=stage.loss_l,
            evidence=dict(stage.evidence),
        )


class FindingOut(BaseModel):
    """A finding: one event at one meter or district."""

    id: int
    subject: str = Field(description="meter or district")
    name: str
    tier: Tier = Field(description="highest tier reached")
    text: str = Field(description="one sentence for people")
    state: FindingState = Field(description="what people made of it")
    tenancy: str = Field(description="contract it fell to when it was raised; empty if none is known")
    muted: str = Field(description="why nobody was told; empty if it was told")
    cleared_at: datetime | None = Field(description="null while it is open")
    lost_l: int | None = Field(description="estimated litres lost so far")
    lost_money: Decimal | None = Field(description="what they cost; null where no price is set")
    currency: str
    stages: list[StageOut]
    outcome: dict[str, Any]

    @classmethod
    def of(cls, view: FindingView) -> FindingOut:
        """Say a finding."""
        kept, loss = view.kept, view.loss
        return cls(
            id=kept.id,
            subject=kept.finding.subject,
            name=kept.finding.name,
            tier=kept.finding.tier,
            text=view.said,
            state=kept.state,
            tenancy=kept.tenancy,
            muted=kept.muted,
            cleared_at=kept.finding.cleared_at,
            lost_l=loss.litres if loss else None,
            lost_money=loss.money if loss else None,
            currency=loss.currency if loss else "",
            stages=[StageOut.of(stage) for stage in kept.finding.stages],
            outcome=dict(kept.finding.outcome),
        )


class FindingPage(BaseModel):
    """A page of findings, the one raised last first."""

    findings: list[FindingOut]
    total: int


class VerdictIn(BaseModel):
    """What an operator says of a finding."""

    state: FindingState = Field(description="acknowledged, confirmed or dismissed")
    by: str = Field(min_length=1, max_length=100, description="the operator")
    reason: str = Field("", max_length=1000, description="why; a dismissal needs one")


class VerdictOut(BaseModel):
    """A verdict that was booked."""

    state: FindingState
    by: str
    reason: str
    at: datetime

    @classmethod
    def of(cls, verdict: Verdict) -> VerdictOut:
        """Say a verdict."""
        return cls(state=verdict.state, by=verdict.by, reason=verdict.reason, at=verdict.at)
