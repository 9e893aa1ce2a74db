"""Every item ends as exactly one of five and is counted once, in the transaction that stores it."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from ingest.items import Delivery
from ingest.pipeline import Pipeline
from metering.errors import StoreUnavailable
from metering.ports import Outcome


def test_received_is_the_sum_of_the_five_per_gateway(store, make, see):
    frame, foreign = make.frame(), make.frame(55555555)
    mixed = make.up(make.item(frame, 1), make.item(frame, 1), make.item(foreign, 2), {"k": 1}, gateway="a")
    garbage, held = (
        make.up(gateway="b"),
        make.up(make.item(make.frame(12345679, key=make.KEY), 1), gateway="b"),
    )
    see.outcomes(store, mixed, Delivery("amr/1/b/up", b"{", make.NOON), held, garbage)
    five = see.account(store)
    assert five["a"] == (
        4,
        {Outcome.STORED: 1, Outcome.DUPLICATE: 1, Outcome.FOREIGN: 1, Outcome.QUARANTINED: 1},
    )
    assert five["b"] == (2, {Outcome.QUARANTINED: 1, Outcome.HELD: 1})
    assert all(received == sum(ends.values()) for received, ends in five.values())


def test_what_a_gateway_says_of_itself_is_booked_and_counted_nowhere(store, make, see):
    online = Delivery(
        "amr/1/gw1/state", b'{"v":1,"state":"online","ts":"2026-03-02T11:00:00Z"}', make.NOON, retained=True
    )
    assert see.outcomes(store, online, Delivery("amr/1/gw1/health", b"{}", make.NOON)) == []
    with store.reading() as view:
        [row] = view.ledger.gateways()
    assert (row.online, row.state_at, row.received) == (True, make.NOON - timedelta(hours=1), 0)


def test_when_the_commit_fails_nothing_of_the_batch_is_kept(store, make, see):
    class Failing:
        reading = staticmethod(store.reading)

        @contextlib.contextmanager
        def writing(self):
            with store.writing() as transaction:
                yield transaction
                raise StoreUnavailable("disk full")

    delivery = make.up(make.item(make.frame(), 1), {"k": 1})
    with pytest.raises(StoreUnavailable):
        Pipeline(Failing()).accept([delivery])
    assert (see.telegrams(store), list(see.quarantined(store)), see.account(store)) == ([], [], {})
    assert see.outcomes(store, delivery) == ["stored", "quarantined bad_field"]


def test_an_empty_batch_is_fine(store, see):
    assert see.outcomes(store) == []


def test_a_delivery_can_be_refused_whole(store, make, see):
    delivery = make.up(make.item(make.frame(), 1))
    [result] = Pipeline(store).refuse(delivery, "internal_error", "a defect")
    assert (result.gateway, result.outcome, result.reason) == ("gw1", Outcome.QUARANTINED, "internal_error")
    assert [kept.payload for kept in see.quarantined(store)] == [delivery.payload]
