"""All detectors over many meters and a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from anomaly.batch import Batch
from anomaly.detector import DETECTORS, Detector
from anomaly.series import Series
from anomaly.sufficiency import Insufficiency
from metering.finding import Finding

__all__ = ["ScanResult", "scan"]

TOGETHER = 2_000_000
"""Readings of one batch: what side-by-side arrays of this size hold in memory."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan tells.

    Attributes:
        findings: by the time they were first raised, then by subject and name.
        insufficiencies: what was not judged, and why.
    """

    findings: tuple[Finding, ...]
    insufficiencies: tuple[Insufficiency, ...]


def scan(
    fleet: Iterable[Series],
    zone: ZoneInfo,
    now: int | None = None,
    detectors: Sequence[Detector] = DETECTORS,
) -> ScanResult:
    """Judge every meter; ``now`` is the clock, UTC seconds: readings after it are refused."""
    findings: list[Finding] = []
    lacking: list[Insufficiency] = []
    for together in _batches(fleet):
        batch = Batch.of(together, zone, now)
        lacking += [reason for reasons in batch.lacking for reason in reasons]
        for detector in detectors:
            findings += detector.inspect(batch.part(batch.fit_for(detector.blocked_by)))
    findings.sort(key=lambda finding: (finding.stages[0].raised_at, finding.subject, finding.name))
    return ScanResult(tuple(findings), tuple(lacking))


def _batches(fleet: Iterable[Series]) -> Iterator[list[Series]]:
    """Group meters of about the same length, so that side by side they waste no room."""
    together: list[Series] = []
    for series in sorted(fleet, key=len):
        if together and (len(together) + 1) * len(series) > TOGETHER:
            yield together
            together = []
        together.append(series)
    if together:
        yield together
