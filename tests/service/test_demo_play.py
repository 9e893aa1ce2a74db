"""The play goes through the real pipeline, and what it tells stands in the store."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest.items import Delivery
from ingest.pipeline import Pipeline
from metering.clock import FixedClock
from metering.ports import Outcome, TelegramState
from metering.reading import Register
from metering.store import memory_store
from service.demo import play as play_module
from service.demo.gateways import Gateway
from service.demo.play import Play, Stalled
from service.demo.radio import RECEIVERS
from service.demo.registry import register
from service.demo.schedule import HistoryPlan
from service.demo.screen import Account
from service.demo.town import LEAK_LITRES_PER_HOUR, Kind, Story, Town

NOW = datetime(2026, 3, 30, 15, 20, tzinfo=UTC)
VOLUME = Register("volume")


class Straight:
    """A link without a broker: what is published is booked before ``publish`` returns."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.booked = 0

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        results = self.pipeline.accept([Delivery(topic, payload, NOW, retained=retain)])
        self.booked += len(results)


class Told:
    """A night and a day of the town's history, told once for all tests below."""

    def __init__(self) -> None:
        self.store = memory_store(FixedClock(NOW), lambda: bytes(range(32)))
        self.town = Town.build(7, NOW)
        register(self.town, self.store)
        link = Straight(Pipeline(self.store))
        self.gateways = [Gateway(receiver, link) for receiver in RECEIVERS]
        self.play = Play(
            self.town,
            self.gateways,
            seed=7,
            clock=FixedClock(NOW),
            booked=lambda: link.booked,
            ended=lambda: False,
        )
        self.plan = HistoryPlan(NOW - timedelta(hours=26), NOW)
        self.steps = list(self.play.history(self.plan))

    def account(self) -> Account:
        with self.store.reading() as transaction:
            rows = transaction.ledger.gateways()
        return Account({gateway.name: gateway.published for gateway in self.gateways}, rows)

    def series(self, story_or_kind: Story | Kind):
        house = next(h for h in self.town.on_air if story_or_kind in (h.story, h.model.kind))
        with self.store.reading() as transaction:
            return house, transaction.readings.series(house.meter, VOLUME, self.plan.begin, NOW)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


def test_progress_rises_to_the_end(told: Told):
    hours = [hour for hour, _ in told.steps]
    assert hours == sorted(hours)
    assert told.steps[-1] == (told.plan.hours, told.play.published)


def test_everything_published_is_booked_and_the_account_balances(told: Told):
    account = told.account()
    assert account.balanced
    assert account.received == told.play.published > 5_000


def test_all_five_outcomes_occur_as_in_the_field(told: Told):
    account = told.account()
    ended = {outcome: account.ended(outcome) for outcome in Outcome}
    assert ended[Outcome.STORED] > 0.7 * account.received
    assert ended[Outcome.DUPLICATE] > 0.1 * account.received
    assert 0 < ended[Outcome.QUARANTINED] < 0.01 * account.received
    assert ended[Outcome.HELD] >= 25
    assert ended[Outcome.FOREIGN] >= 25


def test_every_registered_meter_but_the_one_with_the_wrong_key_has_its_index(told: Told):
    with told.store.reading() as transaction:
        rows, count = transaction.registry.overview(limit=1000)
    assert count == 200
    silent = {row.meter.id for row in rows if row.last_reading is None}
    assert silent == {told.town.telling(Story.WRONG_KEY).meter}


@pytest.mark.parametrize("kind", list(Kind))
def test_stored_indices_are_those_of_the_dial(told: Told, kind: Kind):
    house, series = told.series(kind)
    resolution = 10 if kind is Kind.PULSE else 1
    assert len(series) in (25, 26)
    for reading in series:
        litres = house.dial.litres(reading.measured_at)
        assert reading.value * 1000 == litres // resolution * resolution
        assert reading.unit == "m3"


def test_the_wrong_key_is_held(told: Told):
    with told.store.reading() as transaction:
        held = transaction.archive.telegrams(state=TelegramState.HELD, limit=500)
    assert {(t.meter, t.reason) for t in held} == {(told.town.telling(Story.WRONG_KEY).meter, "wrong_key")}


def test_the_neighbour_is_foreign_and_unread(told: Told):
    with told.store.reading() as transaction:
        foreign = transaction.archive.telegrams(state=TelegramState.FOREIGN, limit=500)
        assert {t.meter for t in foreign} == {told.town.neighbour.meter}
        assert not transaction.readings.registers(told.town.neighbour.meter)


def test_the_reversed_index_falls(told: Told):
    _, series = told.series(Story.REVERSED)
    values = [reading.value for reading in series]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


def test_the_leak_shows_in_the_nights(told: Told):
    _, series = told.series(Story.LEAK)
    nights = [
        (later.value - earlier.value) * 1000
        for earlier, later in pairwise(series)
        if earlier.measured_at.hour in (1, 2)
    ]
    assert len(nights) >= 2
    # Readings an hour apart to the second: at least the leak, whatever else ran.
    assert min(nights) >= LEAK_LITRES_PER_HOUR


def test_both_gateways_are_kept_as_receptions_of_one_telegram(told: Told):
    with told.store.reading() as transaction:
        newest = transaction.archive.telegrams(limit=500)
    heard_by = [{reception.gateway for reception, _ in telegram.receptions} for telegram in newest]
    assert {receiver.name for receiver in RECEIVERS} in heard_by
    assert any(len(gateways) == 1 for gateways in heard_by)


def test_keys_stand_nowhere_in_the_database(told: Told):
    with told.store.database.transaction(write=False) as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump()).lower()  # type: ignore[union-attr]
    for house in told.town.houses:
        if house.registered_key:
            assert house.registered_key.hex() not in dump


def play_of(town: Town, link: Straight | None, booked, ended=lambda: False, clock=None) -> Play:
    gateways = [Gateway(receiver, link) for receiver in RECEIVERS]  # type: ignore[arg-type]
    return Play(town, gateways, seed=7, clock=clock or FixedClock(NOW), booked=booked, ended=ended)


class Nowhere:
    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        pass


def test_it_never_runs_far_ahead_of_what_is_booked_and_says_so_when_nothing_moves(monkeypatch, told: Told):
    monkeypatch.setattr(play_module, "_PATIENCE_S", 0.05)
    play = play_of(told.town, Nowhere(), booked=lambda: 0)
    with pytest.raises(Stalled, match="nothing was booked"):
        list(play.history(told.plan))
    assert play.published <= 6 * 400


def test_the_end_stops_the_history_at_once(told: Told):
    started = time.monotonic()
    play = play_of(told.town, Nowhere(), booked=lambda: 0, ended=lambda: True)
    assert list(play.history(told.plan)) == []
    assert play.published == 0
    assert time.monotonic() - started < 1


def test_live_the_town_keeps_transmitting(told: Told):
    clock = FixedClock(NOW)
    steps = 0

    def ended() -> bool:
        nonlocal steps
        steps += 1
        clock.advance(timedelta(seconds=5))
        return steps > 13

    play = play_of(told.town, Nowhere(), booked=lambda: 10**9, ended=ended, clock=clock)
    published = list(play.live(NOW, tick_s=0))
    # 201 meters at 15 to 60 seconds each, for 65 seconds.
    assert published[-1] > 201
    assert published == sorted(published)
