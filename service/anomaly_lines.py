"""Findings as lines for programs: the contract of ``nurt anomaly scan --format jsonl``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from anomaly.district_cases import DetectionLimit
from anomaly.sufficiency import Insufficiency
from anomaly.texts import sentence
from anomaly.water_balance import Balance
from metering.finding import Finding, Stage, Tier

__all__ = [
    "balance_line_of",
    "balance_text",
    "district_line_of",
    "flow_text",
    "lacking_lines",
    "limit_line_of",
    "limit_text",
    "line_of",
    "text_of",
    "told",
]

_SHOWN_METERS = 5
LEAST_LPS = 0.1


def told(findings: Iterable[Finding], tier: Tier) -> list[tuple[Finding, Stage]]:
    """Give the findings that reached a tier, each with the stage that did, by the time it did."""
    pairs = [(finding, stage) for finding in findings if (stage := finding.at_tier(tier))]
    return sorted(pairs, key=lambda pair: (pair[1].raised_at, pair[0].subject, pair[1].name))


def line_of(finding: Finding, stage: Stage, language: str, zone: ZoneInfo) -> dict[str, object]:
    """Give one finding as known when the stage was raised; only clearing and ``outcome`` came later."""
    return {
        "meter_id": finding.subject,
        "name": stage.name,
        "tier": stage.tier.value,
        "onset": _rfc3339(stage.onset),
        "raised_at": _rfc3339(stage.raised_at),
        "cleared_at": None if finding.cleared_at is None else _rfc3339(finding.cleared_at),
        "rate_lph": stage.rate_lph,
        "loss_l": stage.loss_l,
        "text": sentence(stage, language, zone),
        "evidence": {**stage.evidence, "outcome": _outcome(finding)},
    }


def district_line_of(finding: Finding, stage: Stage, language: str, zone: ZoneInfo) -> dict[str, object]:
    """Give a district's finding in the shape of a meter's; ``dma`` names it, ``meter_id`` repeats it."""
    return {"dma": finding.subject, **line_of(finding, stage, language, zone)}


def text_of(finding: Finding, stage: Stage, language: str, zone: ZoneInfo) -> str:
    """Give one finding as two lines for people; times are local."""
    raised = f"{stage.raised_at.astimezone(zone):%Y-%m-%d %H:%M}"
    state = f"{finding.cleared_at.astimezone(zone):%Y-%m-%d %H:%M}" if finding.cleared_at else "open"
    said = sentence(stage, language, zone)
    return f"{finding.subject}  {raised} -> {state}  {stage.tier}  {stage.name}\n    {said}\n"


def limit_line_of(limit: DetectionLimit) -> dict[str, object]:
    """Give a district's minimum detectable leak as data."""
    return {
        "dma": limit.dma,
        "at": _rfc3339(limit.at),
        "minimum_detectable_lps": round(limit.leak_lps, 3),
        "share_of_inflow": round(limit.leak_lps / limit.inflow_lps, 4) if limit.inflow_lps > 0 else None,
        "usual_inflow_lps": round(limit.inflow_lps, 3),
        "nights": 5,
        "asked_score": round(limit.asked, 2),
    }


def limit_text(limit: DetectionLimit) -> str:
    """Say it."""
    share = f" ({limit.leak_lps / limit.inflow_lps:.0%} of its inflow)" if limit.inflow_lps > 0 else ""
    return f"{limit.dma}: leaks from {flow_text(limit.leak_lps)}{share} show within five nights"


def flow_text(lps: float) -> str:
    """Say a flow in L/s, a small one in L/h."""
    return f"{lps:.2f} L/s" if lps >= LEAST_LPS else f"{lps * 3600:.0f} L/h"


def balance_line_of(balance: Balance) -> dict[str, object]:
    """Give a month of a district's water balance as data."""
    share = balance.losses_share
    return {
        "dma": balance.dma,
        "month": balance.month,
        "known_hours": balance.hours,
        "input_m3": round(balance.input_m3, 1),
        "consumption_m3": round(balance.consumption_m3, 1),
        "losses_m3": round(balance.losses_m3, 1),
        "losses_share": None if share is None else round(share, 4),
    }


def balance_text(balance: Balance) -> str:
    """Say it."""
    share = balance.losses_share
    losses = f"{balance.losses_m3:.0f} m3 lost" + ("" if share is None else f" ({share:.0%})")
    into, used = f"{balance.input_m3:.0f} m3 in", f"{balance.consumption_m3:.0f} m3 used"
    return f"{balance.dma}  {balance.month[:7]}  {into}, {used}, {losses} in {balance.hours} known hours"


def lacking_lines(insufficiencies: Iterable[Insufficiency], what: str = "meter") -> Iterator[str]:
    """Say for each reason how many meters lack it, and which."""
    meters: dict[str, list[str]] = defaultdict(list)
    for told_ in insufficiencies:
        meters[told_.reason].append(told_.meter)
    for reason, names in sorted(meters.items()):
        shown = ", ".join(names[:_SHOWN_METERS]) + (", ..." if len(names) > _SHOWN_METERS else "")
        yield f"not judged in full, {reason}: {len(names)} {what}(s): {shown}"


def _outcome(finding: Finding) -> dict[str, object]:
    stages = [{"tier": stage.tier.value, "at": _rfc3339(stage.raised_at)} for stage in finding.stages]
    return {**finding.outcome, "stages": stages}


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
