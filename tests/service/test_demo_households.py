"""Households use water as people do, in whole litres, and the same seed gives the same litres."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from service.demo.households import Household, WaterUse, day_litres

ZONE = ZoneInfo("Europe/Warsaw")
START = datetime(2026, 3, 1, tzinfo=UTC)
FAMILY = Household(occupants=4)


def use(household: Household = FAMILY, seed: str = "s") -> WaterUse:
    return WaterUse(household, seed, START, ZONE)


def test_the_same_seed_and_day_give_the_same_litres():
    day = date(2026, 3, 5)
    assert day_litres(FAMILY, "1/7", day) == day_litres(FAMILY, "1/7", day)
    assert day_litres(FAMILY, "1/7", day) != day_litres(FAMILY, "2/7", day)


def test_what_is_asked_first_does_not_matter():
    late_first, early_first = use(), use()
    late = late_first.litres(START + timedelta(days=20))
    early = early_first.litres(START + timedelta(days=3))
    assert late_first.litres(START + timedelta(days=3)) == early
    assert early_first.litres(START + timedelta(days=20)) == late


def test_a_town_uses_about_a_hundred_litres_per_person_and_day():
    random = Random(3)
    homes = [Household.draw(random, START.date()) for _ in range(200)]
    litres = sum(use(home, str(i)).litres(START + timedelta(days=30)) for i, home in enumerate(homes))
    assert 75 < litres / 30 / sum(home.occupants for home in homes) < 120


def test_people_sleep_at_night_and_use_most_in_the_morning_and_evening():
    hours = [0] * 24
    for number in range(300):
        for hour, litres in enumerate(day_litres(FAMILY, str(number), date(2026, 3, 4))):
            hours[hour] += litres
    night, morning, noon, evening = hours[2:4], hours[6:8], hours[11:13], hours[18:21]
    assert max(night) < min(noon)
    assert max(noon) < min(morning)
    assert max(noon) < min(evening)


def test_weekend_mornings_begin_later():
    def at_six(day: date) -> int:
        return sum(day_litres(FAMILY, str(number), day)[6] for number in range(100))

    assert at_six(date(2026, 3, 7)) < at_six(date(2026, 3, 6)) / 2


def test_nothing_is_used_on_holiday_or_in_an_empty_flat():
    day = date(2026, 3, 5)
    away = Household(3, away=range(day.toordinal(), day.toordinal() + 2))
    assert sum(day_litres(away, "s", day)) == 0
    assert sum(day_litres(away, "s", day + timedelta(days=2))) > 0
    assert sum(day_litres(Household(0), "s", day)) == 0


def test_gardens_are_watered_in_summer_only():
    garden = Household(2, garden=True)

    def of_month(month: int, home: Household) -> int:
        return sum(sum(day_litres(home, str(number), date(2026, month, 10))) for number in range(100))

    assert of_month(1, garden) == of_month(1, Household(2))
    assert of_month(7, garden) > of_month(7, Household(2))


def test_local_habits_stand_at_utc_hours_of_the_season():
    """The same local day lies one UTC hour earlier in summer time."""
    summer = WaterUse(FAMILY, "s", datetime(2026, 7, 6, tzinfo=UTC), ZONE)
    local = day_litres(FAMILY, "s", date(2026, 7, 6))
    begin = datetime(2026, 7, 6, tzinfo=UTC)
    # 04 UTC is 06 in Warsaw in July
    drawn = summer.litres(begin + timedelta(hours=5)) - summer.litres(begin + timedelta(hours=4))
    assert drawn == local[6]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3600, 40 * 86400), min_size=2, max_size=30))
def test_use_never_falls_and_flow_fits_it(seconds: list[int]):
    drawn = use()
    moments = [START + timedelta(seconds=second) for second in sorted(seconds)]
    litres = [drawn.litres(moment) for moment in moments]
    assert litres == sorted(litres)
    assert all(drawn.flow_l_h(moment) >= 0 for moment in moments)


def test_the_tap_of_an_hour_gives_exactly_the_litres_of_that_hour():
    drawn = use()
    hour = next(
        START + timedelta(hours=n)
        for n in range(48)
        if drawn.litres(START + timedelta(hours=n + 1)) > drawn.litres(START + timedelta(hours=n)) + 20
    )
    litres = [drawn.litres(hour + timedelta(seconds=second)) for second in range(3601)]
    flows = [drawn.flow_l_h(hour + timedelta(seconds=second)) for second in range(3600)]
    steps = [later - earlier for earlier, later in pairwise(litres)]
    assert all(0 <= step <= 1 for step in steps)
    assert all(flow > 0 for flow, step in zip(flows, steps, strict=True) if step)
    assert abs(sum(flows) / 3600 - sum(steps)) < 1
