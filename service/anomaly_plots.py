"""Evidence plots of findings, one SVG file each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from anomaly.plot import evidence_plot
from anomaly.series import Series
from metering.errors import InvalidValue
from metering.finding import Finding, Stage

__all__ = ["write_plots"]


def write_plots(
    folder: Path,
    told: Iterable[tuple[Finding, Stage]],
    fleet: Mapping[str, Series],
    zone: ZoneInfo,
    language: str,
) -> int:
    """Write ``2016-07-18-D007-burst.high_flow.svg`` for each finding of a meter; give how many.

    Findings of a gateway have no index and no plot.

    Raises:
        InvalidValue: the folder cannot be written to.
    """
    written: set[str] = set()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for finding, stage in told:
            if finding.subject in fleet:
                name = _unused(_name(finding, stage), written)
                svg = evidence_plot(finding, fleet[finding.subject], zone, language)
                (folder / name).write_text(svg, encoding="utf-8")
    except OSError as wrong:
        raise InvalidValue(f"plots cannot be written to {folder}: {wrong.strerror or wrong}") from wrong
    return len(written)


def _name(finding: Finding, stage: Stage) -> str:
    meter = re.sub(r"[^0-9A-Za-z._-]+", "_", finding.subject)[:60]
    return f"{stage.raised_at:%Y-%m-%d}-{meter}-{stage.name}"


def _unused(name: str, written: set[str]) -> str:
    number, file = 1, f"{name}.svg"
    while file in written:
        number += 1
        file = f"{name}-{number}.svg"
    written.add(file)
    return file
