"""Who looked at what, and what customers agreed to: kept, never changed, deleted only by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["HOURLY", "Access", "Consent", "Look"]

HOURLY = "hourly"
"""Consent to hourly values: they show when somebody is at home."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a contract's holder agreed to, or took back.

    Attributes:
        contract: number.
        kind: :data:`HOURLY`.
        given: whether it was given; else it was taken back.
        at: UTC.
        by: the way it came: name of the portal, ``page``, ``staff``.
        text: version of the text that was agreed to.
    """

    contract: str
    kind: str
    given: bool
    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody was shown a customer's consumption.

    Attributes:
        contract: number.
        service_point: where.
        at: UTC.
        by: name of the portal whose token it was.
        what: ``page``, ``json``, ``csv``, ``green button``, ``state``.
        since: begin of what was shown, UTC.
        until: end of it, UTC.
        step: resolution: ``hour``, ``day``, ``month``; empty if nothing like it.
    """

    contract: str
    service_point: str
    at: datetime
    by: str
    what: str
    since: datetime
    until: datetime
    step: str


class Access(Protocol):
    """Consents and looks."""

    def add_consent(self, consent: Consent) -> None:
        """Record a consent or its withdrawal."""
        ...

    def consents(self, contract: str) -> Sequence[Consent]:
        """Give what was agreed to and taken back, by time."""
        ...

    def agreed(self, contract: str, kind: str) -> bool:
        """Say whether the last word was yes."""
        ...

    def add_look(self, look: Look) -> None:
        """Record a look."""
        ...

    def looks(self, contract: str, *, limit: int = 100) -> Sequence[Look]:
        """Give the newest looks at a contract, the newest first."""
        ...

    def forget_looks(self, before: datetime) -> int:
        """Delete looks from before a moment; gives how many."""
        ...
