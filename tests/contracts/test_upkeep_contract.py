"""What every store promises about upkeep: gaps, mending, marks, foreign meters, keys with validity."""

from __future__ import annotations

from datetime import timedelta

import pytest

from metering.meter import Installation, Meter, ServicePoint
from metering.ports import KeyPeriod, Scope, TelegramState
from metering.uplink import GatewayState

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
OTHER_KEY = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
DAY = timedelta(days=1)


def test_gaps_are_told_newest_first_with_their_times(store, make):
    with store.writing() as tx:
        for n, seq in enumerate((1, 2, 5, 9)):
            tx.archive.add([make.telegram(bytes([n]), make.reception(at=60 * n, seq=seq))])
        tx.archive.remember_sequences([("cellar", "b", 3), ("cellar", "b", 5)])
    with store.reading() as tx:
        found = [(gap.gateway, gap.first, gap.last, gap.missing, gap.after) for gap in tx.ledger.gaps()]
        (of_cellar,) = tx.ledger.gaps("cellar")
        (boot,) = tx.ledger.boots("roof")
        assert tx.ledger.gaps("nobody") == []
    assert found == [
        ("roof", 6, 8, 3, make.at(120)),
        ("roof", 3, 4, 2, make.at(60)),
        ("cellar", 4, 4, 1, None),
    ]
    assert (of_cellar.first, of_cellar.after, of_cellar.before) == (4, None, None)
    assert (boot.first, boot.last, boot.came, boot.missing) == (1, 9, 4, 5)


def test_a_number_that_comes_late_closes_its_gap_and_joins_spans(store):
    with store.writing() as tx:
        tx.archive.remember_sequences([("roof", "b", 1), ("roof", "b", 3)])
        tx.archive.remember_sequences([("roof", "b", 2), ("roof", "b", 2**63 - 1)])
    with store.reading() as tx:
        assert [(gap.first, gap.last) for gap in tx.ledger.gaps()] == [(4, 2**63 - 2)]
        asked = [("roof", "b", n) for n in (0, 1, 2, 3, 4, 2**63 - 1)]
        assert tx.archive.known_sequences(asked) == {("roof", "b", n) for n in (1, 2, 3, 2**63 - 1)}


def test_a_gateway_s_newest_sign_of_life_is_kept(store, make):
    with store.writing() as tx:
        tx.ledger.note_alive("roof", make.at(60))
        tx.ledger.note_alive("roof", make.at(0))
        tx.ledger.set_gateway_state(GatewayState("roof", online=True, at=make.at(1)))
    with store.reading() as tx:
        (row,) = tx.ledger.gateways()
    assert (row.alive_at, row.state_at, row.online) == (make.at(60), make.at(1), True)


def test_new_meters_other_models_and_new_keys_ask_for_mending(store, make):
    with store.writing() as tx:
        tx.archive.add([make.telegram(b"1", state=TelegramState.FOREIGN)])
        tx.registry.put_meters([Meter(make.meter), Meter(make.other)])
        assert tx.upkeep.to_mend(10) == {make.meter: 1, make.other: 1}
        assert tx.upkeep.drop_idle() == 1
        tx.registry.put_meters([Meter(make.meter, label="Garden")])
        assert tx.upkeep.to_mend(10) == {make.meter: 1}
        tx.registry.put_meters([Meter(make.meter, model="kamwater")])
        tx.keyring.put([(make.meter, KEY)])
        assert tx.upkeep.to_mend(10) == {make.meter: 3}
        tx.upkeep.mended(make.meter, 2)
        assert tx.upkeep.to_mend(10) == {make.meter: 3}
        tx.upkeep.mended(make.meter, 3)
        assert tx.upkeep.to_mend(10) == {}


def test_who_waits_for_a_reason_is_told(store, make):
    with store.writing() as tx:
        tx.archive.add([make.telegram(b"1", state=TelegramState.HELD), make.telegram(b"2", meter=make.other)])
        assert tx.upkeep.waiting_for("missing_key") == [make.meter]
        assert tx.upkeep.waiting_for("unknown_layout") == []


def test_marks_are_kept(store):
    with store.writing() as tx:
        assert tx.upkeep.mark("replay") == ""
        tx.upkeep.set_mark("replay", "7")
        tx.upkeep.set_mark("replay", "9")
    with store.reading() as tx:
        assert tx.upkeep.mark("replay") == "9"


