"""Reading orders: somebody is to go and read a dial by a day.

::

    open ──a visit comes in──> read
       │───nobody is needed──> withdrawn       by name, with a reason
       └───the day passes────> open, overdue   the period waits, or is estimated: a setting

At most one order is open for a service point.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

__all__ = ["NewOrder", "OrderState", "Orders", "ReadingOrder"]


class OrderState(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    READ = "read"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What is asked of a reader.

    Attributes:
        service_point: where.
        due: last local day.
        reason: why, for the reader; one sentence.
        by: who orders; ``nurt`` = a rule.
        question: number of the question it is to answer; ``None`` = none.
    """

    service_point: str
    due: date
    reason: str
    by: str
    question: int | None = None


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """An order as it is kept.

    Attributes:
        number: its own.
        about: what is asked.
        state: where it stands.
        ordered_at: UTC.
        settled_at: UTC; ``None`` = it is open.
        settled_by: reader, or who withdrew it.
        outcome: what was found, or why it was withdrawn.
    """

    number: int
    about: NewOrder
    state: OrderState
    ordered_at: datetime
    settled_at: datetime | None = None
    settled_by: str = ""
    outcome: str = ""

    def overdue(self, today: date) -> bool:
        """Whether its day passed and nobody came."""
        return self.state is OrderState.OPEN and today > self.about.due


class Orders(Protocol):
    """Orders to readers."""

    def place(self, orders: Sequence[NewOrder], now: datetime) -> int:
        """Order; where one is open already it stays as it is. Gives how many were new."""
        ...

    def order(self, number: int) -> ReadingOrder | None:
        """Give one order."""
        ...

    def open_at(self, service_points: Collection[str]) -> Mapping[str, ReadingOrder]:
        """Give the open order of each service point that has one."""
        ...

    def at(self, service_point: str) -> Sequence[ReadingOrder]:
        """Give all orders of a service point, by number."""
        ...

    def orders(
        self, states: Collection[OrderState], *, after: int = 0, limit: int = 50
    ) -> Sequence[ReadingOrder]:
        """Give orders by number, behind ``after``."""
        ...

    def counts(self, today: date) -> tuple[int, int]:
        """Count the open orders, and those of them that are overdue."""
        ...

    def settle(self, number: int, state: OrderState, at: datetime, by: str, outcome: str) -> bool:
        """Close an order. Gives whether it was open."""
        ...
