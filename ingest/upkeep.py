"""What ingest does beside taking telegrams in: mend, forget, learn. One thread, some work every few seconds.

Of several processes on one database one does this (:mod:`ingest.roster`); should two do it for a moment, no
harm is done: each step is one transaction. Layouts are every process's own business: each learns from what it
hears, and tells the others what it learnt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

import structlog

from decoders.models import models
from ingest.claiming import claim
from ingest.judge import Judge
from ingest.registers import DECODER
from ingest.replay import Replay
from ingest.shared_layouts import MARK, exchange
from metering.errors import KeyringError, StoreError
from metering.ports import Clock, Scope, Store, TelegramState, Transaction
from metering.rhythm import transmit_interval

__all__ = [
    "Forgotten",
    "Keeping",
    "Upkeep",
    "forget",
    "forgettable",
    "learn_rhythms",
    "mend_asked",
    "rules_in_force",
]

_log = structlog.get_logger(__name__)

_MEND = 50
"""Meters mended per transaction that looks for them."""
_FORGET = 1000
"""Telegrams deleted per transaction."""
_LEARN = 200
"""Meters whose rhythm is learnt per round."""
_HEARD = 40
"""Newest telegrams a rhythm is learnt from."""
_LEARN_ANEW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept.

    Attributes:
        foreign: foreign telegrams; ``None`` = for ever.
        hearings: daily counts of who heard whom.
        every_s: seconds between two rounds.
    """

    foreign: timedelta | None = timedelta(days=7)
    hearings: timedelta = timedelta(days=400)
    every_s: float = 5.0


