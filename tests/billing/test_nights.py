"""The nightly round: states taken over, late reads proposed, books compared; once a night."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from street import OLD, Street, at, utility

from billing_bridge.self_reading import Channel
from metering.billing import ExceptionKind
from metering.clock import FixedClock
from metering.store import memory_store
from service.billing_nightly import due, night_round
from service.billing_self_reading import SelfReadings
from service.settings_model import Settings

SETTINGS = Settings.model_validate({"billing": {"tenant": "wod", "self_reading_days": [25, 31]}})


@pytest.fixture
def street():
    clock = FixedClock(at(1))
    store = memory_store(clock)
    yield Street(store, clock, utility())
    store.close()


def test_it_is_due_once_a_local_night_from_the_hour_on():
    three = at(3, 10, 3)
    assert not due(SETTINGS, three - timedelta(minutes=1), None)
    assert due(SETTINGS, three, None)
    assert not due(SETTINGS, three + timedelta(hours=20), three)
    assert due(SETTINGS, three + timedelta(hours=24), three)
    off = Settings.model_validate({"billing": {"nightly_hour": None}})
    assert not due(off, three, None)


def test_a_quiet_night_asks_nothing(street):
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    street.close(at(1), at(2))
    night = night_round(SETTINGS, street.store, street.clock)
    assert (night.proposed, night.compared, night.differing) == (0, 1, 0)
    assert street.questions() == []


def test_late_reads_are_proposed_and_a_meter_that_says_less_is_told(street):
    """Billed to 110; that value is gone and 107.4 stands there: a correction, and less than billed."""
    street.house()
    street.sends((at(1), "100"), (at(2), "110"))
    street.close(at(1), at(2))
    with street.store.writing() as tx:
        tx.readings.remove(tx.readings.series(OLD, street.utility.register, at(2), at(2, 2)))
    street.sends((at(2), "107.4"), (at(2, 5), "108"), (at(2, 6), "108.1"), late=at(2, 7))
    street.clock.set(at(2, 8))
    night = night_round(SETTINGS, street.store, street.clock)
    assert (night.proposed, night.differing) == (1, 1)
    kinds = {one.about.kind for one in street.questions()}
    assert kinds == {ExceptionKind.CORRECTION, ExceptionKind.RECONCILIATION}
    again = night_round(SETTINGS, street.store, street.clock)
    assert again.proposed == 0
    assert len(street.questions()) == 2


def test_the_last_state_of_a_closed_window_is_taken_over(street):
    street.house()
    street.sends((at(1), "100"))
    book = SelfReadings(street.store, SETTINGS, street.clock)
    street.clock.set(at(1, 30, 12))
    assert book.window() == ("2026-01-25..2026-01-31", True)
    for state in ("107", "108"):
        assert book.enter("SP1", state, by="C1", channel=Channel.WEB).entry.value == Decimal(state)
    assert book.accept_due() == 0
    street.clock.set(at(2, 2))
    assert night_round(SETTINGS, street.store, street.clock).accepted == 1
    assert [(one.typed, one.accepted_at is not None) for one in book.history("SP1")] == [
        ("107", False),
        ("108", True),
    ]
    street.close(at(1), at(2), now=at(2, 3))
    assert street.volumes() == [8]


def test_outside_the_window_nothing_is_taken_and_it_is_kept_why(street):
    street.house()
    street.sends((at(1), "100"))
    street.clock.set(at(1, 10))
    book = SelfReadings(street.store, SETTINGS, street.clock)
    taken = book.enter("SP1", "105", by="C1", channel=Channel.WEB)
    assert "2026-01-25" in taken.entry.sentence("en")
    (kept,) = book.history("SP1")
    assert (kept.answer, kept.typed) == ("window_closed", "105")


def test_the_meter_s_own_fresh_index_bounds_a_state(street):
    """100 today by radio: 99.5 is too low, 102 too high; after five silent days 102 is taken."""
    street.house()
    street.sends((at(1, 26, 6), "100"))
    book = SelfReadings(street.store, SETTINGS, street.clock)

    def answer(state: str) -> str:
        return book.enter("SP1", state, by="C1", channel=Channel.WEB).entry.answer

    street.clock.set(at(1, 26, 12))
    assert [answer("99.5"), answer("102")] == ["below_sent", "above_sent"]
    street.clock.set(at(1, 31, 12))
    assert [answer("102"), answer("99.5")] == ["received", "below_booked"]
