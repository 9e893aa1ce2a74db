"""Whose turn it is: one lease in the database, so that of many processes on many hosts one does a thing.

::

    due, and nobody holds it --take--> held --hold, in each transaction that keeps something--> held
                                        |                                                        |
                                        +--done: not due again before the next slot        lease runs out:
                                                                                           another may take it

Who holds it says so again in every transaction that writes: one whose lease ran out and was taken by another
writes nothing more. Clocks of hosts may differ by a good part of the lease.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from metering.errors import StoreError
from metering.ports import Clock, Store, Transaction

__all__ = ["SCAN", "Standing", "Turn", "TurnLost", "standing_of"]

SCAN = "anomaly.turn"
LEASE = timedelta(minutes=3)


class TurnLost(StoreError):
    """Another process took over meanwhile; what was to be kept is left to it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of a turn.

    Attributes:
        holder: who holds it; empty if nobody does.
        until: when the lease runs out; UTC seconds.
        slot: the last one done.
        began: when the last one done began, UTC seconds; 0 if none was.
        ended: when it ended.
        outcome: numbers it left.
    """

    holder: str = ""
    until: float = 0.0
    slot: int = -1
    began: float = 0.0
    ended: float = 0.0
    outcome: Mapping[str, float] | None = None

    def held(self, now: datetime) -> bool:
        """Whether somebody holds it now."""
        return bool(self.holder) and now.timestamp() < self.until


class Turn:
    """One process's view of a turn."""

    def __init__(self, store: Store, clock: Clock, name: str = SCAN) -> None:
        """Prepare; nothing is asked yet."""
        self._store = store
        self._clock = clock
        self._name = name
        self._began = 0.0
        self.me = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(3)}"

    def is_due(self, every: timedelta) -> bool:
        """Whether the present slot is not done and nobody is at it."""
        now = self._clock.now()
        with self._store.reading() as tx:
            standing = standing_of(tx, self._name)
        return not standing.held(now) and standing.slot < _slot(now, every)

    def take(self, every: timedelta | None = None) -> Standing | None:
        """Take the turn if it is due, or, without ``every``, at any time; gives who has it if we do not."""
        now = self._clock.now()
        with self._store.writing() as tx:
            said = tx.upkeep.mark(self._name)
            standing = _read(said)
            if standing.held(now) or (every is not None and standing.slot >= _slot(now, every)):
                return standing
            mine = replace(standing, holder=self.me, until=(now + LEASE).timestamp())
            if not tx.upkeep.change_mark(self._name, said, _text(mine)):
                return standing_of(tx, self._name)
        self._began = now.timestamp()
        return None

    def hold(self, tx: Transaction) -> None:
        """Say in a transaction that we are still at it.

        Raises:
            TurnLost: somebody else is.
        """
        said = tx.upkeep.mark(self._name)
        standing = _read(said)
        mine = replace(standing, until=(self._clock.now() + LEASE).timestamp())
        if standing.holder != self.me or not tx.upkeep.change_mark(self._name, said, _text(mine)):
            raise TurnLost(
                f"{standing.holder or 'another process'} took the turn over; nothing more is kept here"
            )

    def done(self, every: timedelta | None, outcome: Mapping[str, float]) -> None:
        """Give the turn back; the slot it began in is done.

        Raises:
            TurnLost: it was not ours any more.
        """
        began = datetime.fromtimestamp(self._began, UTC)
        with self._store.writing() as tx:
            self.hold(tx)
            slot = standing_of(tx, self._name).slot if every is None else _slot(began, every)
            self._put(tx, Standing("", 0.0, slot, self._began, self._clock.now().timestamp(), outcome))

    def give_up(self, every: timedelta | None = None) -> None:
        """Give the turn back undone, if it is ours; with ``every`` it is due in the next slot only."""
        with self._store.writing() as tx:
            standing = standing_of(tx, self._name)
            if standing.holder == self.me:
                slot = standing.slot if every is None else _slot(self._clock.now(), every)
                self._put(tx, replace(standing, holder="", until=0.0, slot=max(slot, standing.slot)))

    def _put(self, tx: Transaction, standing: Standing) -> None:
        tx.upkeep.set_mark(self._name, _text(standing))


def standing_of(tx: Transaction, name: str = SCAN) -> Standing:
    """Read a turn."""
    return _read(tx.upkeep.mark(name))


def _read(said: str) -> Standing:
    return Standing(**json.loads(said)) if said else Standing()


def _text(standing: Standing) -> str:
    return json.dumps(asdict(standing))


def _slot(now: datetime, every: timedelta) -> int:
    return int(now.timestamp() // max(every.total_seconds(), 1e-3))
