"""Facts about what an answer makes of a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_bridge.outbox import SCHEDULE, Accepted, Gone, Refused, TryLater, next_step
from metering.outbox import OutboxItem, OutboxState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEM = OutboxItem(
    7,
    "cis",
    "br:1",
    "SP1",
    b"{}",
    sha256(b"{}").digest(),
    OutboxState.PENDING,
    1,
    NOON,
    "w1",
    NOON + timedelta(minutes=2),
    "",
    "",
    NOON,
    None,
)


def test_what_is_accepted_is_delivered():
    step = next_step(ITEM, Accepted("br:1", ITEM.sha256, "R-9"), NOON, 0)
    assert (step.item.state, step.item.receipt, step.item.settled_at) == (OutboxState.DELIVERED, "R-9", NOON)
    assert (step.item.lease_owner, step.item.lease_until, step.pause) == ("", None, None)


@pytest.mark.parametrize("lie", [Accepted("br:2"), Accepted("br:1", b"other"), Accepted("")])
def test_a_receiver_that_acknowledges_something_else_is_not_believed(lie):
    step = next_step(ITEM, lie, NOON, 0)
    assert step.item.state is OutboxState.PENDING
    assert step.item.next_at == NOON + timedelta(seconds=5)
    assert step.item.error.startswith("acknowledged")


def test_what_is_refused_is_dead():
    step = next_step(ITEM, Refused("422: other content"), NOON, 0)
    assert (step.item.state, step.item.error, step.pause) == (OutboxState.DEAD, "422: other content", None)


def test_a_receiver_that_is_gone_pauses_the_target_and_keeps_the_message():
    step = next_step(ITEM, Gone("410: gone"), NOON, 0)
    assert (step.item.state, step.item.next_at, step.pause) == (OutboxState.PENDING, NOON, "410: gone")


def test_attempts_come_later_and_later_and_end():
    """75 hours and a half from the first attempt to the last."""
    now, item, waits = NOON, ITEM, []
    while item.state is OutboxState.PENDING:
        item = next_step(item, TryLater("503"), now, 0).item
        if item.state is OutboxState.PENDING:
            waits.append(item.next_at - now)
            now, item = item.next_at, replace(item, attempt=item.attempt + 1)
    assert waits == list(SCHEDULE)
    assert sum(waits, timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)
    assert (item.state, item.error) == (OutboxState.DEAD, "503; given up after 10 attempts")


def test_what_the_receiver_asks_for_is_the_least_it_gets():
    asked = next_step(ITEM, TryLater("429", timedelta(hours=1)), NOON, 0)
    less = next_step(ITEM, TryLater("429", timedelta(seconds=1)), NOON, 0)
    assert asked.item.next_at == NOON + timedelta(hours=1)
    assert less.item.next_at == NOON + timedelta(seconds=5)


@given(st.integers(1, 9), st.floats(0, 1))
def test_chance_lengthens_a_pause_by_a_tenth_at_most(attempt, jitter):
    wait = next_step(replace(ITEM, attempt=attempt), TryLater("503"), NOON, jitter).item.next_at - NOON
    assert SCHEDULE[attempt - 1] <= wait <= SCHEDULE[attempt - 1] * 1.1
