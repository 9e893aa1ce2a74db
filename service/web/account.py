"""The account on the pages: received = stored + duplicate + held + foreign + quarantined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metering.ports import GatewayRow, Outcome

__all__ = ["Account", "account_of"]


@dataclass(frozen=True, slots=True)
class Account:
    """Items that came and how they ended."""

    received: int
    outcomes: Mapping[Outcome, int]

    @property
    def holds(self) -> bool:
        """Whether nothing was silently dropped."""
        return self.received == sum(self.outcomes.values())

    @property
    def shares(self) -> list[tuple[Outcome, int, float, float]]:
        """Give outcome, items, and where its part of a bar of 100 units begins and how wide it is."""
        total = sum(self.outcomes.values()) or 1
        parts, begin = [], 0.0
        for outcome, items in self.outcomes.items():
            width = 100 * items / total
            parts.append((outcome, items, round(begin, 3), round(width, 3)))
            begin += width
        return parts


def account_of(gateways: Iterable[GatewayRow]) -> Account:
    """Add up gateways."""
    rows = list(gateways)
    outcomes = {outcome: sum(row.outcomes.get(outcome, 0) for row in rows) for outcome in Outcome}
    return Account(sum(row.received for row in rows), outcomes)
