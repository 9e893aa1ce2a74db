"""When the town's meters transmit: a thinned history of thirty days, then live; pure.

Real meters transmit every few seconds to minutes. Thirty days of that would be millions of items, so the
history is thinned: the last two days hourly, the time before three times a day, once of it in the last
hour before midnight so that days can be told apart. Meters with a story and pulse inputs are hourly
throughout, for they are what people look at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from service.demo.town import ZONE, House, Kind, Story

__all__ = ["HistoryPlan", "LiveSchedule"]

_LIVE_INTERVAL_S = (15, 60)
"""Shortest and longest transmission interval of a meter, seconds."""


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """How densely the past is told.

    Attributes:
        begin: first hour, UTC.
        end: last moment, UTC, exclusive.
        fine: the last stretch, told hourly.
        local_hours: the hours of the town's day that are told before that.
    """

    begin: datetime
    end: datetime
    fine: timedelta = timedelta(days=2)
    local_hours: frozenset[int] = frozenset({7, 15, 23})

    def transmissions(self, houses: Sequence[House]) -> Iterator[tuple[datetime, House]]:
        """Give every transmission of the history in the order of time.

        Each meter has its own second of the hour.
        """
        offsets = sorted(((_second_of_hour(house), house) for house in houses), key=lambda pair: pair[0])
        for number in range(self.hours):
            hour = self.begin + timedelta(hours=number)
            everyone = hour >= self.end - self.fine or hour.astimezone(ZONE).hour in self.local_hours
            for second, house in offsets:
                moment = hour + timedelta(seconds=second)
                if moment < self.end and (everyone or _always_hourly(house)):
                    yield moment, house

    @property
    def hours(self) -> int:
        """Hours of the history, begun ones included."""
        return -(-int((self.end - self.begin).total_seconds()) // 3600)


def _always_hourly(house: House) -> bool:
    return house.story is not Story.NONE or house.model.kind is Kind.PULSE


def _second_of_hour(house: House) -> int:
    return Random(f"{house.meter}/second").randrange(3600)


class LiveSchedule:
    """Each meter again and again at its own interval, first at a random point of it."""

    def __init__(self, houses: Sequence[House], begin: datetime, seed: int) -> None:
        random = Random(f"{seed}/live")
        self._houses = list(houses)
        self._intervals = [random.uniform(*_LIVE_INTERVAL_S) for _ in houses]
        self._due = [
            (begin + timedelta(seconds=random.random() * interval), place)
            for place, interval in enumerate(self._intervals)
        ]
        heapq.heapify(self._due)

    def until(self, moment: datetime) -> Iterator[tuple[datetime, House]]:
        """Give the transmissions due by a moment, in the order of time; each is given once."""
        while self._due[0][0] <= moment:
            due, place = self._due[0]
            following = due + timedelta(seconds=self._intervals[place])
            heapq.heapreplace(self._due, (following, place))
            yield due, self._houses[place]
