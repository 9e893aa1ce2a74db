"""Findings kept: what people made of them, who was told, how far the scan came.

::

    new --acknowledge--> acknowledged --confirm--> confirmed
     |                        |                        the verdict teaches how sure a class is
     +--------dismiss---------+------> dismissed

A stage that is kept never changes; a higher tier, the clearing and the outcome are added. At most one finding
of a class is open for a subject.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from metering.errors import InvalidValue
from metering.finding import Finding, Tier

__all__ = [
    "WAITS",
    "Feedback",
    "FindingState",
    "Findings",
    "Kept",
    "Mark",
    "Notice",
    "NoticeState",
    "Verdict",
    "Wanted",
]


WAITS = "the scan is not over"
"""Why nobody is told of a finding before all of the fleet was looked at."""


class FindingState(StrEnum):
    """What people made of a finding."""

    NEW = "new"
    """Nobody looked at it yet."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody sees to it."""
    CONFIRMED = "confirmed"
    """It was so."""
    DISMISSED = "dismissed"
    """It was not so, or is nothing to be told again."""


NEXT = {
    FindingState.NEW: (FindingState.ACKNOWLEDGED, FindingState.CONFIRMED, FindingState.DISMISSED),
    FindingState.ACKNOWLEDGED: (FindingState.CONFIRMED, FindingState.DISMISSED),
    FindingState.CONFIRMED: (FindingState.DISMISSED,),
    FindingState.DISMISSED: (FindingState.CONFIRMED,),
}
"""What a state may become; a verdict may be corrected, never taken back."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as it is kept.

    Attributes:
        id: number of the finding.
        finding: what was found.
        state: what people made of it.
        tenancy: contract whose tenancy it fell into when it was raised; empty if nobody's is known.
        muted: why nobody is told; empty if it is told.
        kept_at: UTC; when the scan first brought it.
    """

    id: int
    finding: Finding
    state: FindingState
    tenancy: str
    muted: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of a finding.

    Attributes:
        state: what it became.
        by: the operator.
        reason: why, in words; a dismissal has one.
        at: UTC.
    """

    state: FindingState
    by: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if self.state is FindingState.NEW:
            raise InvalidValue("a verdict acknowledges, confirms or dismisses")
        if not self.by.strip():
            raise InvalidValue("a verdict needs the name of the operator")
        if self.state is FindingState.DISMISSED and not self.reason.strip():
            raise InvalidValue("dismissing a finding needs a reason")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are asked for; what is not said does not matter.

    Attributes:
        tier: reached at least.
        family: class, ``leak``.
        state: what people made of it.
        is_open: not cleared yet, or cleared.
        subject: meter or district.
    """

    tier: Tier | None = None
    family: str = ""
    state: FindingState | None = None
    is_open: bool | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Verdicts on the findings of one class.

    Attributes:
        confirmed: how many were so.
        dismissed: how many were not.
    """

    confirmed: int
    dismissed: int

    @property
    def precision(self) -> float:
        """Share that was so, with one of each added: without verdicts a half."""
        return (self.confirmed + 1) / (self.confirmed + self.dismissed + 2)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the scan of one meter came.

    Attributes:
        version: of the detectors that judged it.
        readings: how many it was given.
        until: UTC; the newest reading it was given.
        arrived: UTC; when the newest arrival among them arrived.
        digest: checksum over all of them: late, mended and taken back ones change it.
    """

    version: str
    readings: int
    until: datetime
    arrived: datetime
    digest: str


class NoticeState(StrEnum):
    """What became of a notice."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told to one receiver.

    Attributes:
        key: unique; the receiver may tell repetitions by it.
        channel: ``smtp`` or ``webhook``.
        finding: number of the finding.
        tier: the tier that is told.
        state: what became of it.
        attempts: how often it was tried.
        next_at: UTC; not before.
        error: why the last attempt failed; empty if none did.
    """

    key: str
    channel: str
    finding: int
    tier: Tier
    state: NoticeState
    attempts: int
    next_at: datetime
    error: str = ""


class Findings(Protocol):
    """Findings, verdicts, notices and marks of the scan."""

    def keep(
        self, finding: Finding, at: datetime, *, tenancy: str = "", muted: str = ""
    ) -> tuple[Kept, Tier | None]:
        """Keep a finding, or add to the kept one it is; gives it and the tier it newly reached, if it did."""
        ...

    def close(self, number: int, cleared_at: datetime, outcome: Mapping[str, object]) -> None:
        """Clear an open finding the readings no longer show."""
        ...

    def finding(self, number: int) -> Kept | None:
        """Give one finding."""
        ...

    def of(self, subject: str) -> Sequence[Kept]:
        """Give all findings of a meter or district, the newest first."""
        ...

    def wanted(self, wanted: Wanted, *, offset: int = 0, limit: int = 50) -> tuple[Sequence[Kept], int]:
        """Give findings, the one raised last first, and how many there are in all."""
        ...

    def judge(self, number: int, verdict: Verdict) -> Kept:
        """Book a verdict.

        Raises:
            InvalidValue: no such finding, or it cannot become so.
        """
        ...

    def verdicts(self, number: int) -> Sequence[Verdict]:
        """Give what was said of a finding, in order."""
        ...

    def feedback(self) -> Mapping[str, Feedback]:
        """Give the last verdicts on findings by class."""
        ...

    def open_of(self, subjects: Collection[str]) -> Sequence[Kept]:
        """Give the open findings of some meters or districts."""
        ...

    def waiting(self, why: str, limit: int) -> Sequence[Kept]:
        """Give findings with this ``muted``: all for :data:`WAITS` (undecided), else open ones."""
        ...

    def settle(self, number: int, *, muted: str, tenancy: str) -> None:
        """Decide why nobody is told of a finding, empty if it is told, and whose it is."""
        ...

    def raised(self, family: str, since: datetime, until: datetime, limit: int) -> Sequence[Kept]:
        """Give the findings of a class first raised in ``since <= raised_at < until``."""
        ...

    def marks(self, meters: Collection[str]) -> Mapping[str, Mark]:
        """Tell how far the scan of some meters came; nothing for those never scanned."""
        ...

    def set_marks(self, marks: Mapping[str, Mark]) -> None:
        """Remember how far the scan of some meters came."""
        ...

    def ask(self, notices: Sequence[Notice]) -> int:
        """Have something told; each key once for ever. Gives how many were new."""
        ...

    def due(self, now: datetime, limit: int = 100) -> Sequence[Notice]:
        """Give notices that may be sent now, the oldest first."""
        ...

    def noted(self, notice: Notice) -> None:
        """Book what became of a notice."""
        ...

    def notices(self, finding: int) -> Sequence[Notice]:
        """Give whom a finding was told, by key."""
        ...
