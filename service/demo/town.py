"""The town: 200 service points on a dozen streets, their households, meters and keys, and four stories.

Everything comes from one seed. The stories, each told by one meter:

- *leak*: since twelve days a little runs day and night;
- *reversed*: built in the wrong way round, so that its index falls as water is drawn;
- *wrong key*: the key registered for it is not the one it encrypts with;
- *neighbour*: a meter of somebody else, heard on the air but not in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from metering.meter import Installation, Meter, MeterId, PulseInput, ServicePoint
from service.demo.households import Household, WaterUse

__all__ = ["ZONE", "Dial", "House", "Kind", "Story", "Town"]

ZONE = ZoneInfo("Europe/Warsaw")
HISTORY = timedelta(days=30)
LITRES_PER_PERSON = 95
"""A day, before the history begins."""
LEAK_LITRES_PER_HOUR = 8
LEAK_AGE = timedelta(days=12)


class Kind(StrEnum):
    """How a meter speaks (:mod:`service.demo.telegrams` builds the bytes)."""

    TARGET = "security mode 5, index and index at the due date"
    FLOW = "security mode 5, index and flow"
    AUTHENTICATED = "security mode 7 with a MAC, index, both directions, temperature"
    LINK = "link encryption (AES-CTR), manufacturer's status word and two indices"
    MONTHS = "security mode 5, a year of month-end indices"
    PULSE = "pulses on a gateway's input"


class Story(StrEnum):
    """What is wrong with a meter, if anything."""

    NONE = ""
    LEAK = "leak"
    REVERSED = "reversed"
    WRONG_KEY = "wrong key"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class Model:
    """A meter of the market: how many the town has, and how it calls itself on the air.

    Attributes:
        kind: how it speaks.
        count: meters of this model in the town.
        manufacturer: FLAG code.
        version: version byte, hexadecimal.
        device_type: device type byte, hexadecimal.
        first_serial: serial of the first one delivered to the town.
        radio: radio mode.
    """

    kind: Kind
    count: int
    manufacturer: str
    version: str
    device_type: str
    first_serial: int
    radio: str


MODELS = (
    Model(Kind.TARGET, 80, "ZRI", "01", "16", 31_204_500, "T1"),
    Model(Kind.FLOW, 40, "SEN", "68", "07", 20_415_700, "T1"),
    Model(Kind.AUTHENTICATED, 30, "AXI", "10", "07", 11_380_200, "T1"),
    Model(Kind.LINK, 30, "KAM", "1b", "16", 64_730_100, "C1"),
    Model(Kind.MONTHS, 8, "MAD", "50", "16", 7_120_300, "T1"),
    Model(Kind.PULSE, 12, "ITW", "00", "16", 18_902_000, ""),
)

_STORIES = {Story.LEAK: Kind.TARGET, Story.REVERSED: Kind.FLOW, Story.WRONG_KEY: Kind.TARGET}
"""Which kind of meter tells which story: one of each."""

_STREETS = (
    ("Rynek", "Górny"),
    ("ul. Lipowa", "Górny"),
    ("ul. Ogrodowa", "Górny"),
    ("ul. Szkolna", "Górny"),
    ("ul. Zielona", "Górny"),
    ("ul. Wiśniowa", "Górny"),
    ("ul. Młyńska", "Dolny"),
    ("ul. Nadrzeczna", "Dolny"),
    ("ul. Źródlana", "Dolny"),
    ("ul. Łąkowa", "Dolny"),
    ("ul. Wierzbowa", "Dolny"),
    ("ul. Mostowa", "Dolny"),
)
"""Streets from the upper to the lower end of the valley, with the district metered area each lies in."""

PULSE_LITRES = 10
"""Pulse weight of the mechanical meters, litres."""


@dataclass(frozen=True, slots=True)
class Dial:
    """The register of a meter: whole litres, at any moment.

    Attributes:
        start_litres: index when the history begins.
        use: the water drawn since then.
        daily_litres: what was drawn each day before.
        leak_since: since when it leaks, if it does.
        reversed_: counts backwards.
    """

    start_litres: int
    use: WaterUse
    daily_litres: int = 0
    leak_since: datetime | None = None
    reversed_: bool = False

    def litres(self, moment: datetime) -> int:
        """Index at a moment, litres."""
        before = min(self.use.days_since_start(moment), 0) * self.daily_litres
        drawn = self.use.litres(moment) + self._leaked(moment) + max(before, -self.start_litres)
        return self.start_litres - drawn if self.reversed_ else self.start_litres + drawn

    def flow_l_h(self, moment: datetime) -> int:
        """Flow at a moment, litres per hour; negative through a reversed meter."""
        leak = LEAK_LITRES_PER_HOUR if self.leak_since is not None and moment >= self.leak_since else 0
        flow = self.use.flow_l_h(moment) + leak
        return -flow if self.reversed_ else flow

    def _leaked(self, moment: datetime) -> int:
        if self.leak_since is None:
            return 0
        seconds = max(int((moment - self.leak_since).total_seconds()), 0)
        return seconds * LEAK_LITRES_PER_HOUR // 3600


@dataclass(frozen=True, slots=True)
class House:
    """A service point with its household and meter.

    Attributes:
        number: 1 to 200; 201 = the neighbour.
        service_point: number, address, district.
        meter: identity on the air.
        model: how it speaks.
        dial: its register.
        place: metres east and north of the town's western edge.
        installed: since when it hangs there, UTC.
        key: the meter's own key; empty for pulses.
        registered_key: the key the registry knows; another one in the story of the wrong key.
        story: what is wrong, if anything.
        gateway: for pulses: the gateway with the input.
    """

    number: int
    service_point: ServicePoint
    meter: MeterId
    model: Model
    dial: Dial
    place: tuple[int, int]
    installed: datetime
    key: bytes = field(repr=False)
    registered_key: bytes = field(repr=False)
    story: Story = Story.NONE
    gateway: str = ""

    @property
    def registration(self) -> Meter:
        """What the registry says of the meter."""
        return Meter(self.meter, label=self.service_point.address)

    @property
    def installation(self) -> Installation:
        """Where the meter hangs."""
        return Installation(self.meter, self.service_point.id, self.installed)

    @property
    def channel(self) -> str:
        """Name of the pulse input."""
        return f"in{self.number}"

    @property
    def pulse_input(self) -> PulseInput:
        """What a pulse of this meter is worth: the counter began at 0 with the index at the installation."""
        start = Decimal(self.dial.start_litres // PULSE_LITRES * PULSE_LITRES).scaleb(-3)
        return PulseInput(
            self.gateway, self.channel, self.meter, Decimal(PULSE_LITRES), 0, start, self.installed
        )


@dataclass(frozen=True, slots=True)
class Town:
    """The simulated town.

    Attributes:
        houses: the utility's service points, in street order.
        neighbour: the meter that is not in the registry.
        began: when the simulated history begins, UTC.
    """

    houses: tuple[House, ...]
    neighbour: House
    began: datetime

    @classmethod
    def build(cls, seed: int, now: datetime) -> Town:
        """Build the town whose history ends now: the same seed and day give the same town."""
        began = (now - HISTORY).replace(hour=0, minute=0, second=0, microsecond=0)
        random = Random(f"{seed}/town")
        models = [model for model in MODELS for _ in range(model.count)]
        random.shuffle(models)
        serials = {model.kind: _serials(model, random) for model in MODELS}
        houses = [
            _house(number, model, next(serials[model.kind]), seed, began)
            for number, model in enumerate(models, start=1)
        ]
        _tell_stories(houses, random, now)
        strange = next(model for model in MODELS if model.kind is Kind.LINK)
        neighbour = replace(_house(len(houses) + 1, strange, 98_765_432, seed, began), story=Story.NEIGHBOUR)
        return cls(tuple(houses), neighbour, began)

    @property
    def on_air(self) -> tuple[House, ...]:
        """Every meter the gateways can hear or count, the neighbour's too."""
        return (*self.houses, self.neighbour)

    def telling(self, story: Story) -> House:
        """Give the house that tells a story."""
        return next(house for house in self.on_air if house.story is story)


