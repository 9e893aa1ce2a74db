"""What every outbox promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy.dialects import sqlite

from metering.clock import FixedClock
from metering.outbox import Attempt, KeyReused, Message, OutboxState, Pause
from metering.store import memory_store
from metering.store.sql.outbox import _due

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def message(number: int = 1, aggregate: str = "SP1", target: str = "cis", payload: bytes = b"{}") -> Message:
    return Message(target, f"br:wod:{aggregate}:2026-01:{number}", aggregate, payload)


def put(store, make, *messages: Message, at: float = 0) -> int:
    with store.writing() as tx:
        return tx.outbox.put(messages, make.at(at))


def claim(store, make, at: float = 0, owner: str = "w1", *, limit: int = 10, target: str = "cis"):
    with store.writing() as tx:
        return list(tx.outbox.claim(target, owner, make.at(at), MINUTE, limit))


def settle(store, make, claimed, at: float = 0, outcome: str = "", **said):
    with store.writing() as tx:
        return tx.outbox.settle(claimed, replace(claimed, **said), outcome, make.at(at))


def deliver(store, make, claimed, at: float = 0) -> bool:
    state = OutboxState.DELIVERED
    return settle(store, make, claimed, at, "200", state=state, receipt="R-1", settled_at=make.at(at))


def test_a_message_is_entered_once(store, make):
    assert put(store, make, message(), message(2)) == 2
    assert put(store, make, message(), message(3)) == 1
    with store.reading() as tx:
        items = tx.outbox.items("cis")
    assert [one.key[-1] for one in items] == ["1", "2", "3"]
    assert {one.state for one in items} == {OutboxState.PENDING}
    assert items[0].sha256 == sha256(b"{}").digest()
    assert items[0].payload == b"{}"
    assert (items[0].attempt, items[0].put_at, items[0].next_at) == (0, make.noon, make.noon)


def test_a_key_never_carries_another_payload(store, make):
    put(store, make, message())
    with pytest.raises(KeyReused, match="another content"):
        put(store, make, message(2), message(payload=b"[]"))
    with store.reading() as tx:
        assert [one.payload for one in tx.outbox.items("cis")] == [b"{}"]


def test_the_same_key_goes_to_several_targets(store, make):
    assert put(store, make, message(), message(target="erp", payload=b"[]")) == 2
    assert [one.payload for one in claim(store, make, target="erp")] == [b"[]"]


def test_what_was_put_in_a_transaction_that_failed_is_not_there(store, make):
    with pytest.raises(KeyReused):
        put(store, make, message(), message(2), message(payload=b"[]"))
    assert claim(store, make) == []


def test_a_claimed_message_is_not_claimed_again_before_its_lease_ends(store, make):
    put(store, make, message())
    (first,) = claim(store, make)
    assert (first.attempt, first.lease_owner, first.lease_until) == (1, "w1", make.at(60))
    assert claim(store, make, 59.9, "w2") == []
    (second,) = claim(store, make, 60, "w2")
    assert (second.attempt, second.lease_owner) == (2, "w2")


def test_who_lost_the_lease_settles_nothing(store, make):
    put(store, make, message())
    (first,) = claim(store, make)
    (second,) = claim(store, make, 61)
    assert not deliver(store, make, first, 62)
    with store.reading() as tx:
        assert tx.outbox.item("cis", first.key).state is OutboxState.PENDING
        assert len(tx.outbox.attempts("cis", first.key)) == 1
    assert deliver(store, make, second, 63)
    assert not deliver(store, make, second, 64)


def test_one_of_an_aggregate_leaves_at_a_time_in_order(store, make):
    put(store, make, message(1), message(2), message(1, "SP2"), message(3))
    (one, other) = claim(store, make)
    assert [one.key[-1], other.aggregate] == ["1", "SP2"]
    assert claim(store, make, 1) == []
    deliver(store, make, one)
    assert [claimed.key[-1] for claimed in claim(store, make, 2)] == ["2"]


def test_a_message_that_is_to_wait_holds_those_behind_it(store, make):
    put(store, make, message(1), message(2))
    (one,) = claim(store, make)
    later = {"lease_owner": "", "lease_until": None, "next_at": make.at(300), "error": "503"}
    settle(store, make, one, 1, "503", **later)
    assert claim(store, make, 299) == []
    with store.reading() as tx:
        assert tx.outbox.next_due("cis") == make.at(300)
    (again,) = claim(store, make, 300)
    assert (again.key, again.error, again.attempt) == (one.key, "503", 2)


def test_a_dead_message_holds_its_aggregate_until_replayed_or_dropped(store, make):
    put(store, make, message(1), message(2), message(3))
    (one,) = claim(store, make)
    settle(store, make, one, state=OutboxState.DEAD, error="422", lease_owner="", lease_until=None)
    assert claim(store, make, 999) == []
    with store.writing() as tx:
        assert tx.outbox.counts("cis")[OutboxState.DEAD] == 1
        assert tx.outbox.next_due("cis") is None
        assert not tx.outbox.replay("cis", message(2).key, make.at(1000))
        assert tx.outbox.replay("cis", one.key, make.at(1000))
        assert not tx.outbox.replay("cis", one.key, make.at(1000))
    (again,) = claim(store, make, 1000)
    assert (again.key, again.attempt) == (one.key, 1)
    settle(store, make, again, state=OutboxState.DEAD, error="422", lease_owner="", lease_until=None)
    with store.writing() as tx:
        assert tx.outbox.drop("cis", one.key, "corrected by hand", make.at(1001))
        assert not tx.outbox.drop("cis", one.key, "twice", make.at(1001))
        dropped = tx.outbox.item("cis", one.key)
    assert (dropped.state, dropped.error, dropped.settled_at) == (
        OutboxState.DROPPED,
        "corrected by hand",
        make.at(1001),
    )
    assert [claimed.key[-1] for claimed in claim(store, make, 1002)] == ["2"]


def test_a_paused_target_gets_nothing_and_others_do(store, make):
    put(store, make, message(), message(target="erp"))
    with store.writing() as tx:
        tx.outbox.pause("cis", "410: gone", make.noon)
        tx.outbox.pause("cis", "410: gone again", make.at(1))
    assert claim(store, make) == []
    assert len(claim(store, make, target="erp")) == 1
    with store.writing() as tx:
        assert tx.outbox.paused("cis") == Pause("cis", make.at(1), "410: gone again")
        assert tx.outbox.next_due("cis") is None
        assert tx.outbox.resume("cis")
        assert not tx.outbox.resume("cis")
        assert tx.outbox.paused("cis") is None
    assert len(claim(store, make, 2)) == 1


def test_every_sending_is_kept(store, make):
    put(store, make, message())
    (one,) = claim(store, make)
    settle(store, make, one, 1, "no answer", lease_owner="", lease_until=None)
    (again,) = claim(store, make, 2)
    deliver(store, make, again, 3)
    with store.reading() as tx:
        assert tx.outbox.attempts("cis", one.key) == [
            Attempt(make.at(1), "no answer"),
            Attempt(make.at(3), "200"),
        ]
        done = tx.outbox.item("cis", one.key)
    assert (done.state, done.receipt, done.settled_at) == (OutboxState.DELIVERED, "R-1", make.at(3))


def test_items_are_paged_by_number_and_chosen_by_state(store, make):
    put(store, make, *(message(1, f"SP{number}") for number in range(5)))
    (one, *_) = claim(store, make, limit=1)
    deliver(store, make, one)
    with store.reading() as tx:
        first = tx.outbox.items("cis", limit=2)
        rest = tx.outbox.items("cis", after=first[-1].number)
        waiting = tx.outbox.items("cis", [OutboxState.PENDING])
        counts = tx.outbox.counts("cis")
    assert [item.aggregate for item in (*first, *rest)] == [f"SP{number}" for number in range(5)]
    assert len(waiting) == counts[OutboxState.PENDING] == 4
    assert counts[OutboxState.DELIVERED] == 1
    assert counts[OutboxState.DEAD] == counts[OutboxState.DROPPED] == 0


def test_when_the_next_message_is_due_is_told(store, make):
    put(store, make, message(), at=5)
    with store.reading() as tx:
        assert tx.outbox.next_due("cis") == make.at(5)
        assert tx.outbox.next_due("erp") is None
    claim(store, make, 10)
    with store.reading() as tx:
        assert tx.outbox.next_due("cis") == make.at(70)


def test_claiming_walks_no_more_than_what_is_due():
    """A million registers close at once: a claim reads its rows by index, in order, sorting nothing."""
    statement = str(_due("cis", NOON, 10).compile(dialect=sqlite.dialect()))
    store = memory_store(FixedClock(NOON))
    with store.database.transaction(write=False) as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (0,) * statement.count("?"))
        plan = [row.detail for row in rows]
    store.close()
    assert plan == [
        "SEARCH outbox USING INDEX ix_outbox_due (target=? AND next_at<?)",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH earlier USING INDEX ix_outbox_unsettled (target=? AND aggregate=? AND id<?)",
    ]
