"""What ingest does beside taking telegrams in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build
from decoders.wmbus.compact import compact_frame
from ingest.items import Delivery
from ingest.judge import Judge
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.rules import Foreign, Rules
from ingest.upkeep import Keeping, Upkeep, forget, rules_in_force
from metering.clock import FixedClock
from metering.meter import Installation, Meter, ServicePoint
from metering.ports import TelegramState
from metering.rhythm import FEWEST, transmit_interval
from metering.store.memory import memory_store
from metering.upkeep import Grouping

STRANGER = 55555555
DAY = timedelta(days=1)


@pytest.fixture
def upkeep_of(clock):
    def make(store, judge=None, **keeping):
        judge = judge or Judge()
        return Upkeep(store, Replay(store, judge=judge), judge, clock=clock, keeping=Keeping(**keeping))

    return make


def kept(store, state: TelegramState) -> int:
    with store.reading() as view:
        return view.archive.count(state)


# --- mending -------------------------------------------------------------------------------------


def test_a_key_that_comes_late_heals_by_itself(new_store, make, see, upkeep_of):
    store = new_store(12345678)
    upkeep = upkeep_of(store)
    see.outcomes(store, *(make.up(make.item(make.frame(access=n, key=make.KEY), n)) for n in range(3)))
    upkeep.round()
    assert kept(store, TelegramState.HELD) == 3
    with store.writing() as tx:
        tx.keyring.put([(make.meter(), make.KEY)])
    upkeep.round()
    assert (kept(store, TelegramState.HELD), kept(store, TelegramState.STORED)) == (0, 3)
    with store.reading() as view:
        assert view.upkeep.to_mend(10) == {}


def test_a_key_of_a_radio_adapter_lets_everything_held_be_tried(new_store, make, see):
    """Whose telegrams it carries is not known before one of them opens."""
    store = new_store(12345678)
    see.outcomes(store, make.up(make.item(make.frame(key=make.KEY), 1)))
    with store.writing() as tx:
        tx.upkeep.mended(make.meter(), 1)
        tx.keyring.put([(make.meter(99999999), make.KEY)])
        assert make.meter() in tx.upkeep.to_mend(10)


def test_a_compact_frame_heard_before_its_layout_is_read_once_the_layout_was_heard(
    store, make, see, upkeep_of
):
    judge = Judge()
    pipeline, upkeep = Pipeline(store, judge=judge), upkeep_of(store, judge)
    full = bytes.fromhex("0413181E0000441310270000046D0F0A2137")
    early = compact_frame(full.replace(b"\x18\x1e", b"\x17\x1e"))
    pipeline.accept([make.up(make.item(build(make.meter(), early, header="none", ci=0x79), 1))])
    upkeep.round()
    assert kept(store, TelegramState.HELD) == 1
    pipeline.accept([make.up(make.item(build(make.meter(), full, header="none", ci=0x78), 2))])
    upkeep.round()
    assert kept(store, TelegramState.HELD) == 0
    assert sorted(value for _, value in see.volumes(store, make.meter())) == [
        Decimal("7.703"),
        Decimal("7.704"),
    ]


def test_after_a_new_release_what_is_held_is_tried_once(new_store, make, see, upkeep_of):
    store = new_store(12345678, keys={12345678: make.KEY})
    see.outcomes(store, make.up(make.item(make.frame(), 1)))
    with store.writing() as tx:
        (telegram,) = tx.archive.telegrams()
        tx.readings.remove(*tx.readings.of_telegram(telegram.id))
        tx.archive.set_state(telegram.id, TelegramState.HELD, "manufacturer_specific")
        tx.upkeep.mended(make.meter(), 1)
        tx.upkeep.mended(make.meter(), 2)
    upkeep = upkeep_of(store)
    upkeep.round()
    assert see.volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]
    with store.reading() as view:
        assert view.upkeep.mark("rules") == rules_in_force()


def test_the_thread_ends_when_told_and_survives_a_store_that_is_away(gate, clock):
    judge = Judge()
    keeping = Keeping(every_s=0.01)
    gate.away.set()
    upkeep = Upkeep(gate, Replay(gate, judge=judge), judge, clock=clock, keeping=keeping)
    upkeep.start()
    assert upkeep.stop(5)


# --- foreign meters ------------------------------------------------------------------------------


def test_foreign_telegrams_go_after_their_days_and_stay_counted(new_store, make, see):
    store = new_store(12345678)
    for n in range(9):
        at = make.NOON - n * DAY
        see.outcomes(store, make.up(make.item(make.frame(STRANGER, access=n), n, at=at, rssi=-60 - n), at=at))
    assert forget(store, FixedClock(make.NOON), Keeping(foreign=7 * DAY)) == (1, 0)
    assert kept(store, TelegramState.FOREIGN) == 8
    with store.reading() as view:
        (stranger,), number = view.upkeep.strangers(make.NOON - 30 * DAY)
        known = view.archive.known_sequences([("gw1", "b1", n) for n in range(9)])
    assert number == 1
    assert (stranger.meter, stranger.heard, stranger.kept) == (make.meter(STRANGER), 9, 8)
    assert (stranger.first_heard, stranger.last_heard) == (make.NOON - 8 * DAY, make.NOON)
    assert (stranger.gateways, stranger.best_rssi_dbm) == (["gw1"], -60)
    assert len(known) == 9


def test_telegrams_of_our_own_meters_never_go(new_store, make, see):
    store = new_store(12345678)
    see.outcomes(store, make.up(make.item(make.frame(), 1)))
    assert forget(store, FixedClock(make.NOON + 999 * DAY), Keeping(foreign=DAY)) == (0, 0)
    assert kept(store, TelegramState.STORED) == 1


def test_counted_means_nothing_is_kept_and_numbers_are_known_all_the_same(new_store, make):
    store = new_store(12345678)
    pipeline = Pipeline(store, rules=Rules(foreign=Foreign.COUNT))
    sent = make.up(make.item(make.frame(STRANGER), 1, rssi=-70))
    first, again = ([str(one.outcome) for one in pipeline.accept([sent])] for _ in range(2))
    assert (first, again) == (["foreign"], ["duplicate"])
    assert kept(store, TelegramState.FOREIGN) == 0
    with store.reading() as view:
        (stranger,), _ = view.upkeep.strangers(make.NOON)
        assert view.readings.latest(make.meter(STRANGER)) == []
    assert (stranger.heard, stranger.best_rssi_dbm, stranger.kept) == (1, -70, 0)


def test_stored_means_read_though_nobody_registered_it(new_store, make, see):
    store = new_store(12345678)
    pipeline = Pipeline(store, rules=Rules(foreign=Foreign.STORE))
    (result,) = pipeline.accept([make.up(make.item(make.frame(STRANGER), 1))])
    assert result.outcome == "stored"
    assert see.volumes(store, make.meter(STRANGER)) == [(make.NOON, Decimal("7.704"))]
    assert Replay(store, rules=Rules(foreign=Foreign.STORE)).mend(make.meter(STRANGER)).same


def test_a_registered_meter_is_no_stranger(new_store, make, see):
    store = new_store(12345678)
    see.outcomes(store, make.up(make.item(make.frame(STRANGER), 1)))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter(STRANGER))])
        assert tx.upkeep.strangers(make.NOON) == ([], 0)


# --- gateways ------------------------------------------------------------------------------------


def test_health_shows_a_gateway_alive_and_a_kept_message_does_not(store, make):
    pipeline = Pipeline(store)
    pipeline.accept([Delivery("amr/1/gw1/health", b"{}", make.NOON, retained=True)])
    with store.reading() as view:
        assert [row.alive_at for row in view.ledger.gateways()] == [None]
    pipeline.accept([Delivery("amr/1/gw1/health", b"{}", make.NOON)])
    with store.reading() as view:
        (row,) = view.ledger.gateways()
    assert (row.alive_at, row.last_heard, row.received) == (make.NOON, None, 0)


def test_missing_numbers_are_gaps_until_they_come(store, make, see):
    def gaps():
        with store.reading() as view:
            return [(gap.first, gap.last, gap.after, gap.before) for gap in view.ledger.gaps("gw1")]

    minutes = {n: make.NOON + timedelta(minutes=n) for n in (1, 2, 5, 9)}
    for n, at in minutes.items():
        see.outcomes(store, make.up(make.item(make.frame(access=n), n, at=at), at=at))
    assert gaps() == [(6, 8, minutes[5], minutes[9]), (3, 4, minutes[2], minutes[5])]
    see.outcomes(store, make.up(*(make.item(make.frame(access=n), n) for n in (6, 3, 8, 7, 4))))
    assert gaps() == []
    with store.reading() as view:
        (boot,) = view.ledger.boots("gw1")
    assert (boot.first, boot.last, boot.came, boot.missing) == (1, 9, 9, 0)


@given(numbers=st.lists(st.lists(st.integers(0, 30), min_size=1), max_size=8))
@settings(max_examples=60, deadline=None)
def test_numbers_in_any_order_are_known_and_what_lies_between_is_missing(numbers):
    store = memory_store(FixedClock(datetime(2026, 3, 2, tzinfo=UTC)))
    for batch in numbers:
        with store.writing() as tx:
            tx.archive.remember_sequences(("roof", "b", n) for n in batch)
    came = {n for batch in numbers for n in batch}
    asked = {("roof", "b", n) for n in range(-1, 33)}
    with store.reading() as view:
        assert {n for _, _, n in view.archive.known_sequences(asked)} == came
        missing = {n for gap in view.ledger.gaps("roof") for n in range(gap.first, gap.last + 1)}
    assert missing == set(range(min(came, default=0), max(came, default=0))) - came
    store.close()


# --- rhythms and coverage ------------------------------------------------------------------------


@given(
    interval=st.integers(10, 100_000),
    heard=st.lists(st.integers(1, 3), min_size=12, max_size=40),
    jitter=st.lists(st.floats(-0.05, 0.05), min_size=40, max_size=40),
)
@settings(max_examples=100, deadline=None)
def test_the_interval_is_learnt_though_telegrams_are_missed(interval, heard, jitter):
    """As long as a good part of the telegrams came; ten times one of two is heard after the other."""
    steps = [*heard, *([1] * len(heard))]
    place, times = 0, []
    for step, shake in zip(steps, [*jitter, *jitter], strict=False):
        place += step
        times.append(datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=(place + shake) * interval))
    learnt = transmit_interval(times)
    assert learnt is not None
    assert abs(learnt.total_seconds() - interval) <= interval * 0.12


def test_a_meter_heard_too_seldom_has_no_rhythm(make):
    assert transmit_interval([make.NOON + n * DAY for n in range(FEWEST - 1)]) is None


def test_rhythms_are_learnt_and_silence_is_judged_by_them(new_store, make, see, upkeep_of):
    store = new_store(12345678, 12345679)
    for n in range(10):
        at = make.NOON - (9 - n) * timedelta(minutes=15)
        see.outcomes(store, make.up(make.item(make.frame(access=n), n, at=at), at=at))
    upkeep_of(store).round()
    with store.reading() as view:
        assert view.coverage.unlearnt(make.NOON - DAY, 10) == []
        soon = view.coverage.silent(make.NOON + timedelta(minutes=40), 3)
        later = view.coverage.silent(make.NOON + timedelta(minutes=50), 3)
    assert [one.meter for one in soon] == [make.meter(12345679)]
    assert [(one.meter, one.interval) for one in later] == [
        (make.meter(12345679), None),
        (make.meter(12345678), timedelta(minutes=15)),
    ]


def test_who_is_read_and_who_hangs_on_one_gateway(new_store, make, see):
    store = new_store(12345678, 12345679)
    with store.writing() as tx:
        tx.registry.put_service_points(
            [ServicePoint("P1", "", "north", "R1"), ServicePoint("P2", "", "south")]
        )
        tx.registry.put_installations(
            [
                Installation(make.meter(12345678), "P1", make.NOON - DAY),
                Installation(make.meter(12345679), "P2", make.NOON),
            ]
        )
    heard = make.item(make.frame(), 1, rssi=-60), make.item(make.frame(12345679, key=make.KEY), 2, rssi=-90)
    see.outcomes(
        store, make.up(*heard, gateway="a"), make.up(make.item(make.frame(), 1, rssi=-80), gateway="b")
    )
    with store.reading() as view:
        by_district = [
            (one.group, one.meters, one.read) for one in view.coverage.success(Grouping.DISTRICT, make.NOON)
        ]
        by_route = [
            (one.group, one.meters, one.read) for one in view.coverage.success(Grouping.ROUTE, make.NOON)
        ]
        late = [one.read for one in view.coverage.success(Grouping.DISTRICT, make.NOON + DAY)]
        gateways = view.coverage.by_gateway(make.NOON)
        lonely = view.coverage.lonely(make.NOON)
        signal = view.coverage.signal(make.meter(12345678), make.NOON - DAY, make.NOON)
    assert by_district == [("north", 1, 1), ("south", 1, 0)]
    assert by_route == [("", 1, 0), ("R1", 1, 1)]
    assert late == [0, 0]
    assert [(one.gateway, one.meters, one.read, one.alone, one.mean_rssi_dbm) for one in gateways] == [
        ("a", 2, 1, 1, -75),
        ("b", 1, 1, 0, -80),
    ]
    assert [(one.meter, one.gateway) for one in lonely] == [(make.meter(12345679), "a")]
    assert [(one.gateway, one.heard, one.mean_rssi_dbm) for one in signal] == [("a", 1, -60), ("b", 1, -80)]
