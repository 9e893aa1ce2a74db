"""Billing reads as they are kept, the one queue of exceptions, and who decided what.

::

    taken ──> billed            in the outbox, from the same transaction on
       │ ───> held              a person must look: an exception is open
       └────> proposed          a correction of what was billed, until a person takes it
    held, proposed ──> billed | rejected          a new revision may stand beside it

Raw values stay as they are; what a person edits is a new revision beside the old one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from metering.consumption import IndexPoint
from metering.meter import Installation, MeterId, ServicePoint
from metering.reading import Register

__all__ = [
    "BillingBook",
    "Decision",
    "ExceptionKind",
    "ExceptionState",
    "KeptRead",
    "NewException",
    "OpenException",
    "ReadState",
]


class ReadState(StrEnum):
    """What became of a billing read."""

    BILLED = "billed"
    HELD = "held"
    PROPOSED = "proposed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class KeptRead:
    """A billing read as it is kept.

    Attributes:
        key: ``br:...``, one for ever.
        tenant: the utility.
        service_point: where.
        register: key of the register.
        period: id of the period.
        starts: of the period, UTC.
        ends: of the period, UTC, exclusive.
        cause: why the period ends.
        revision: 1, then one more for each correction.
        state: what became of it.
        contract: who is billed; ``None`` = nobody, or tenancies are not kept here.
        volume_m3: billed volume, exact.
        actual: whether every end was read.
        record: everything it says, as the bridge writes it.
        taken_at: UTC.
        by: who or what took it.
    """

    key: str
    tenant: str
    service_point: str
    register: str
    period: str
    starts: datetime
    ends: datetime
    cause: str
    revision: int
    state: ReadState
    contract: str | None
    volume_m3: Decimal
    actual: bool
    record: bytes
    taken_at: datetime
    by: str


class ExceptionKind(StrEnum):
    """Why a person must look."""

    RULE = "rule"
    """A rule failed."""
    UNBILLABLE = "unbillable"
    """No read could be taken."""
    CORRECTION = "correction"
    """What was billed would be billed differently by what is known now."""
    CONTRADICTION = "contradiction"
    """Two ways of reading say different things."""
    RECONCILIATION = "reconciliation"
    """Chart, bill, meter or billing system do not agree."""


class ExceptionState(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    SECOND = "second"
    """Edited by one person; above the limit another one must agree."""
    READER = "reader"
    """Somebody goes and looks."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ESTIMATED = "estimated"
    CORRECTED = "corrected"
    GONE = "gone"
    """It does not arise any more."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self not in {ExceptionState.OPEN, ExceptionState.SECOND, ExceptionState.READER}


@dataclass(frozen=True, slots=True)
class NewException:
    """A question for a person.

    Attributes:
        service_point: where.
        register: key of the register.
        period: id of the period.
        starts: of the period, UTC.
        ends: of the period, UTC.
        kind: why.
        sentence: one sentence.
        evidence: JSON.
        read: key of the billing read it is about, if there is one.
    """

    service_point: str
    register: str
    period: str
    starts: datetime
    ends: datetime
    kind: ExceptionKind
    sentence: str
    evidence: bytes = b"{}"
    read: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person did about a question.

    Attributes:
        action: accept, reject, edit, agree, estimate, reader, gone.
        by: who.
        reason: why, in their words.
        at: UTC.
        said: before and after, JSON.
    """

    action: str
    by: str
    reason: str
    at: datetime
    said: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class OpenException:
    """A question as it is kept.

    Attributes:
        number: its own.
        about: what it asks.
        state: where it stands.
        opened_at: UTC.
        settled_at: UTC; ``None`` = it is open.
        decisions: what was done about it, by time.
    """

    number: int
    about: NewException
    state: ExceptionState
    opened_at: datetime
    settled_at: datetime | None = None
    decisions: Sequence[Decision] = ()


class BillingBook(Protocol):
    """Billing reads, questions about them, and what they are taken from."""

    def routes(self) -> Sequence[str]:
        """Give the reading routes of service points with meters, by name; empty for those without route."""
        ...

    def service_points(
        self, *, route: str | None = None, after: str = "", limit: int = 500
    ) -> Sequence[ServicePoint]:
        """Give service points where a meter hangs or hung, by id, behind ``after``."""
        ...

    def count_service_points(self, *, route: str | None = None) -> int:
        """Count them."""
        ...

    def installed_at(self, service_points: Collection[str]) -> Mapping[str, Sequence[Installation]]:
        """Give which meters hang and hung at service points, by begin."""
        ...

    def index_points(
        self,
        meters: Collection[MeterId],
        register: Register,
        since: datetime,
        until: datetime,
        *,
        days: Sequence[datetime] = (),
    ) -> Mapping[MeterId, Sequence[IndexPoint]]:
        """Give the readings of a register in m3 of many meters, ``since <= t <= until``, by time.

        Those the meter itself marked as wrong are left out. When one arrived is said only if that was before
        its own time, so that its time is wrong.

        Args:
            meters: whose.
            register: which.
            since: UTC.
            until: UTC.
            days: if given, only the first and the last of each day; beginnings of days, UTC, rising, each
                day ending where the next one begins.
        """
        ...

    def add_reads(self, reads: Sequence[KeptRead]) -> set[str]:
        """Keep billing reads, each key once; gives the keys that were new."""
        ...

    def set_state(
        self, key: str, before: Collection[ReadState], after: ReadState, record: bytes | None = None
    ) -> bool:
        """Change what became of a read, with what a person decided in its record if one is given.

        Gives whether it was one of ``before``.
        """
        ...

    def read(self, key: str) -> KeptRead | None:
        """Give one billing read."""
        ...

    def reads_at(
        self, service_points: Collection[str], since: datetime, until: datetime
    ) -> Mapping[str, Sequence[KeptRead]]:
        """Give reads of service points whose period ends within ``since < end <= until``.

        By end, then revision; rejected ones too.
        """
        ...

    def reads_ending(
        self, since: datetime, until: datetime, *, after: str = "", limit: int = 1000
    ) -> Sequence[KeptRead]:
        """Give reads whose period ends within ``since < end <= until``, by key, behind ``after``."""
        ...

    def counts(self, since: datetime, until: datetime) -> Mapping[tuple[str, str, ReadState], int]:
        """Count newest revisions by route, period and state, of periods with ``since < end <= until``."""
        ...

    def ask(self, questions: Sequence[NewException], now: datetime) -> int:
        """Open questions; one that is open already stays one. Gives how many were new."""
        ...

    def exception(self, number: int) -> OpenException | None:
        """Give one question with its decisions."""
        ...

    def exceptions(
        self,
        states: Collection[ExceptionState],
        *,
        service_point: str | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> Sequence[OpenException]:
        """Give questions by number, behind ``after``, each with its decisions."""
        ...

    def questions_at(self, service_points: Collection[str]) -> Sequence[OpenException]:
        """Give the questions about service points that are not settled, by number."""
        ...

    def count_exceptions(self) -> Mapping[tuple[ExceptionKind, ExceptionState], int]:
        """Count questions that are not settled."""
        ...

    def decide(self, number: int, decision: Decision, state: ExceptionState) -> bool:
        """Record a decision and where the question stands after it. Gives whether it was open."""
        ...

    def decisions_on(self, read_prefix: str) -> Sequence[tuple[int, Decision]]:
        """Give decisions on questions about reads whose key begins so, by time, each with its question."""
        ...
