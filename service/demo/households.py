"""How a household uses water: single events through the day, as whole litres; seeded and pure.

A day is drawn on its own from (seed, date), so the same town gives the same litres whatever is asked
first, and the future can be drawn when it comes. The amounts are those of a Central European town (about
90 to 110 litres per person and day), with a morning and an evening peak, later mornings at the weekend, dry
holidays and watered gardens in the warm months.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

__all__ = ["EVENTS", "Event", "Household", "WaterUse", "day_litres"]

_TAP_S_PER_LITRE = 6
"""An open tap gives ten litres a minute."""


def _weights(workday: str, weekend: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read two strings of 24 digits, one digit an hour from midnight, as cumulative weights."""
    return tuple(accumulate(map(int, workday))), tuple(accumulate(map(int, weekend)))


_WASHING = _weights("000002876200000000135741", "000000014686311112356631")
_LIVING = _weights("211114787433334322468762", "321111136886555444677643")
_LAUNDRY = _weights("000000122222222346765310", "000000002588765554333210")
_EVENING = _weights("000001100000000000278310", "000000120000000000278310")


@dataclass(frozen=True, slots=True)
class Event:
    """One way of using water.

    Attributes:
        name: for people.
        litres: least and most per event, whole litres.
        per_person: mean number a day and person.
        per_home: mean number a day and home, besides.
        hours: cumulative weights of the 24 local hours, on work days and at weekends.
    """

    name: str
    litres: tuple[int, int]
    per_person: float
    per_home: float
    hours: tuple[tuple[int, ...], tuple[int, ...]]


EVENTS = (
    Event("toilet", (4, 7), 5.0, 0.0, _LIVING),
    Event("tap", (1, 4), 7.0, 2.0, _LIVING),
    Event("shower", (25, 55), 0.75, 0.0, _WASHING),
    Event("bath", (90, 140), 0.06, 0.0, _EVENING),
    Event("dishwasher", (10, 15), 0.1, 0.3, _EVENING),
    Event("washing machine", (40, 60), 0.15, 0.1, _LAUNDRY),
)
_GARDEN = Event("garden", (60, 180), 0.0, 0.5, _EVENING)
_WARM_MONTHS = range(5, 10)


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives there.

    Attributes:
        occupants: persons; 0 = an empty flat.
        garden: waters a garden in the warm months.
        away: days they are on holiday, none if empty.
    """

    occupants: int
    garden: bool = False
    away: range = range(0)

    @classmethod
    def draw(cls, random: Random, first_day: date, days: int = 30) -> Household:
        """Draw a household; one in eight goes on holiday in the given days."""
        occupants = random.choices((0, 1, 2, 3, 4, 5), weights=(2, 25, 33, 20, 15, 5))[0]
        away = range(0)
        if random.random() < 1 / 8:
            leave = first_day.toordinal() + random.randrange(days)
            away = range(leave, leave + random.randint(3, 10))
        return cls(occupants, random.random() < 0.4, away)


def day_litres(household: Household, seed: str, day: date) -> list[int]:
    """Give the litres of each of the 24 local hours of a day."""
    hours = [0] * 24
    if household.occupants == 0 or day.toordinal() in household.away:
        return hours
    random = Random(f"{seed}/{day}")
    weekend = day.weekday() >= 5
    for event in EVENTS:
        _happen(event, household.occupants, weekend, random, hours)
    if household.garden and day.month in _WARM_MONTHS:
        _happen(_GARDEN, household.occupants, weekend, random, hours)
    return hours


def _happen(event: Event, occupants: int, weekend: bool, random: Random, hours: list[int]) -> None:  # noqa: FBT001  a day is one or the other
    count = _poisson(event.per_person * occupants + event.per_home, random)
    least, most = event.litres
    for hour in random.choices(range(24), cum_weights=event.hours[weekend], k=count):
        hours[hour] += least + int(random.random() * (most - least + 1))


def _poisson(mean: float, random: Random) -> int:
    """Draw a number of events (Knuth's product of uniforms; the means here are below 50)."""
    floor, product, count = math.exp(-mean), random.random(), 0
    while product > floor:
        product *= random.random()
        count += 1
    return count


class WaterUse:
    """The water a household has drawn since a day, at any moment, as whole litres; never falls.

    Within an hour the litres run through an open tap once, at a minute of the hour's own.
    """

    def __init__(self, household: Household, seed: str, start: datetime, zone: ZoneInfo) -> None:
        """Begin at the UTC midnight of ``start``."""
        self._household = household
        self._seed = seed
        self._start = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._zone = zone
        self._salt = Random(seed).randrange(3600)
        self._totals = [0]

    def litres(self, moment: datetime) -> int:
        """Litres drawn from the start until a moment (0 before the start)."""
        hour, second = self._hour_of(moment)
        if hour < 0:
            return 0
        drawn, (begin, length) = self._of_hour(hour), self._tap(hour)
        return self._totals[hour] + drawn * min(max(second - begin, 0), length) // length

    def flow_l_h(self, moment: datetime) -> int:
        """Flow at a moment, litres per hour: that of the open tap, or 0."""
        hour, second = self._hour_of(moment)
        if hour < 0:
            return 0
        begin, length = self._tap(hour)
        return self._of_hour(hour) * 3600 // length if begin <= second < begin + length else 0

    def days_since_start(self, moment: datetime) -> int:
        """Give whole days since the start, rounded down; negative before it."""
        return (moment - self._start).days

    def _hour_of(self, moment: datetime) -> tuple[int, int]:
        return divmod(int((moment - self._start).total_seconds()), 3600)

    def _tap(self, hour: int) -> tuple[int, int]:
        """Give the second of the hour at which the tap opens, and for how many seconds."""
        length = min(max(self._of_hour(hour) * _TAP_S_PER_LITRE, 60), 3600)
        return (self._salt + hour * 977) % (3601 - length), length

    def _of_hour(self, hour: int) -> int:
        while len(self._totals) <= hour + 1:
            self._add_day((len(self._totals) - 1) // 24)
        return self._totals[hour + 1] - self._totals[hour]

    def _add_day(self, number: int) -> None:
        # Habits go by the clock on the wall: a UTC day takes the local hours, turned by its offset.
        noon = self._start + timedelta(days=number, hours=12)
        offset = noon.astimezone(self._zone).utcoffset() or timedelta()
        local = day_litres(self._household, self._seed, noon.date())
        turn = int(offset.total_seconds()) // 3600
        for hour in range(24):
            self._totals.append(self._totals[-1] + local[(hour + turn) % 24])