class Upkeep:
    """The thread. Its judge is that of ingest, so that it knows the layouts ingest learnt."""

    def __init__(  # noqa: PLR0913  the parts it is made of
        self,
        store: Store,
        replay: Replay,
        judge: Judge,
        *,
        clock: Clock,
        keeping: Keeping | None = None,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._replay = replay
        self._judge = judge
        self._clock = clock
        self._keeping = keeping or Keeping()
        self._leads = leads
        self._layouts = len(judge.layouts)
        self._told = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-upkeep", daemon=True)
        self._well = True

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Let it end after the transaction under way; returns at once."""
        self._stopping.set()

    def stop(self, timeout: float) -> bool:
        """End after the transaction under way; false if ``timeout`` s were not enough."""
        self.end()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def round(self) -> None:
        """Do what is to be done now; most of it only where this process leads.

        Raises:
            StoreError: the store is away; what was committed stays done.
            KeyringError: keys are stored but cannot be decrypted.
        """
        self._share_layouts()
        for step in (self._try_rules, self._mend, self._forget, self._learn):
            if self._leads() and not self._stopping.is_set():
                step()

    def _run(self) -> None:
        while not self._stopping.wait(self._keeping.every_s):
            try:
                self.round()
            except Exception as away:  # noqa: BLE001  whatever it is: telegrams are taken in all the same
                expected = isinstance(away, StoreError | KeyringError)
                if self._well or not expected:
                    tell = _log.warning if expected else _log.exception
                    tell("upkeep.failed", error=str(away))
                self._well = False
            else:
                self._well = True

    def _share_layouts(self) -> None:
        """Compact frames that came before their layout are tried again once anyone learnt any layout."""
        with self._store.reading() as view:
            told = view.upkeep.mark(MARK)
        if len(self._judge.layouts) == self._layouts and told == self._told:
            return
        with self._store.writing() as transaction:
            with self._judge.turn() as layouts:
                told, known = exchange(layouts, transaction), len(layouts)
            if waiting := transaction.upkeep.waiting_for("unknown_layout"):
                transaction.upkeep.ask_mending(waiting)
        self._layouts, self._told = known, told

    def _try_rules(self) -> None:
        """After a new release or a mended model all that is held is tried again, once."""
        rules = rules_in_force()
        with self._store.reading() as view:
            tried = view.upkeep.mark("rules")
        if tried == rules:
            return
        report = self._replay.run(Scope(states=(TelegramState.HELD,)), self._go_on)
        with self._store.writing() as transaction:
            transaction.upkeep.set_mark("rules", rules)
        _log.info("upkeep.rules", rules=rules, healed=report.healed, telegrams=report.telegrams)

    def _mend(self) -> None:
        healed = mend_asked(self._store, self._replay, self._stopping.is_set)
        if healed:
            _log.info("upkeep.healed", telegrams=healed)
        claimed = claim(self._store, self._replay.rules, self._stopping.is_set)
        if claimed:
            _log.info("upkeep.claimed", uplinks=claimed)

    def _forget(self) -> None:
        forget(self._store, self._clock, self._keeping, self._stopping.is_set)

    def _learn(self) -> None:
        learn_rhythms(self._store, self._clock)

    def _go_on(self, _number: int) -> None:
        if self._stopping.is_set():
            raise StoreError("ingest is ending; what is held is tried again after the next start")


def mend_asked(
    store: Store,
    replay: Replay,
    enough: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _meters: None,
) -> int:
    """Try waiting telegrams of all meters that ask for it; gives how many healed.

    Args:
        store: where they wait.
        replay: on the same store.
        enough: asked after each meter whether to leave the rest for later.
        told: given the number of meters done.
    """
    healed = 0
    while not enough():
        with store.reading() as view:
            asked = view.upkeep.to_mend(_MEND)
        if not asked:
            break
        with store.writing() as transaction:
            if transaction.upkeep.drop_idle():
                continue
        for meter, times in asked.items():
            healed += replay.mend(meter).healed
            with store.writing() as transaction:
                transaction.upkeep.mended(meter, times)
            told(1)
            if enough():
                break
    return healed


class Forgotten(NamedTuple):
    """What went, or would go, because nobody registered its meter in time.

    Attributes:
        telegrams: foreign telegrams.
        unclaimed: counter states and decoded values of nobody.
    """

    telegrams: int
    unclaimed: int


def forgettable(view: Transaction, before: datetime) -> Forgotten:
    """Say what was heard before a time and would go."""
    return Forgotten(view.upkeep.count_foreign(before), view.unclaimed.count(before))


def forget(
    store: Store, clock: Clock, keeping: Keeping, enough: Callable[[], bool] = lambda: False
) -> Forgotten:
    """Delete what was kept long enough; gives what went."""
    telegrams = unclaimed = 0
    while keeping.foreign is not None and not enough():
        with store.writing() as transaction:
            some = transaction.upkeep.forget_foreign(clock.now() - keeping.foreign, _FORGET)
            more = transaction.unclaimed.forget(clock.now() - keeping.foreign, _FORGET)
        telegrams, unclaimed = telegrams + some, unclaimed + more
        if max(some, more) < _FORGET:
            break
    day = f"{clock.now():%Y-%m-%d}"
    with store.reading() as view:
        done = view.upkeep.mark("hearings")
    if done != day:
        with store.writing() as transaction:
            transaction.upkeep.forget_hearings(clock.now() - keeping.hearings)
            transaction.upkeep.set_mark("hearings", day)
    return Forgotten(telegrams, unclaimed)


def learn_rhythms(store: Store, clock: Clock, most: int = _LEARN) -> int:
    """Learn how often some meters send, where that is not known or old; gives how many were looked at."""
    now = clock.now()
    with store.reading() as view:
        meters = view.coverage.unlearnt(now - _LEARN_ANEW, most)
        times = view.coverage.heard_times(meters, _HEARD)
    if meters:
        learnt = {meter: transmit_interval(times.get(meter, ())) for meter in meters}
        with store.writing() as transaction:
            transaction.coverage.learn(learnt, now)
    return len(meters)


def rules_in_force() -> str:
    """Name the rules telegrams are read by: this release and every model's revision."""
    revisions = "".join(model.revision for model in models().values())
    return f"{DECODER}/{_digest(revisions)}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
