"""What every ledger promises."""

from __future__ import annotations

import pytest

from metering.errors import StoreError
from metering.ports import Outcome, Quarantined
from metering.uplink import GatewayState, GatewayWord


def item(make, payload=b"{", gateway="roof"):
    return Quarantined(
        id=0,
        gateway=gateway,
        topic="amr/1/roof/up",
        reason="bad_json",
        sentence="This is no JSON.",
        payload=payload,
        size=len(payload),
        received_at=make.noon,
    )


def test_counts_add_up_per_gateway(store, make):
    with store.writing() as tx:
        tx.ledger.count("roof", 3, {Outcome.STORED: 2, Outcome.HELD: 1}, make.at(9))
        tx.ledger.count("roof", 4, {Outcome.STORED: 1, Outcome.FOREIGN: 3}, make.at(5))
        tx.ledger.count("attic", 2, {Outcome.DUPLICATE: 1, Outcome.QUARANTINED: 1}, make.at(1))
    with store.reading() as tx:
        attic, roof = tx.ledger.gateways()
    assert (roof.name, roof.received, roof.last_heard) == ("roof", 7, make.at(9))
    assert {outcome: n for outcome, n in roof.outcomes.items() if n} == {
        Outcome.STORED: 3,
        Outcome.HELD: 1,
        Outcome.FOREIGN: 3,
    }
    assert (attic.name, attic.received, sum(attic.outcomes.values())) == ("attic", 2, 2)
    assert (attic.online, attic.state_at) == (None, None)


def test_received_is_the_sum_of_outcomes_or_nothing_is_booked(store, make):
    with pytest.raises(StoreError, match="3 items came, but 2 ended"), store.writing() as tx:
        tx.ledger.count("roof", 3, {Outcome.STORED: 2}, make.noon)
    with store.reading() as tx:
        assert list(tx.ledger.gateways()) == []


def test_what_a_gateway_says_is_kept_unless_it_is_old(store, make):
    said = [(10, True), (5, False), (10, False), (9, True)]
    seen = []
    for at, online in said:
        with store.writing() as tx:
            tx.ledger.set_gateway_state(GatewayState("roof", online, make.at(at), "9f3a11c2"))
            (row,) = tx.ledger.gateways()
        seen.append((row.online, row.state_at))
    assert seen == [(True, make.at(10)), (True, make.at(10)), (False, make.at(10)), (False, make.at(10))]
    assert (row.received, row.last_heard, sum(row.outcomes.values())) == (0, None, 0)


def test_quarantined_items_come_back_newest_first(store, make):
    with store.writing() as tx:
        tx.ledger.quarantine([item(make, payload=bytes([n])) for n in range(5)])
        tx.ledger.quarantine([])
    with store.reading() as tx:
        found = tx.ledger.quarantined(limit=2)
        rest = tx.ledger.quarantined(before=found[-1].id)
        one = tx.ledger.quarantined_item(found[0].id)
        assert tx.ledger.quarantined_item(found[0].id + 1) is None
    assert [one.payload for one in (*found, *rest)] == [b"\4", b"\3", b"\2", b"\1", b"\0"]
    assert one == found[0]
    assert (one.topic, one.reason, one.size, one.received_at) == ("amr/1/roof/up", "bad_json", 1, make.noon)


def test_a_large_item_is_cut_and_its_size_told(store, make):
    with store.writing() as tx:
        tx.ledger.quarantine([item(make, payload=b"x" * 100_000)])
    with store.reading() as tx:
        (found,) = tx.ledger.quarantined()
    assert (len(found.payload), found.size) == (65_536, 100_000)


def test_an_item_no_database_can_hold_as_it_is_does_not_stop_the_rest(store, make):
    with store.writing() as tx:
        tx.ledger.quarantine([item(make, gateway="?\0\udcff")])
        tx.ledger.count("ro\0of", 1, {Outcome.QUARANTINED: 1}, make.noon)
    with store.reading() as tx:
        assert [found.gateway for found in tx.ledger.quarantined()] == ["?\ufffd?"]
        assert [row.name for row in tx.ledger.gateways()] == ["ro\ufffdof"]


def test_of_what_is_said_by_and_to_a_gateway_the_newest_is_kept(store, make):
    said = [("health", 5, "old"), ("health", 9, "new"), ("health", 7, "late"), ("cfg/reported", 1, "{}")]
    for leaf, at, body in said:
        with store.writing() as tx:
            tx.ledger.keep_word(GatewayWord("roof", leaf, make.at(at), body, alive=True))
    with store.reading() as tx:
        assert list(tx.ledger.words()) == [
            GatewayWord("roof", "cfg/reported", make.at(1), "{}"),
            GatewayWord("roof", "health", make.at(9), "new"),
        ]
        assert [row.received for row in tx.ledger.gateways()] == [0], "no item: it is in no account"
