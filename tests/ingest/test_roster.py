"""Who leads: one at a time, without an election, whoever comes and goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.roster import Load, Member, Roster, members_of, strike_off
from metering.clock import FixedClock, SystemClock
from metering.store.memory import memory_store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds: float) -> FixedClock:
    return FixedClock(NOON + timedelta(seconds=seconds))


@pytest.fixture
def signing(store):
    """Give signers by name; each call signs at a time, and says whether it leads then."""
    rosters: dict[str, Roster] = {}

    def sign(name: str, seconds: float, *, away: bool = False) -> bool:
        roster = rosters.setdefault(name, Roster(store, Member(name, "box", ["a/#"], NOON), clock=at(0)))
        roster._clock = at(seconds)
        roster.sign(away=away)
        return roster.leads

    return sign


def test_the_first_by_name_leads(signing):
    assert signing("b", 0)
    assert signing("a", 1)
    assert not signing("b", 2)
    assert signing("a", 3)


def test_one_that_ends_in_order_hands_over_at_once(signing):
    signing("a", 0)
    assert not signing("b", 1)
    assert not signing("a", 2, away=True)
    assert signing("b", 3)


def test_one_that_was_killed_is_followed_within_a_minute(signing):
    signing("a", 0)
    assert not signing("b", 49)
    assert signing("b", 51)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12))
def test_of_all_who_looked_just_now_exactly_one_leads(steps):
    store = memory_store(FixedClock(NOON), lambda: bytes(32))
    rosters = {name: Roster(store, Member(name, "box", [], NOON), clock=at(0)) for name in "abc"}
    running = set()
    for name, ends in steps:
        rosters[name].sign(away=ends)
        running = running - {name} if ends else running | {name}
    for roster in rosters.values():
        roster.look()
    assert [name for name in "abc" if rosters[name].leads] == sorted(running)[:1]
    store.close()


def test_what_is_written_can_be_read_and_struck_off(store, signing):
    signing("a", 0)
    signing("b", 5, away=True)
    with store.writing() as transaction:
        assert members_of(transaction) == [
            Member("a", "box", ["a/#"], NOON, listening=False, away=False),
            Member("b", "box", ["a/#"], NOON + timedelta(seconds=5), listening=False, away=True),
        ]
        strike_off(transaction, "a")
        assert [one.name for one in members_of(transaction)] == ["b"]


def test_the_thread_signs_says_that_it_listens_and_that_it_ends(store, gate):
    roster = Roster(store, Member("a", "box", [], NOON), clock=SystemClock())
    listening = False

    def entry() -> Member | None:
        with store.reading() as view:
            return next(iter(members_of(view)), None)

    roster.start(lambda: listening)
    gate.until(lambda: roster.leads, "it leads")
    assert not entry().listening
    listening = True
    gate.until(lambda: entry().listening, "it says that it listens")
    roster.stop(5)
    assert entry().away
    assert not roster.leads


def test_while_the_store_is_away_the_thread_goes_on(gate):
    gate.away.set()
    roster = Roster(gate, Member("a", "box", [], NOON), clock=SystemClock())
    roster.start(lambda: len(seen) > 3)
    seen = []
    gate.until(lambda: not seen.append(0) and len(seen) > 20, "some looks")
    gate.away.clear()
    gate.until(lambda: roster.leads, "it signs once the store is there")
    roster.stop(5)


def test_what_waits_too_long_is_told_once_and_so_is_its_end(gate):
    roster = Roster(gate, Member("a", "box", [], NOON, alarm_s=5), clock=SystemClock())
    load = Load()
    with capture_logs() as logs:
        roster.start(lambda: True, lambda: load)
        gate.until(lambda: roster.leads, "it signs")
        load = Load(queue_depth=7, oldest_s=6.4)
        gate.until(lambda: any(entry["event"] == "ingest.lagging" for entry in logs), "it is told")
        load = Load()
        gate.until(lambda: any(entry["event"] == "ingest.caught_up" for entry in logs), "its end is told")
        roster.stop(5)
    told = [entry for entry in logs if entry["event"].startswith("ingest.")]
    assert [(entry["event"], entry.get("oldest_s")) for entry in told] == [
        ("ingest.lagging", 6),
        ("ingest.caught_up", None),
    ]


def test_how_a_worker_does_is_read_as_it_was_signed(store):
    roster = Roster(store, Member("a", "box", [], NOON, alarm_s=5), clock=at(0))
    roster._load = lambda: Load(3, 7.5, 100, 90)
    roster.sign()
    with store.reading() as view:
        [member] = members_of(view)
    assert (member.load, member.alarm_s, member.late) == (Load(3, 7.5, 100, 90), 5, True)
