"""A round killed before or after any commit: the next one does the rest, as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from street import Street, at, utility

from metering.checks import CheckMark
from metering.clock import FixedClock
from metering.meter import MeterId
from metering.store import memory_store
from service.billing_rounds import Rounds
from service.settings_model import Settings

SETTINGS = Settings.model_validate({"billing": {"tenant": "wod"}})
METERS = [MeterId("KAM", f"9000000{n}", "1b", "16") for n in range(3)]
LEASE = timedelta(minutes=4)


class Killed(BaseException):
    """The process is gone: nothing catches it, and nothing is written any more."""


class Mortal:
    """A store that is killed at a commit, before it or behind it, and dead from then on."""

    def __init__(self, store, commit: int, *, after: bool) -> None:
        self._store, self._left, self._after, self._dead = store, commit, after, False

    def reading(self):
        self._demand_life()
        return self._store.reading()

    @contextmanager
    def writing(self) -> Iterator:
        self._demand_life()
        self._left -= 1
        with self._store.writing() as tx:
            yield tx
            if self._left < 0 and not self._after:
                self._die()
        if self._left < 0:
            self._die()

    def _demand_life(self) -> None:
        if self._dead:
            raise Killed

    def _die(self) -> None:
        self._dead = True
        raise Killed


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("billing_bridge.arriving.BLOCK", 1)
    monkeypatch.setattr("billing_bridge.bridge.BATCH", 1)


def furnished() -> Street:
    """Three houses read daily: one with a wrong high state, one with a gap; January is billed."""
    clock = FixedClock(at(1))
    street = Street(memory_store(clock), clock, utility())
    for n, meter in enumerate(METERS):
        street.house(f"SP{n}", meter)
        days = [(at(1) + timedelta(days=day), f"{100 + day * 0.4:.1f}") for day in range(40)]
        if n == 0:
            days[20] = (days[20][0], "90000")
        if n == 1:
            del days[10:14]
        street.sends(*days, meter=meter)
    street.close(at(1), at(2))
    street.clock.set(at(2, 9, 8))
    return street


def kept(street: Street) -> tuple[object, ...]:
    """Everything a round leaves, without when."""
    with street.store.reading() as tx:
        found = tx.checks.found(METERS, at(1), at(3))
        marks: dict[MeterId, CheckMark] = dict(tx.checks.marks(METERS))
        days = dict(tx.checks.interval_marks(METERS))
        upkeep = [tx.upkeep.mark(f"billing.{name}") for name in ("days", "compared", "usage")]
    told = {meter: [(one.rule, one.at, one.value) for one in known] for meter, known in found.items()}
    return told, marks, days, upkeep


def test_killed_at_any_commit_the_next_round_does_the_rest():
    whole = furnished()
    Rounds(SETTINGS, whole.store, whole.clock).run()
    expected = kept(whole)
    assert {one for told in expected[0].values() for one, *_ in told} == {"R8", "I1"}
    whole.store.close()
    killed = 0
    for commit in range(40):
        for after in (False, True):
            street = furnished()
            try:
                Rounds(SETTINGS, Mortal(street.store, commit, after=after), street.clock).run()
            except Killed:
                killed += 1
            street.clock.set(street.clock.now() + LEASE)
            Rounds(SETTINGS, street.store, street.clock).run()
            assert kept(street) == expected, (commit, after)
            street.store.close()
        if killed < 2 * (commit + 1):
            break
    assert killed >= 20
