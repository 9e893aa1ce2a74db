"""Who takes telegrams in: the workers on one database, told by themselves, and the one that looks after it.

Every worker signs the roster every few seconds. The first by name among those that signed lately leads: it
alone mends, forgets and learns. There is nothing to elect and nothing to agree on but the database. Clocks
that differ may make two lead for a moment: each step of upkeep is one transaction, and done twice does no
harm.

A session of ours at the broker outlives us: the roster also remembers which are there, so that the one of a
worker that is gone for good can be emptied (:mod:`ingest.retirement`).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog

from metering.errors import StoreError
from metering.ports import Clock, Store, Transaction

__all__ = ["Member", "Roster", "members_of", "strike_off"]

_log = structlog.get_logger(__name__)

_MARK = "workers"
_SIGN_S = 15.0
_GONE = timedelta(seconds=50)
"""Three signatures missed: it is not there."""
_HASTE_S = 0.2
"""Seconds between two looks at what is to be signed anew at once."""
_LOOK_S = 3.0
"""Seconds between two looks at who is first."""


@dataclass(frozen=True, slots=True)
class Load:
    """How a worker does.

    Attributes:
        queue_depth: deliveries that wait for it in memory.
        oldest_s: age of the oldest delivery it has not acknowledged, seconds; 0 if there is none.
        received: deliveries since its start.
        items: items committed since its start.
    """

    queue_depth: int = 0
    oldest_s: float = 0.0
    received: int = 0
    items: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A worker and its session at the broker.

    Attributes:
        name: client id, the name of the session.
        host: machine it runs on.
        filters: what it subscribed to, as the broker has it.
        seen: when it signed last, UTC.
        listening: whether it is connected and subscribed.
        away: it said that it ends; its session stays at the broker.
        alarm_s: age of its oldest delivery not acknowledged from which on it is an alarm, seconds.
        load: how it did when it signed.
    """

    name: str
    host: str
    filters: Sequence[str]
    seen: datetime
    listening: bool = False
    away: bool = False
    alarm_s: float = 60.0
    load: Load = Load()

    def here(self, now: datetime) -> bool:
        """Whether it runs, as far as its signatures tell."""
        return not self.away and abs(now - self.seen) < _GONE

    @property
    def late(self) -> bool:
        """Whether what came waits too long."""
        return self.load.oldest_s >= self.alarm_s


class Roster:
    """One worker's entry, and whether it leads. A thread of its own keeps it."""

    def __init__(self, store: Store, me: Member, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._alarmed = False
        self._leads = False
        self._stopping = threading.Event()
        self._listening: Callable[[], bool] = lambda: False
        self._load: Callable[[], Load] = Load
        self._thread = threading.Thread(target=self._run, name="ingest-roster", daemon=True)

    @property
    def leads(self) -> bool:
        """Whether upkeep is ours."""
        return self._leads

    def start(self, listening: Callable[[], bool], load: Callable[[], Load] = Load) -> None:
        """Begin; ``listening`` tells whether the broker has our subscriptions, ``load`` how we do."""
        self._listening = listening
        self._load = load
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Say that we end, so that another leads at once."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def sign(self, *, away: bool = False) -> None:
        """Sign now.

        Raises:
            StoreError: the store is away.
        """
        now = self._clock.now()
        listening = self._listening() and not away
        me = replace(self._me, seen=now, listening=listening, away=away, load=self._load())
        with self._store.writing() as transaction:
            members = {one.name: one for one in members_of(transaction)} | {me.name: me}
            _write(transaction, members)
        self._me = me
        self._look(members.values())

    def look(self) -> None:
        """See whether we lead.

        Raises:
            StoreError: the store is away.
        """
        with self._store.reading() as view:
            members = members_of(view)
        self._look(members)

    def _look(self, members: Iterable[Member]) -> None:
        now = self._clock.now()
        here = [one.name for one in members if one.here(now)]
        self._leads = not self._me.away and bool(here) and min(here) == self._me.name

    def _run(self) -> None:
        sign_at = look_at = 0.0
        while not self._stopping.wait(_HASTE_S):
            now = time.monotonic()
            if now < look_at and self._listening() == self._me.listening:
                continue
            signing = now >= sign_at or self._listening() != self._me.listening
            well = self._try(self.sign if signing else self.look)
            look_at = now + _LOOK_S
            self._watch(self._load())
            if signing:
                sign_at = now + _SIGN_S if well else look_at
        self._try(lambda: self.sign(away=True))

    def _watch(self, load: Load) -> None:
        """Tell when what came waits too long, and when it does so no more."""
        late = load.oldest_s >= self._me.alarm_s
        if late and not self._alarmed:
            _log.warning("ingest.lagging", oldest_s=round(load.oldest_s), waiting=load.queue_depth)
        if self._alarmed and not late:
            _log.info("ingest.caught_up")
        self._alarmed = late

    def _try(self, what: Callable[[], None]) -> bool:
        try:
            what()
        except StoreError as unreachable:  # the worker tells it; a moment later is early enough
            _log.debug("roster.unsigned", error=str(unreachable))
            return False
        return True


def members_of(transaction: Transaction) -> Sequence[Member]:
    """Give all that ever signed and whose sessions are not given up, by name."""
    said: Mapping[str, Mapping[str, object]] = json.loads(transaction.upkeep.mark(_MARK) or "{}")
    return [_member(name, fields) for name, fields in sorted(said.items())]


def strike_off(transaction: Transaction, name: str) -> None:
    """Take off a worker whose session is no more."""
    _write(transaction, {one.name: one for one in members_of(transaction) if one.name != name})


def _member(name: str, fields: Mapping[str, object]) -> Member:
    return Member(
        name=name,
        host=str(fields["host"]),
        filters=[str(one) for one in fields["filters"]] if isinstance(fields["filters"], list) else [],
        seen=datetime.fromisoformat(str(fields["seen"])),
        listening=bool(fields["listening"]),
        away=bool(fields["away"]),
        alarm_s=float(str(fields.get("alarm_s", 60.0))),
        load=Load(**load) if isinstance(load := fields.get("load"), dict) else Load(),
    )


def _write(transaction: Transaction, members: Mapping[str, Member]) -> None:
    said = {}
    for name, member in members.items():
        fields = asdict(member) | {"seen": member.seen.isoformat(), "filters": list(member.filters)}
        del fields["name"]
        said[name] = fields
    transaction.upkeep.set_mark(_MARK, json.dumps(said, sort_keys=True))
