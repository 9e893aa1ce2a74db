"""The books of one batch: what each item ended as, and all that is to be written with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ingest.items import Item, Unreadable
from metering.ports import Ledger, Outcome, Quarantined, Transaction
from metering.reading import Detail, Reading
from metering.sheets import Sheet
from metering.uplink import GatewayState, GatewayWord, PulseUplink, ValueUplink

__all__ = ["Books", "ItemResult"]

_KEPT = 1 << 16
"""Bytes of an unreadable payload that are kept."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class ItemResult(NamedTuple):
    """How one item ended.

    Attributes:
        gateway: whose account it is booked on.
        outcome: one of the five.
        reason: stable code if held or quarantined.
        telegram: archive number of the telegram it became or is a reception of, if any.
    """

    gateway: str
    outcome: Outcome
    reason: str = ""
    telegram: int | None = None


class Books:
    """Gathers what the items of a batch give rise to; :meth:`close` writes it.

    An item is known by its place in the batch. Each is settled exactly once.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._results: dict[int, ItemResult] = {}
        self._numbers: list[tuple[str, str, int]] = []
        self._quarantined: list[Quarantined] = []
        self._readings: list[Reading] = []
        self._details: list[Detail] = []
        self._sheets: list[tuple[int, Sheet]] = []
        self._nobodys: list[int] = []

    def settle(self, place: int, outcome: Outcome, reason: str = "", telegram: int | None = None) -> None:
        """Book how an item ended."""
        if place in self._results:
            raise AssertionError(f"item {place} ends twice: {self._results[place]}, {outcome}")
        self._results[place] = ItemResult(self.items[place].gateway, outcome, reason, telegram)

    def quarantine(self, place: int, reason: str, sentence: str) -> None:
        """Book an item as unreadable and keep its bytes."""
        item = self.items[place]
        self.settle(place, Outcome.QUARANTINED, reason)
        self.remember(place)
        whole = len(item.payload) == len(item.delivery.payload)
        self._quarantined.append(
            Quarantined(
                id=0,
                gateway=item.gateway,
                topic=item.delivery.topic,
                reason=reason,
                sentence=sentence,
                payload=item.payload[:_KEPT],
                size=(item.delivery.size if whole else 0) or len(item.payload),
                received_at=item.delivery.received_at,
            )
        )

    def remember(self, place: int) -> None:
        """Keep the number of an item that leaves no reception."""
        if (number := self.items[place].sequence) is not None:
            self._numbers.append(number)

    def keep(self, readings: Iterable[Reading], details: Iterable[Detail] = ()) -> None:
        """Take readings and details to be written."""
        self._readings.extend(readings)
        self._details.extend(details)

    def keep_sheet(self, telegram: int, sheet: Sheet) -> None:
        """Take the readings of a new telegram to be written; ``telegram`` is its archive number."""
        self._sheets.append((telegram, sheet))

    def nobodys(self, place: int) -> None:
        """Book an uplink as of nobody registered."""
        self.settle(place, Outcome.FOREIGN)
        self.remember(place)
        self._nobodys.append(place)

    def close(self, transaction: Transaction, *, keep_nobodys: bool = False) -> Sequence[ItemResult]:
        """Write everything and give the results in the order of the items.

        Args:
            transaction: of the batch.
            keep_nobodys: keep what is nobody's, in case it is registered late.
        """
        results = [self._results[place] for place in range(len(self.items))]
        transaction.archive.remember_sequences(self._numbers)
        self._write(transaction)
        if keep_nobodys and self._nobodys:
            said = (self.items[place].said for place in self._nobodys)
            transaction.unclaimed.keep(one for one in said if isinstance(one, PulseUplink | ValueUplink))
        self._count(transaction.ledger, results)
        return results

    def close_late(self, transaction: Transaction) -> Sequence[int]:
        """Write what items booked earlier give rise to; gives the places of those that are somebody's now."""
        self._write(transaction)
        left = set(self._nobodys)
        return [place for place in range(len(self.items)) if place not in left]

    def _write(self, transaction: Transaction) -> None:
        transaction.readings.add_sheets(self._sheets)
        transaction.readings.add(self._readings)
        transaction.readings.add_details(self._details)
        transaction.ledger.quarantine(self._quarantined)

    def _count(self, ledger: Ledger, results: Sequence[ItemResult]) -> None:
        by_gateway: dict[str, list[int]] = defaultdict(list)
        for place, result in enumerate(results):
            by_gateway[result.gateway].append(place)
        for gateway, places in by_gateway.items():
            outcomes = Counter(results[place].outcome for place in places)
            ledger.count(gateway, len(places), outcomes, max(_alive(self.items[place]) for place in places))


def _alive(item: Item) -> datetime:
    """When this item shows its gateway alive: at delivery, but what the broker kept shows the past only."""
    if not item.delivery.retained:
        return item.delivery.received_at
    if (
        not isinstance(item.said, GatewayState | GatewayWord | Unreadable)
        and item.said.reception.clock.trusted
    ):
        return min(item.said.reception.heard_at, item.delivery.received_at)
    return _NEVER