def test_foreign_telegrams_go_oldest_first_and_stay_counted(store, make):
    foreign = [
        make.telegram(bytes([n]), make.reception(at=-n * 86_400, seq=n), state=TelegramState.FOREIGN)
        for n in range(4)
    ]
    with store.writing() as tx:
        tx.archive.add(
            [*foreign, make.telegram(b"ours", make.reception("attic", at=-(10**7)), meter=make.other)]
        )
        tx.registry.put_meters([Meter(make.other)])
        assert tx.upkeep.count_foreign(make.noon - DAY) == 2
        assert tx.upkeep.forget_foreign(make.noon - DAY, 1) == 1
        assert tx.upkeep.forget_foreign(make.noon - DAY, 9) == 1
        assert tx.upkeep.forget_foreign(make.noon - DAY, 9) == 0
        assert [tx.archive.count(state) for state in (None, *TelegramState)] == [3, 1, 0, 2]
        (stranger,), number = tx.upkeep.strangers(make.noon - 30 * DAY)
        known = tx.archive.known_sequences([("roof", "9f3a11c2", n) for n in range(4)])
        assert tx.upkeep.strangers(make.noon + DAY) == ([], 0)
    assert (number, stranger.meter, stranger.heard, stranger.kept) == (1, make.meter, 4, 2)
    assert (stranger.first_heard, stranger.last_heard) == (make.noon - 3 * DAY, make.noon)
    assert (stranger.gateways, stranger.best_rssi_dbm, len(known)) == (["roof"], -71, 4)


def test_what_is_not_kept_is_counted_and_its_number_known(store, make):
    with store.writing() as tx:
        tx.archive.count_unkept(
            [(make.meter, make.reception(seq=5)), (make.meter, make.reception(at=1, seq=6))]
        )
        tx.archive.count_unkept([])
    with store.reading() as tx:
        (stranger,), _ = tx.upkeep.strangers(make.noon)
        assert tx.archive.known_sequences([("roof", "9f3a11c2", 5)]) == {("roof", "9f3a11c2", 5)}
        assert tx.archive.count() == 0
    assert (stranger.heard, stranger.kept, stranger.last_heard) == (2, 0, make.at(1))


def test_the_archive_is_walked_by_scope(store, make):
    frames = [make.telegram(bytes([n]), make.reception(at=n)) for n in range(3)]
    with store.writing() as tx:
        numbers = tx.archive.add([*frames, make.telegram(b"x", meter=make.other, state=TelegramState.HELD)])
        assert tx.archive.last_number() == numbers[-1]

        def ids(scope: Scope, **limits: int) -> list[int]:
            return [one.id for one in tx.archive.scan(scope, **limits)]

        assert ids(Scope()) == list(numbers)
        assert ids(Scope(), after=numbers[1], limit=1) == [numbers[2]]
        assert ids(Scope(meter=make.other)) == [numbers[3]]
        assert ids(Scope(states=(TelegramState.HELD,))) == [numbers[3]]
        assert ids(Scope(meter=make.meter, since=make.at(1), until=make.at(2))) == [numbers[1]]


# --- readings and keys ---------------------------------------------------------------------------


def test_readings_of_telegrams_are_told_known_and_removed_exactly(store, make):
    with store.writing() as tx:
        one, other = tx.archive.add([make.telegram(b"1"), make.telegram(b"2")])
        kept = make.reading("7.7", at=0, telegram=one)
        gone = make.reading("7.8", at=5, telegram=other)
        detail = make.detail(telegram=other)
        tx.readings.add([kept, gone])
        tx.readings.add_details([detail])
        assert tx.readings.of_telegrams([one, other, 99]) == {one: ([kept], []), other: ([gone], [detail])}
        strange = make.reading("7.8", at=5, meter=make.other)
        assert tx.readings.known([kept, gone, make.reading("9"), strange]) == [True, True, False, False]
        tx.readings.remove([gone, make.reading("9")], [detail])
        assert tx.readings.of_telegrams([one, other]) == {one: ([kept], [])}
        assert [reading.value for reading in tx.readings.latest(make.meter)] == [kept.value]


def test_keys_come_with_their_validity(store, make):
    with store.writing() as tx:
        changed = make.noon
        old, new = KeyPeriod(KEY, None, changed), KeyPeriod(OTHER_KEY, changed, None)
        assert tx.keyring.put_periods([(make.meter, old), (make.meter, new)]) == 2
        assert tx.keyring.put([(make.meter, KEY), (make.other, KEY)]) == 1
        assert tx.keyring.put_periods([(make.other, KeyPeriod(KEY, changed))]) == 0
    with store.reading() as tx:
        assert tx.keyring.periods([make.meter, make.other]) == {
            make.meter: [new, old],
            make.other: [KeyPeriod(KEY, changed)],
        }
        assert tx.keyring.having_keys() == [make.meter, make.other]
        assert tx.keyring.having_keys(after=make.meter, limit=5) == [make.other]
    assert KEY.hex() not in repr(old)
    assert str(KEY) not in repr(old)


def test_where_many_meters_hang_is_told_at_once(store, make):
    hung = [Installation(make.meter, "P", make.at(-9), make.at(0)), Installation(make.meter, "Q", make.at(0))]
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter), Meter(make.other)])
        tx.registry.put_service_points([ServicePoint("P"), ServicePoint("Q")])
        tx.registry.put_installations(hung)
        assert tx.registry.installations([make.meter, make.other]) == {make.meter: hung}


@pytest.mark.parametrize("before", ["", "old"])
def test_a_mark_is_changed_only_if_it_is_what_was_read(store, before):
    with store.writing() as tx:
        if before:
            tx.upkeep.set_mark("m", before)
        assert tx.upkeep.change_mark("m", before, "new")
        assert not tx.upkeep.change_mark("m", before, "newer")
        assert tx.upkeep.mark("m") == "new"
