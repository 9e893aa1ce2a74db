"""One way to make a finding of one stage; seconds become moments here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from metering.finding import Evidence, Finding, Stage, Tier

__all__ = ["Told", "moment", "stage", "tell"]


class Told(Protocol):
    """Something that happened at a time and could be known at another, UTC seconds."""

    @property
    def at(self) -> int:
        """When it happened."""

    @property
    def known_at(self) -> int:
        """When the readings showed it."""


def moment(seconds: int) -> datetime:
    """Give UTC seconds as a moment."""
    return datetime.fromtimestamp(int(seconds), UTC)


def stage(tier: Tier, name: str, raised: int, onset: int, evidence: Evidence) -> Stage:
    """Say what was known when a tier was reached."""
    return Stage(tier, name, moment(raised), moment(min(onset, raised)), evidence=evidence)


def tell(  # noqa: PLR0913  what a finding of one stage is made of
    subject: str,
    tier: Tier,
    name: str,
    event: Told,
    evidence: Evidence,
    *,
    onset: int | None = None,
    raised: int | None = None,
    cleared: int | None = None,
) -> Finding:
    """Make a finding of one stage; something that is over when it is known is cleared at once."""
    began = event.at if onset is None else onset
    said = stage(tier, name, event.known_at if raised is None else raised, began, evidence)
    return Finding(subject, (said,), None if cleared is None else moment(cleared))
