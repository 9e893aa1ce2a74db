"""All detectors over many meters and a period.

::

    fleet --> parts of some meters --> scan_part (anywhere, any order) --> put_together --> findings

A part carries what per-meter detectors found and what fleet detectors gathered; the findings are the same
however the fleet is parted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from anomaly.batch import Batch
from anomaly.detector import DETECTORS, Detector, FleetDetector
from anomaly.series import Series
from anomaly.sufficiency import Insufficiency
from metering.finding import Finding

__all__ = ["ScanPart", "ScanResult", "parts_of", "put_together", "scan", "scan_part"]

TOGETHER = 2_000_000
"""Readings of one batch: what side-by-side arrays of this size hold in memory."""

Detectors = Sequence[Detector | FleetDetector]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan tells.

    Attributes:
        findings: by the time they were first raised, then by subject and name.
        insufficiencies: what was not judged, and why; by meter.
    """

    findings: tuple[Finding, ...]
    insufficiencies: tuple[Insufficiency, ...]


@dataclass(frozen=True, slots=True)
class ScanPart:
    """What a scan of some meters came to.

    Attributes:
        findings: of the detectors that judge meters one by one.
        insufficiencies: of these meters.
        gathered: of each fleet detector, in their order.
    """

    findings: tuple[Finding, ...]
    insufficiencies: tuple[Insufficiency, ...]
    gathered: tuple[Any, ...]


def scan(
    fleet: Iterable[Series],
    zone: ZoneInfo,
    now: int | None = None,
    detectors: Detectors = DETECTORS,
) -> ScanResult:
    """Judge every meter; ``now`` is the clock, UTC seconds: readings after it are refused."""
    parts = (scan_part(part, zone, now, detectors) for part in parts_of(fleet))
    return put_together(parts, detectors)


def scan_part(
    part: Sequence[Series], zone: ZoneInfo, now: int | None = None, detectors: Detectors = DETECTORS
) -> ScanPart:
    """Judge some meters, and gather of them what fleet detectors need."""
    batch = Batch.of(part, zone, now)
    findings: list[Finding] = []
    gathered: list[Any] = []
    for detector in detectors:
        fit = batch.part(batch.fit_for(detector.blocked_by))
        if isinstance(detector, FleetDetector):
            gathered.append(detector.gather(fit))
        else:
            findings += detector.inspect(fit)
    lacking = tuple(reason for reasons in batch.lacking for reason in reasons)
    return ScanPart(tuple(findings), lacking, tuple(gathered))


def put_together(parts: Iterable[ScanPart], detectors: Detectors = DETECTORS) -> ScanResult:
    """Let fleet detectors conclude, and put all findings in order."""
    known = list(parts)
    findings = [finding for part in known for finding in part.findings]
    of_fleets = [detector for detector in detectors if isinstance(detector, FleetDetector)]
    for place, detector in enumerate(of_fleets):
        findings += detector.conclude([part.gathered[place] for part in known])
    findings.sort(key=lambda finding: (finding.stages[0].raised_at, finding.subject, finding.name))
    lacking = sorted(
        (reason for part in known for reason in part.insufficiencies),
        key=lambda told: (told.meter, told.reason),
    )
    return ScanResult(tuple(findings), tuple(lacking))


def parts_of(fleet: Iterable[Series], readings: int = TOGETHER) -> Iterator[list[Series]]:
    """Group meters of about the same length, so that side by side they waste no room."""
    together: list[Series] = []
    for series in sorted(fleet, key=len):
        if together and (len(together) + 1) * len(series) > readings:
            yield together
            together = []
        together.append(series)
    if together:
        yield together
