"""The sum holds: what is billed over periods is the difference of the indices, whatever came when.

For any calendar and zone, any order of arrival, exchanges (with roll-overs of each dial), estimates by law or
none at all, indices put by people, visits of readers, and corrections of all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from street import OLD, Street, utility

from billing_bridge.boundary import Rounding
from billing_bridge.deciding import Action, Operator
from billing_bridge.estimate import Method, Settings
from billing_bridge.period import Calendar, Calendars, Period
from billing_bridge.utility import Late
from metering.billing import ExceptionKind
from metering.clock import FixedClock
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.store import memory_store

ZONES = (
    "Europe/Warsaw",
    "Europe/Bucharest",
    "UTC",
    "Pacific/Apia",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Atlantic/Azores",
)
LAWS = (Settings((Method.NORM,), norm_m3_per_day=Decimal("0.2")), Settings(()))
METERS = [OLD, *(MeterId("KAM", f"8000000{n}", "1b", "16") for n in range(3))]

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
volumes = st.integers(0, 9_000).map(lambda litres: Decimal(litres).scaleb(-3))
starts = st.sampled_from((Decimal("0.999"), Decimal("511.5"), Decimal("99990.25"), Decimal("7.25")))
months = st.sets(st.integers(1, 12), min_size=4, max_size=12).map(sorted).map(tuple)


@dataclass(frozen=True)
class Life:
    """What happened at a house.

    Attributes:
        calendar: of the utility.
        periods: those that are billed.
        used: what passed in each, m3.
        late: periods whose closing state came late, in the order in which it did.
        put: of those, periods for which a person put an index first: a share of what was used.
        exchanged: periods in whose middle the meter was exchanged.
        starts: what each meter showed when it was hung.
        law: how what is missing is estimated.
        mode: corrections are proposed, or the next period absorbs: then nothing is late of the last one.
    """

    calendar: Calendar
    periods: tuple[Period, ...]
    used: list[Decimal]
    late: list[int]
    put: dict[int, int]
    exchanged: list[int]
    starts: list[Decimal]
    law: Settings
    mode: Late

    def before(self, number: int) -> Decimal:
        """What had passed when a period began."""
        return sum(self.used[:number], Decimal(0))

    @property
    def spans(self) -> list[tuple[datetime, datetime | None, Decimal, Decimal | None]]:
        """Each meter's time there, with what had passed at both ends."""
        moments = [self.periods[n].start + self.periods[n].days / 2 for n in self.exchanged]
        passed = [self.before(n) + self.used[n] / 2 for n in self.exchanged]
        ends = [(self.periods[0].start - timedelta(days=40), Decimal(0)), *zip(moments, passed, strict=True)]
        last = [(None, None)]
        return [(a[0], b[0], a[1], b[1]) for a, b in pairwise([*ends, *last])]

    def dial(self, number: int, passed: Decimal) -> Decimal:
        """What a meter shows once so much has passed, roll-overs left out."""
        return self.starts[number] + passed - self.spans[number][2]

    @property
    def difference(self) -> int:
        """What the dials say was used: the floored difference of each meter's indices."""
        total = self.before(len(self.periods))
        return sum(
            floor(self.dial(n, total if left is None else left)) - floor(self.starts[n])
            for n, (_since, _until, _hung, left) in enumerate(self.spans)
        )


@st.composite
def lives(draw: st.DrawFn) -> Life:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    calendar = Calendar(zone, draw(months), draw(st.integers(1, 28)))
    begin = datetime(2026, 1, 2, tzinfo=zone)
    periods = calendar.periods(begin, begin + timedelta(days=draw(st.integers(150, 330))))
    used = draw(st.lists(volumes, min_size=len(periods), max_size=len(periods)))
    mode = draw(st.sampled_from(list(Late)))
    numbers = list(range(1, len(periods) - (mode is Late.ABSORB)))
    late = (
        draw(st.permutations(draw(st.lists(st.sampled_from(numbers), unique=True, max_size=3))))
        if numbers
        else []
    )
    exchanged = sorted(draw(st.sets(st.integers(0, len(periods) - 1), max_size=3)))
    put = {n: draw(st.integers(0, 100)) for n in late if n < len(periods) - 1 and draw(st.booleans())}
    hung = draw(st.lists(starts, min_size=len(exchanged) + 1, max_size=len(exchanged) + 1))
    return Life(calendar, periods, used, late, put, exchanged, hung, draw(st.sampled_from(LAWS)), mode)


