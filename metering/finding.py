"""A finding: something worth telling about one meter or district, with its evidence.

::

    Finding  leak of MT-0042                    one event, from onset to clearing
    ├── Stage  suspect   raised_at 02:00        what was known when it first mattered: kept, not told
    ├── Stage  notify    raised_at 11:00        what was known when it was worth telling somebody
    └── Stage  dispatch  raised_at 19:00        what was known when it was worth sending somebody

A stage never changes once it is reached: its numbers are those of the reading that raised it. Only the
clearing, and what the event came to by then (``outcome``), are added later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from metering.errors import InvalidValue

__all__ = ["Evidence", "Finding", "Stage", "Tier"]

Evidence = Mapping[str, object]
"""Numbers, texts and lists that show it; JSON-able."""


class Tier(StrEnum):
    """Who should hear of it."""

    SUSPECT = "suspect"
    """Nobody yet: kept, and shown to who looks."""
    NOTIFY = "notify"
    """The customer or the operator."""
    DISPATCH = "dispatch"
    """A crew: worth somebody's way."""

    @property
    def rank(self) -> int:
        """0, 1, 2: a higher tier is raised on more evidence."""
        return list(Tier).index(self)


@dataclass(frozen=True, slots=True)
class Stage:
    """What was known when a finding reached a tier; nothing that came later.

    Attributes:
        tier: the tier it reached.
        name: qualified name, ``leak.continuous``; the part before the dot is the class.
        raised_at: UTC; time of the reading that raised it.
        onset: UTC; when it probably began.
        rate_lph: estimated rate in L/h, if it has one.
        loss_l: estimated litres from onset to ``raised_at``, if it has one.
        evidence: the numbers behind it.
    """

    tier: Tier
    name: str
    raised_at: datetime
    onset: datetime
    rate_lph: float | None = None
    loss_l: float | None = None
    evidence: Evidence = field(default_factory=dict)

    def __post_init__(self) -> None:
        for moment in (self.raised_at, self.onset):
            if moment.tzinfo is None:
                raise InvalidValue(f"time {moment.isoformat()} has no zone; times here are UTC and say so")


@dataclass(frozen=True, slots=True)
class Finding:
    """One event at one meter or district. At most one of a class is open at a time.

    Attributes:
        subject: meter id or district id, as the readings name it.
        stages: in the order they were reached, tiers rising; at least one.
        cleared_at: UTC; time of the reading that closed it; ``None`` while open.
        outcome: what it came to later: last tier, litres lost in all, how often it came back.
    """

    subject: str
    stages: tuple[Stage, ...]
    cleared_at: datetime | None = None
    outcome: Evidence = field(default_factory=dict)

    def __post_init__(self) -> None:
        ranks = [stage.tier.rank for stage in self.stages]
        if not ranks or ranks != sorted(set(ranks)):
            raise InvalidValue("a finding has at least one stage, and its tiers rise")

    @property
    def name(self) -> str:
        """Qualified name as last known."""
        return self.stages[-1].name

    @property
    def family(self) -> str:
        """The class: one open finding per subject and class."""
        return self.name.partition(".")[0]

    @property
    def tier(self) -> Tier:
        """Highest tier reached."""
        return self.stages[-1].tier

    def at_tier(self, tier: Tier) -> Stage | None:
        """Give the stage that first reached this tier or went past it; ``None`` if none did."""
        return next((stage for stage in self.stages if stage.tier.rank >= tier.rank), None)
