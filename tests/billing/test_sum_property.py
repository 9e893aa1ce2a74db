"""The sum holds: what is billed over periods is the difference of the indices, whatever came when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from street import NEW, Street, utility

from billing_bridge.boundary import Rounding
from billing_bridge.deciding import Action, Operator
from billing_bridge.estimate import Method, Settings
from billing_bridge.period import Calendar, Calendars
from metering.clock import FixedClock
from metering.store import memory_store

ZONES = ("Europe/Warsaw", "Europe/Bucharest", "UTC", "Pacific/Apia")
MONTHS = ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), (1, 3, 5, 7, 9, 11), (2, 5, 8, 11))
LAW = Settings((Method.NORM,), norm_m3_per_day=Decimal("0.2"))

volumes = st.integers(0, 9_000).map(lambda litres: Decimal(litres).scaleb(-3))


@st.composite
def lives(draw: st.DrawFn):
    """A calendar, what was used between its boundaries, what came late, and perhaps an exchange."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    calendar = Calendar(zone, draw(st.sampled_from(MONTHS)), draw(st.sampled_from((1, 15, 28))))
    begin = datetime(2026, 1, 2, tzinfo=zone)
    periods = calendar.periods(begin, begin + timedelta(days=230))
    used = draw(st.lists(volumes, min_size=len(periods), max_size=len(periods)))
    late = draw(st.sets(st.integers(1, len(periods) - 1), max_size=3))
    exchanged = draw(st.none() | st.integers(0, len(periods) - 1))
    start = draw(st.sampled_from((Decimal("0.999"), Decimal("511.5"), Decimal("99990.25"))))
    return calendar, periods, used, late, exchanged, start


@settings(max_examples=12, deadline=None)
@given(lives())
def test_the_sum_of_what_is_billed_is_the_difference_of_the_indices(life):
    calendar, periods, used, late, exchanged, start = life
    clock = FixedClock(periods[0].start)
    store = memory_store(clock)
    street = Street(
        store,
        clock,
        replace(utility(), calendars=Calendars(calendar), rounding=Rounding(calendar.zone, estimates=LAW)),
    )
    expected = play(street, periods, used, late, exchanged, start)
    settle_all(street, periods)
    assert sum(street.books.in_force.values()) == expected
    assert len(street.books.in_force) == len(periods)
    assert sum(one.volume_m3 for one in newest(street)) == expected
    store.close()


def play(  # noqa: PLR0917  a life, in full
    street: Street, periods, used, late: set[int], exchanged: int | None, start: Decimal
) -> int:
    """Let the meter send, the periods be closed one by one; gives what the dials say was used."""
    moment = None if exchanged is None else periods[exchanged].start + (periods[exchanged].days / 2)
    total = start
    marks: dict[int, tuple[Decimal, Decimal]] = {}
    for number, volume in enumerate(used):
        marks[number] = (total, total + volume)
        total += volume
    half = None if exchanged is None else marks[exchanged][0] + used[exchanged] / 2
    furnish(street, periods, moment, half)
    street.sends((periods[0].start, text(start)))
    for number, period in enumerate(periods):
        if number not in late:
            read(street, period.end, marks[number][1], moment, half)
        street.close(period.start, period.end)
    for number in sorted(late, reverse=True):
        read(street, periods[number].end, marks[number][1], moment, half)
    return dials(start, total, half)


def furnish(street: Street, periods, moment, half) -> None:
    since = periods[0].start - timedelta(days=40)
    if moment is None:
        street.house(since=since)
        return
    street.house(since=since, until=moment, closing=text(half))
    street.house(meter=NEW, since=moment, opening="7.25")


def read(street: Street, at, total: Decimal, moment, half) -> None:
    """A reading of the meter that hangs there then."""
    if moment is None or at <= moment:
        street.sends((at, text(total)), late=max(at, street.clock.now()))
    else:
        street.sends((at, text(Decimal("7.25") + total - half)), meter=NEW, late=max(at, street.clock.now()))


def dials(start: Decimal, total: Decimal, half: Decimal | None) -> int:
    if half is None:
        return floor(total) - floor(start)
    return floor(half) - floor(start) + floor(Decimal("7.25") + total - half) - 7


def settle_all(street: Street, periods) -> None:
    """What could not be read is closed again, people take every correction, until nothing is asked."""
    operator = Operator(street.store, street.utility, street.clock, "A. Kos")
    for _round in range(12):
        street.close(periods[0].start, periods[-1].end, now=street.clock.now())
        street.review(periods[0].start - timedelta(days=1), periods[-1].end)
        asked = street.questions()
        if not asked:
            break
        for one in asked:
            operator.decide(one.number, Action.ACCEPT, "all reads are there")
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
