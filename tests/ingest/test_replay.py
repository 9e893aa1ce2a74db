"""Readings derived again: unchanged archives stay as they are, late keys and late registrations heal."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ingest.replay
from ingest.difference import Kind, changed_details, changes
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.routes import CONTRACT_ROUTES, Route, Router
from metering.errors import StoreUnavailable
from metering.meter import Meter
from metering.ports import KeyPeriod, Scope, TelegramState
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store.sql.editions import new_edition

ROUTER = Router([*CONTRACT_ROUTES, Route("wmbus/+/telegram", "hex")])
EVER = Scope()


def content(store) -> list[tuple[object, ...]]:
    """Every table that holds what was derived, row by row."""
    with store.database.transaction(write=False) as connection:
        return [
            tuple(row)
            for table in ("readings", "details", "latest", "telegrams", "receptions")
            for row in sorted(connection.exec_driver_sql(f"SELECT * FROM {table}"), key=repr)
        ]


@st.composite
def transmissions(draw):
    """Telegrams of three meters, one of them encrypted, heard by gateways with good and with bad clocks."""
    heard = []
    for _ in range(draw(st.integers(1, 6))):
        meter = draw(st.sampled_from([12345678, 12345679, 55555555]))
        litres = draw(st.integers(0, 3))
        start = draw(st.integers(0, 30))
        for gateway in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3)):
            late, live = draw(st.integers(0, 4)), draw(st.booleans())
            heard.append((meter, litres, gateway, start + late, live))
    return heard


def deliveries(make, heard):
    for seq, (meter, litres, gateway, second, live) in enumerate(heard):
        key = make.KEY if meter == 12345679 else None
        due = make.litres(500, storage=1) + bytes.fromhex("426c5f31")
        frame = make.frame(meter, access=litres, payload=make.litres(1000 + litres) + due, key=key)
        at = make.NOON + timedelta(seconds=second)
        clock = {} if live else {"ts_src": "none", "hist": True}
        yield make.up(make.item(frame, seq, at=at, **clock), gateway=gateway, at=at)


@given(heard=transmissions())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replay_of_an_unchanged_archive_changes_nothing(new_store, make, heard):
    store = new_store(12345678, 12345679, keys={12345679: make.KEY})
    pipeline = Pipeline(store)
    for delivery in deliveries(make, heard):
        pipeline.accept([delivery])
    before = content(store)
    replay = Replay(store)
    assert replay.compare(EVER).same
    assert replay.run(EVER).same
    assert content(store) == before
    store.close()


def test_a_late_key_heals_what_was_held(new_store, make, see):
    store = new_store(12345678)
    assert see.outcomes(store, make.up(make.item(make.frame(key=make.KEY), 1))) == ["held missing_key"]
    with store.writing() as tx:
        tx.keyring.put([(make.meter(), make.KEY)])
    report = Replay(store).mend(make.meter())
    assert (report.telegrams, report.healed, report.counts) == (1, 1, Counter({Kind.NEW: 1}))
    assert [why for _, why in report.whys] == [next(iter(report.whys))[1]]
    assert "was held missing_key" in next(iter(report.whys))[1]
    assert see.volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]
    assert see.telegrams(store)[0].state is TelegramState.STORED


def test_healed_later_or_read_at_once_is_the_same(new_store, make):
    """But for the times at which keys came."""
    sent = [make.up(make.item(make.frame(access=n, key=make.KEY), n)) for n in range(5)]
    early, late = new_store(12345678, keys={12345678: make.KEY}), new_store(12345678)
    Pipeline(early).accept(sent)
    Pipeline(late).accept(sent)
    with late.writing() as tx:
        tx.keyring.put([(make.meter(), make.KEY)])
    Replay(late).mend(make.meter())
    assert content(late) == content(early)


def test_a_meter_registered_late_heals_its_past(new_store, make, see):
    store = new_store(12345678)
    stranger = make.meter(55555555)
    assert see.outcomes(store, make.up(make.item(make.frame(55555555), 1))) == ["foreign"]
    with store.writing() as tx:
        tx.registry.put_meters([Meter(stranger)])
        assert tx.upkeep.to_mend(10)[stranger] == 1
    assert Replay(store).mend(stranger).healed == 1
    assert see.volumes(store, stranger) == [(make.NOON, Decimal("7.704"))]


def test_a_foreign_telegram_without_its_key_is_held_once_registered(new_store, make, see):
    store = new_store(12345678)
    see.outcomes(store, make.up(make.item(make.frame(55555555, key=make.KEY), 1)))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter(55555555))])
    assert Replay(store).mend(make.meter(55555555)).healed == 0
    (telegram,) = see.telegrams(store)
    assert (telegram.state, telegram.reason) == (TelegramState.HELD, "missing_key")


def test_a_key_holds_for_telegrams_of_its_time_only(new_store, make, see):
    store = new_store(12345678)
    with store.writing() as tx:
        ended = KeyPeriod(make.KEY, valid_to=make.NOON)
        tx.keyring.put_periods([(make.meter(), ended)])
    frame = make.frame(key=make.KEY)
    earlier = make.NOON - timedelta(hours=1)
    assert see.outcomes(store, make.up(make.item(frame, 1))) == ["held missing_key"]
    assert see.outcomes(store, make.up(make.item(frame, 2, at=earlier), at=earlier)) == ["stored"]


def test_what_is_waited_for_again_meanwhile_is_not_lost(new_store, make):
    """A key that comes while the telegrams of its meter are tried makes them tried once more."""
    store = new_store(12345678)
    with store.writing() as tx:
        asked = tx.upkeep.to_mend(1)[make.meter()]
        tx.keyring.put([(make.meter(), make.KEY)])
        tx.upkeep.mended(make.meter(), asked)
        assert tx.upkeep.to_mend(1) == {make.meter(): asked + 1}
        tx.upkeep.mended(make.meter(), asked + 1)
        assert tx.upkeep.to_mend(1) == {}


def test_a_dry_run_tells_what_a_run_does(new_store, make):
    store = new_store(12345678)
    Pipeline(store).accept([make.up(make.item(make.frame(), 1))])
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("UPDATE readings SET value = '9.9'")
    replay, before = Replay(store), content(store)
    told = replay.compare(EVER)
    assert content(store) == before
    done = replay.run(EVER)
    assert told == done
    assert done.counts == Counter({Kind.CHANGED: 1})
    ((_, why),) = done.whys
    assert why == "value 9.9 -> 7.704"
    assert replay.compare(EVER).same


def test_nothing_is_taken_away_for_want_of_a_key(new_store, make):
    store = new_store(12345678, keys={12345678: make.KEY})
    Pipeline(store).accept([make.up(make.item(make.frame(key=make.KEY), 1))])
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("DELETE FROM meter_keys")
        new_edition(connection)
    before = content(store)
    report = Replay(store).run(EVER)
    assert (report.same, report.unreadable) == (True, Counter({"missing_key": 1}))
    assert content(store) == before


def test_a_replay_that_is_interrupted_goes_on_where_it_was(new_store, make, monkeypatch):
    monkeypatch.setattr(ingest.replay, "_CHUNK", 2)
    store = new_store(12345678)
    Pipeline(store).accept([make.up(make.item(make.frame(access=n), n)) for n in range(7)])

    def interrupted(number: int) -> None:
        if number == 4:
            raise StoreUnavailable("the lights went out")

    replay = Replay(store)
    with pytest.raises(StoreUnavailable):
        replay.run(EVER, interrupted)
    assert replay.run(EVER).telegrams == 3
    assert replay.run(EVER).telegrams == 7


def test_a_scope_is_a_meter_and_a_time(new_store, make):
    store = new_store(12345678, 12345679)
    hours = [make.NOON + timedelta(hours=n) for n in range(4)]
    Pipeline(store).accept(
        [make.up(make.item(make.frame(access=n), n, at=at), at=at) for n, at in enumerate(hours)]
    )
    Pipeline(store).accept([make.up(make.item(make.frame(12345679), 9))])
    replay = Replay(store)
    assert replay.compare(Scope(meter=make.meter(12345679))).telegrams == 1
    assert replay.compare(Scope(since=hours[1], until=hours[3])).telegrams == 2


# --- differences ---------------------------------------------------------------------------------


@pytest.fixture
def reading(make):
    def make_one(value="7.7", register="volume", **other):
        source = Provenance(1, "roof", "kamwater", "nurt 1")
        made = Reading(
            make.meter(),
            Register.parse(register),
            Decimal(value),
            "m3",
            make.NOON,
            make.NOON,
            Way.RADIO,
            Quality.RAW,
            source,
        )
        return dataclasses.replace(made, **other)

    return make_one


def test_each_difference_has_its_name_and_its_reason(reading, make):
    renamed = Provenance(1, "roof", "kamwater", "nurt 2")
    found = list(
        changes(
            [reading(), reading(register="energy"), reading(register="date_of"), reading(register="gone")],
            [
                reading(provenance=renamed),
                reading("8", register="energy"),
                reading(register="date_of", received_at=make.NOON + timedelta(1)),
                reading(register="came"),
            ],
        )
    )
    told = {change.kind: (change.reading.register.key, change.why) for change in found}
    assert told == {
        Kind.RENAMED: ("volume", "rules nurt 1 -> nurt 2"),
        Kind.CHANGED: ("energy", "value 7.7 -> 8"),
        Kind.GONE: ("gone", "was read by kamwater, nurt 1"),
        Kind.NEW: ("came", "read by kamwater, nurt 1"),
    }


def test_how_sure_the_clock_was_stays_as_it_was_told_at_reception(reading):
    unsure = reading(quality=Quality.CLOCK_UNSURE)
    assert list(changes([unsure], [reading()])) == []
    (change,) = changes([unsure], [reading(quality=Quality.METER_ERROR)])
    assert change.kind is Kind.CHANGED


def test_details_come_and_go():
    assert changed_details([], []) == ([], [])