@settings(max_examples=15, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(lives())
def test_the_sum_of_what_is_billed_is_the_difference_of_the_indices(life):
    clock = FixedClock(life.periods[0].start)
    store = memory_store(clock)
    made = replace(
        utility(),
        calendars=Calendars(life.calendar),
        rounding=Rounding(life.calendar.zone, estimates=life.law),
        late=life.mode,
        order_readers=False,
    )
    street = Street(store, clock, made)
    play(street, life)
    settle_all(street, life.periods)
    assert len(street.books.in_force) == len(life.periods)
    assert sum(street.books.in_force.values()) == life.difference
    assert sum(one.volume_m3 for one in newest(street)) == life.difference
    store.close()


def play(street: Street, life: Life) -> None:
    """Let the meters send, the periods be closed one by one, people put what is missing, late states come."""
    for n, (since, until, _hung, left) in enumerate(life.spans):
        closing = None if left is None else text(life.dial(n, left))
        opening = text(life.starts[n]) if n else None
        street.house(meter=METERS[n], since=since, until=until, opening=opening, closing=closing)
    street.sends((life.periods[0].start, text(life.starts[0])))
    for number, period in enumerate(life.periods):
        if number not in life.late:
            read(street, life, number)
        street.close(period.start, period.end)
        if number in life.put:
            put(street, life, number)
    for number in life.late:
        read(street, life, number)


def read(street: Street, life: Life, number: int) -> None:
    """The closing state of a period, of the meter that hangs there then."""
    end = life.periods[number].end
    hung = next(n for n, span in enumerate(life.spans) if span[1] is None or end <= span[1])
    street.sends(
        (end, text(life.dial(hung, life.before(number + 1)))),
        meter=METERS[hung],
        late=max(end, street.clock.now()),
    )


def put(street: Street, life: Life, number: int) -> None:
    """A person puts an index where none could be taken: somewhere between what was and what is."""
    asked = [one for one in street.questions() if one.about.period == life.periods[number].id]
    hung = next(
        n for n, span in enumerate(life.spans) if span[1] is None or life.periods[number].end <= span[1]
    )
    opened = max(life.before(number), life.spans[hung][2])
    passed = opened + (life.before(number + 1) - opened) * life.put[number] / 100
    operator = Operator(street.store, street.utility, street.clock, "M. Bak")
    for one in asked:
        if one.about.kind is ExceptionKind.UNBILLABLE:
            index = Decimal(text(life.dial(hung, passed)))
            try:
                operator.decide(one.number, Action.EDIT, "photo", index_m3=index)
            except InvalidValue:
                return  # what is before it is not known either: there is nothing to put it on


def settle_all(street: Street, periods) -> None:
    """What could not be read is closed again, people take every correction, until nothing is asked."""
    operator = Operator(street.store, street.utility, street.clock, "A. Kos")
    for _round in range(16):
        street.close(periods[0].start, periods[-1].end, now=street.clock.now())
        street.review(periods[0].start - timedelta(days=1), periods[-1].end)
        asked = [one for one in street.questions() if one.about.read is not None]
        if not street.questions():
            break
        for one in asked:
            try:
                operator.decide(one.number, Action.ACCEPT, "all reads are there")
            except InvalidValue:  # the period behind opens elsewhere: this one is taken anew
                operator.decide(one.number, Action.REJECT, "taken anew")
        street.send()
    assert not street.questions()


def newest(street: Street):
    found = {one.period.id: one for one in street.reads()}
    return found.values()


def floor(index: Decimal) -> int:
    return int(index.to_integral_value(ROUND_FLOOR))


def text(total: Decimal) -> str:
    """What a dial of five digits shows."""
    return format(total % 100_000, "f")
