"""The town comes from its seed, and every story is told by exactly one meter."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from service.demo.schedule import HistoryPlan, LiveSchedule
from service.demo.town import LEAK_LITRES_PER_HOUR, MODELS, PULSE_LITRES, ZONE, Kind, Story, Town

NOW = datetime(2026, 3, 30, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.build(7, NOW)


def test_the_same_seed_gives_the_same_town(town: Town):
    def facts(of: Town):
        return [(h.meter, h.service_point, h.key, h.story, h.place, h.dial.litres(NOW)) for h in of.on_air]

    assert facts(Town.build(7, NOW)) == facts(town)
    assert facts(Town.build(8, NOW)) != facts(town)


def test_two_hundred_service_points_with_meters_of_their_own(town: Town):
    assert len(town.houses) == 200
    assert len({house.meter for house in town.on_air}) == 201
    assert len({house.service_point.id for house in town.houses}) == 200
    assert len({house.service_point.address for house in town.houses}) == 200
    assert Counter(house.model for house in town.houses) == {model: model.count for model in MODELS}


@pytest.mark.parametrize("story", [story for story in Story if story])
def test_every_story_is_told_once(town: Town, story: Story):
    assert [house.story for house in town.on_air].count(story) == 1


def test_the_neighbour_is_not_one_of_the_houses(town: Town):
    assert town.neighbour.meter not in {house.meter for house in town.houses}


def test_only_the_wrong_key_differs_from_the_meters_own(town: Town):
    different = [house for house in town.on_air if house.key != house.registered_key]
    assert different == [town.telling(Story.WRONG_KEY)]
    keys = [house.key for house in town.on_air if house.model.kind is not Kind.PULSE]
    assert len(set(keys)) == len(keys)


def test_keys_are_never_printed(town: Town):
    for house in (town.telling(Story.LEAK), town.telling(Story.WRONG_KEY)):
        assert repr(house.key) not in repr(house)
        assert house.key.hex() not in repr(town)
        assert house.registered_key.hex() not in repr(house)


def test_the_leak_runs_at_every_hour_of_every_night(town: Town):
    dial = town.telling(Story.LEAK).dial
    for night in range(1, 11):
        hour = (NOW - timedelta(days=night)).replace(hour=1, minute=0)
        assert dial.litres(hour + timedelta(hours=1)) - dial.litres(hour) >= LEAK_LITRES_PER_HOUR
    assert dial.flow_l_h(NOW) >= LEAK_LITRES_PER_HOUR


def test_the_reversed_index_falls_and_all_others_rise(town: Town):
    for house in town.on_air:
        drawn = house.dial.litres(NOW) - house.dial.litres(town.began)
        assert drawn < 0 if house.story is Story.REVERSED else drawn >= 0
        assert house.dial.litres(NOW + timedelta(days=60)) > 0


def test_a_pulse_input_gives_the_index_of_the_dial(town: Town):
    for house in (h for h in town.houses if h.model.kind is Kind.PULSE):
        count = (
            house.dial.litres(NOW) - house.dial.start_litres // PULSE_LITRES * PULSE_LITRES
        ) // PULSE_LITRES
        expected = Decimal(house.dial.litres(NOW) // PULSE_LITRES * PULSE_LITRES).scaleb(-3)
        assert house.pulse_input.index_m3(count) == expected


def test_the_history_is_in_order_and_hourly_for_stories_and_pulses(town: Town):
    plan = HistoryPlan(town.began, NOW)
    told = list(plan.transmissions(town.on_air))
    moments = [moment for moment, _ in told]
    assert moments == sorted(moments)
    assert town.began <= moments[0]
    assert moments[-1] < NOW
    per_house = Counter(house.number for _, house in told)
    for house in town.on_air:
        if house.story or house.model.kind is Kind.PULSE:
            assert per_house[house.number] in (plan.hours, plan.hours - 1)


def test_the_last_two_days_are_hourly_for_everyone_and_every_day_ends_with_a_telegram(town: Town):
    plan = HistoryPlan(town.began, NOW)
    plain = next(house for house in town.houses if house.model.kind is Kind.LINK)
    moments = [moment for moment, house in plan.transmissions(town.on_air) if house is plain]
    late = [moment for moment in moments if moment >= NOW - plan.fine]
    assert {later - earlier for earlier, later in pairwise(late)} == {timedelta(hours=1)}
    assert len(late) in (47, 48)
    ends = {moment.astimezone(ZONE).date() for moment in moments if moment.astimezone(ZONE).hour == 23}
    assert len(ends) in (30, 31)


def test_live_every_meter_transmits_at_its_own_interval_of_15_to_60_seconds(town: Town):
    schedule = LiveSchedule(town.on_air, NOW, seed=7)
    heard: dict[int, list[datetime]] = {}
    for second in range(0, 181, 3):
        for moment, house in schedule.until(NOW + timedelta(seconds=second)):
            heard.setdefault(house.number, []).append(moment)
    assert len(heard) == 201
    for moments in heard.values():
        gaps = {round((b - a).total_seconds(), 3) for a, b in pairwise(moments)}
        assert all(15 <= gap <= 60 for gap in gaps)
        assert max(gaps) - min(gaps) < 0.01
    assert not list(schedule.until(NOW + timedelta(seconds=180)))
