"""One transmission is one telegram, whoever heard it and however often it is delivered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ingest.items import Delivery
from ingest.routes import Route, Router
from metering.meter import Meter
from metering.ports import TelegramState


def test_a_known_number_is_a_duplicate_whatever_it_carries(store, make, see):
    first = make.up(make.item(make.frame(), 1))
    again = make.up(make.item(make.frame(), 1), {"k": "frame", "boot": "b1", "seq": 1, "hex": "zz"})
    assert see.outcomes(store, first) == ["stored"]
    assert see.outcomes(store, again) == ["duplicate", "duplicate"]
    assert len(see.telegrams(store)) == 1


def test_a_transmission_heard_by_three_gateways_is_one_telegram(store, make, see):
    frame = make.frame()
    heard = [make.up(make.item(frame, 1, rssi=-60 - n), gateway=f"gw{n}") for n in range(3)]
    assert see.outcomes(store, heard[0], heard[1]) == ["stored", "duplicate"]
    assert see.outcomes(store, heard[2]) == ["duplicate"]
    [telegram] = see.telegrams(store)
    assert [(one.gateway, one.rssi_dbm) for one, _ in telegram.receptions] == [
        ("gw0", -60),
        ("gw1", -61),
        ("gw2", -62),
    ]
    assert len(see.volumes(store, make.meter())) == 1


def test_identical_bytes_later_than_the_window_are_a_new_telegram(store, make, see):
    frame = make.frame()
    later = make.NOON + timedelta(seconds=16)
    assert see.outcomes(store, make.up(make.item(frame, 1))) == ["stored"]
    assert see.outcomes(store, make.up(make.item(frame, 2, at=later), at=later)) == ["stored"]
    assert [when for when, _ in see.volumes(store, make.meter())] == [make.NOON, later]


def test_an_earlier_reception_that_comes_late_moves_the_telegram(store, make, see):
    frame, earlier = make.frame(), make.NOON - timedelta(seconds=2)
    assert see.outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["stored"]
    assert see.outcomes(store, make.up(make.item(frame, 1, at=earlier, hist=True), gateway="b")) == [
        "duplicate"
    ]
    assert [telegram.heard_at for telegram in see.telegrams(store)] == [earlier]
    assert [when for when, _ in see.volumes(store, make.meter())] == [earlier]


def test_a_reception_between_two_telegrams_makes_them_one(store, make, see):
    frame, step = make.frame(), timedelta(seconds=4)
    ends = [make.up(make.item(frame, n, at=make.NOON + 2 * n * step), gateway="a") for n in (0, 1)]
    assert see.outcomes(store, ends[1], ends[0]) == ["stored", "stored"]
    assert see.outcomes(store, make.up(make.item(frame, 1, at=make.NOON + step), gateway="b")) == [
        "duplicate"
    ]
    [telegram] = see.telegrams(store)
    assert [one.heard_at for one, _ in telegram.receptions] == [
        make.NOON,
        make.NOON + step,
        make.NOON + 2 * step,
    ]
    assert see.volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]


def test_merging_a_foreign_with_a_stored_telegram_keeps_the_reading(new_store, make, see):
    store = new_store(99)
    frame, step = make.frame(), timedelta(seconds=4)
    assert see.outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["foreign"]
    with store.writing() as transaction:
        transaction.registry.put_meters([Meter(make.meter())])
    assert see.outcomes(store, make.up(make.item(frame, 2, at=make.NOON + 2 * step), gateway="a")) == [
        "stored"
    ]
    assert see.outcomes(store, make.up(make.item(frame, 1, at=make.NOON + step), gateway="b")) == [
        "duplicate"
    ]
    assert [telegram.state for telegram in see.telegrams(store)] == [TelegramState.STORED]
    assert see.volumes(store, make.meter()) == [(make.NOON, Decimal("7.704"))]


def test_a_held_telegram_heard_again_stays_held(new_store, make, see):
    store = new_store(12345678)
    frame = make.frame(key=make.KEY)
    assert see.outcomes(store, make.up(make.item(frame, 1), gateway="a")) == ["held missing_key"]
    with store.writing() as transaction:
        transaction.keyring.put([(make.meter(), make.KEY)])
    assert see.outcomes(store, make.up(make.item(frame, 1), gateway="b")) == ["duplicate"]
    assert [telegram.state for telegram in see.telegrams(store)] == [TelegramState.HELD]


HEX = Router([Route("wmbus/+/telegram", "hex")])


def bare(make, seconds: float = 0, **more) -> Delivery:
    return make.bare(make.frame(), at=make.NOON + timedelta(seconds=seconds), **more)


def test_a_delivery_the_broker_repeats_is_a_duplicate_though_it_has_no_number(store, make, see):
    assert see.outcomes(store, bare(make), router=HEX) == ["stored"]
    repeated = bare(make, 3 * 86400, redelivered=True)
    assert see.outcomes(store, repeated, router=HEX) == ["duplicate"]
    assert [len(telegram.receptions) for telegram in see.telegrams(store)] == [1]


@pytest.mark.parametrize("other", [{"gateway": "cellar"}, {"seconds": 8 * 86400}])
def test_a_repeated_delivery_nobody_saw_before_is_stored(store, make, other, see):
    assert see.outcomes(store, bare(make), router=HEX) == ["stored"]
    more = {"seconds": 60, **other}
    assert see.outcomes(store, bare(make, redelivered=True, **more), router=HEX) == ["stored"]


def test_a_repeated_delivery_in_the_batch_of_the_first_is_a_duplicate(store, make, see):
    first, again = bare(make), bare(make, 30, redelivered=True)
    assert see.outcomes(store, first, again, router=HEX) == ["stored", "duplicate"]


def test_the_same_unnumbered_reception_twice_is_one_reception(store, make, see):
    """rtl_wmbus prints a telegram once per receiving algorithm."""
    delivery = bare(make)
    assert see.outcomes(store, delivery, delivery, router=HEX) == ["stored", "duplicate"]
    assert see.outcomes(store, delivery, router=HEX) == ["duplicate"]
    assert [len(telegram.receptions) for telegram in see.telegrams(store)] == [1]


def test_a_spool_of_days_joins_each_telegram_of_a_meter_that_repeats_identical_bytes(store, make, see):
    """Days later a second gateway brings what it heard of the same bytes: each joins its own telegram."""
    step, frame = timedelta(minutes=20), make.frame()
    late = timedelta(days=3)
    live = [make.item(frame, n, at=make.NOON + n * step) for n in range(30)]
    assert set(see.outcomes(store, make.up(*live, gateway="a", at=make.NOON + late))) == {"stored"}
    spool = [
        make.item(frame, n, at=make.NOON + n * step + timedelta(seconds=2), hist=True) for n in range(30)
    ]
    assert set(see.outcomes(store, make.up(*spool, gateway="b", at=make.NOON + late))) == {"duplicate"}
    heard = [[(one.gateway, one.seq) for one, _ in telegram.receptions] for telegram in see.telegrams(store)]
    assert heard == [[("a", n), ("b", n)] for n in range(30)]
