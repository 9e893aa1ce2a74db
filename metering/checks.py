"""What validation found between closings, how far it came, and what customers of a class usually use.

::

    states as they arrive ── R1-R6, R8 ──┐
    a day's intervals     ── I1-I5 ──────┴──> kept outcomes ──> closing, queue, evidence pack

Only what a rule raised is kept: everything up to a mark was asked, and what is not here passed. Asking the
same again keeps nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from metering.consumption import IndexPoint
from metering.meter import MeterId
from metering.reading import Register, Way

__all__ = ["Arrived", "CheckMark", "Checks", "ClassUsage", "Finding", "IntervalMark", "Moved"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule raised about a state or an interval.

    Attributes:
        meter: whose.
        register: key of the register.
        rule: ``R8``.
        at: of the state, or the begin of the interval, UTC.
        until: end of the interval, UTC; ``None`` = a state.
        value: the state, in the register's unit; ``None`` = an interval.
        severity: info, warn, fail or estimate.
        sentence: one sentence.
        cim: IEC 61968-9 code.
        espi: ESPI QualityOfReading.
        evidence: the numbers behind it, JSON.
        found_at: UTC.
    """

    meter: MeterId
    register: str
    rule: str
    at: datetime
    until: datetime | None
    value: Decimal | None
    severity: str
    sentence: str
    cim: str
    espi: int
    evidence: bytes
    found_at: datetime


@dataclass(frozen=True, slots=True)
class CheckMark:
    """How far the states of a meter were judged.

    Attributes:
        meter: whose.
        newest: time of the newest state when it was last looked at, UTC.
        arrived: newest arrival among the states that were judged, UTC.
        swept: the same of the last look at all that is late, however old.
        judged: states judged so far.
        accepted: the last state nothing speaks against; ``None`` = there is none yet.
        doubted: the last one something speaks against since then; ``None`` = there is none.
        doubts: how many doubted ones in a row agree with one another.
        raised: states something was raised about so far.
    """

    meter: MeterId
    newest: datetime
    arrived: datetime
    swept: datetime
    judged: int = 0
    accepted: IndexPoint | None = None
    doubted: IndexPoint | None = None
    doubts: int = 0
    raised: int = 0


@dataclass(frozen=True, slots=True)
class IntervalMark:
    """How far the intervals of a meter were judged.

    Attributes:
        meter: whose.
        step: ``hour`` or ``day``, by how closely it is read; empty = too seldom for intervals.
        until: up to when, UTC.
    """

    meter: MeterId
    step: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """A state that came, with the one before it in time.

    Attributes:
        at: when it was read, UTC.
        value: in ``unit``.
        unit: as told.
        received_at: UTC.
        believed: whether the protocol says nothing against it.
        before: the state before it in time of the same kind; ``None`` = it is the first one looked at.
    """

    at: datetime
    value: Decimal
    unit: str
    received_at: datetime
    believed: bool
    before: IndexPoint | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A meter of which something new came, or nothing was looked at yet.

    Attributes:
        number: order in which they are given.
        meter: whose.
        newest: time of its newest state, UTC.
        mark: how far it was judged; ``None`` = never.
    """

    number: int
    meter: MeterId
    newest: datetime
    mark: CheckMark | None


@dataclass(frozen=True, slots=True)
class ClassUsage:
    """What customers of a class used.

    Attributes:
        customer_class: name; empty = everybody without one.
        until: end of the periods it was taken from, UTC.
        m3_per_day: median of the average daily usages.
        points: how many they were.
    """

    customer_class: str
    until: datetime
    m3_per_day: Decimal
    points: int


class Checks(Protocol):
    """What validation keeps."""

    def moved(self, register: Register, after: int, limit: int, *, everything: bool) -> Sequence[Moved]:
        """Give installed meters behind number ``after`` of which something newer came since their mark.

        Args:
            register: what is billed.
            after: number of the last one that was given; 0 = from the beginning.
            limit: how many at most.
            everything: all installed meters that ever sent it, whether anything newer came or not.
        """
        ...

    def arrived(
        self, meters: Mapping[MeterId, datetime], register: Register, since: datetime
    ) -> Mapping[MeterId, Sequence[Arrived]]:
        """Give states that came after a moment of arrival, per meter, read from ``since`` on; by time."""
        ...

    def marks(self, meters: Collection[MeterId]) -> Mapping[MeterId, CheckMark]:
        """Give how far meters were judged; nothing for those that never were."""
        ...

    def put_marks(self, marks: Sequence[CheckMark]) -> None:
        """Remember how far meters were judged."""
        ...

    def interval_marks(self, meters: Collection[MeterId]) -> Mapping[MeterId, IntervalMark]:
        """Give how far the intervals of meters were judged; nothing for those that never were."""
        ...

    def put_interval_marks(self, marks: Sequence[IntervalMark]) -> None:
        """Remember how far the intervals of meters were judged."""
        ...

    def keep(self, findings: Sequence[Finding]) -> int:
        """Keep what was raised, the same once. Gives how many were new."""
        ...

    def clear(
        self, meters: Collection[MeterId], rules: Collection[str], since: datetime, until: datetime
    ) -> int:
        """Forget what rules raised about ``since <= at < until``: it is asked anew. Gives how many went."""
        ...

    def found(
        self, meters: Collection[MeterId], since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[Finding]]:
        """Give what was raised about ``since <= at <= until``, by time and rule."""
        ...

    def page(
        self, *, meters: Collection[MeterId] = (), rule: str = "", before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, Finding]]:
        """Give what was raised, newest first, each with its number; ``before`` is one to page on."""
        ...

    def counts(self, since: datetime) -> Mapping[tuple[str, str], int]:
        """Count what was found since, by rule and severity."""
        ...

    def values(
        self, meters: Collection[MeterId], register: Register, since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[tuple[datetime, Decimal]]]:
        """Give the values of any register, ``since <= t <= until``, by time."""
        ...

    def ways(
        self, meters: Collection[MeterId], register: Register, since: datetime, until: datetime
    ) -> Mapping[MeterId, Mapping[datetime, Way]]:
        """Give which states did not come by radio, ``since <= t <= until``."""
        ...

    def put_usage(self, usage: Sequence[ClassUsage]) -> None:
        """Remember what classes use; the same class and end replaces."""
        ...

    def usage(self, before: datetime) -> Mapping[str, ClassUsage]:
        """Give the newest usage of each class of periods that ended up to a moment."""
        ...

    def daily_usages(self, since: datetime, until: datetime) -> Mapping[str, Sequence[Decimal]]:
        """Give average daily usages of billed, read periods with ``since < end <= until`` by class, m3."""
        ...

    def billed_since(self, number: int, limit: int) -> Sequence[tuple[int, str, datetime]]:
        """Give billed reads behind a number: number, service point, end of the period."""
        ...
