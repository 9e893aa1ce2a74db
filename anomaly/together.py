"""Many meters at once are one event: a gateway, a main, a decoder or a storm, not many leaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomaly.local_time import HOUR
from anomaly.telling import moment
from metering.finding import Finding, Stage, Tier

__all__ = ["Together", "together"]

FEWEST = 5
SHARE = 0.05
"""Share of the fleet whose findings of one class within an hour are one event."""
SHOWN = 50
SUBJECT = "fleet"


@dataclass(frozen=True, slots=True)
class Together:
    """Findings that are one event.

    Attributes:
        event: what to tell instead of them.
        members: the findings it stands for.
    """

    event: Finding
    members: tuple[Finding, ...]


def together(findings: Iterable[Finding], fleet: int) -> Sequence[Together]:
    """Put findings of one class that began to show in the same hour together, where they are many."""
    groups: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.family, int(finding.stages[0].raised_at.timestamp()) // HOUR].append(finding)
    enough = max(FEWEST, SHARE * fleet)
    return [
        Together(_event(family, group), tuple(group))
        for (family, _), group in sorted(groups.items())
        if len({one.subject for one in group}) >= enough
    ]


def _event(family: str, group: Sequence[Finding]) -> Finding:
    first = [finding.stages[0] for finding in group]
    raised = max(stage.raised_at for stage in first)
    meters = sorted({finding.subject for finding in group})
    evidence = {"class": family, "count": len(meters), "meters": meters[:SHOWN]}
    onset = min(stage.onset for stage in first)
    stage = Stage(Tier.NOTIFY, "together.many", raised, min(onset, raised), evidence=evidence)
    over = moment(int(raised.timestamp()))
    return Finding(f"{SUBJECT}/{family}", (stage,), over)