def _serials(model: Model, random: Random) -> Iterator[int]:
    """Number a delivery: rising serials with gaps, as they come out of the box."""
    serial = model.first_serial
    while True:
        yield serial
        serial += random.randint(1, 9)


def _house(number: int, model: Model, serial: int, seed: int, began: datetime) -> House:
    random = Random(f"{seed}/house/{number}")
    street, on_street = divmod(number - 1, 17)
    name, district = _STREETS[min(street, len(_STREETS) - 1)]
    household = Household.draw(random, began.date(), HISTORY.days)
    key = random.randbytes(16) if model.kind is not Kind.PULSE else b""
    return House(
        number=number,
        service_point=ServicePoint(
            f"SP-{number:04d}", f"{name} {2 * on_street + 1}", district, f"R{street + 1}"
        ),
        meter=MeterId(model.manufacturer, f"{serial:08d}", model.version, model.device_type),
        model=model,
        dial=Dial(
            random.randint(20_000, 900_000),
            WaterUse(household, f"{seed}/use/{number}", began, ZONE),
            household.occupants * LITRES_PER_PERSON,
        ),
        place=(street * 130 + random.randint(0, 60), on_street * 25 + random.randint(0, 15)),
        installed=began,
        key=key,
        registered_key=key,
        gateway="gw-gorny" if district == "Górny" else "gw-dolny",
    )


def _tell_stories(houses: list[House], random: Random, now: datetime) -> None:
    for story, kind in _STORIES.items():
        free = [i for i, h in enumerate(houses) if h.model.kind is kind and h.story is Story.NONE]
        # A story is told by a lived-in home, or there would be nothing to see.
        lived_in = [i for i in free if houses[i].dial.use.litres(now) > 2_000]
        place = random.choice(lived_in)
        houses[place] = _changed(houses[place], story, random, now)


def _changed(house: House, story: Story, random: Random, now: datetime) -> House:
    told = replace(house, story=story)
    if story is Story.LEAK:
        return replace(told, dial=replace(house.dial, leak_since=now - LEAK_AGE))
    if story is Story.REVERSED:
        return replace(told, dial=replace(house.dial, reversed_=True))
    return replace(told, registered_key=random.randbytes(16))
