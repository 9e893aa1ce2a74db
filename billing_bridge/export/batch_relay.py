"""The relay that hands over files: makes batches, leaves them, takes the answers.

::

    one transaction   messages due > taken hold of > batch kept        nothing is sent yet
    then              file, then manifest left                         killed before: the same bytes again
    one transaction   an answer read > each of its messages settled    once, however often it is read
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing_bridge.export.batch import (
    AnswerFault,
    Form,
    answers_in,
    is_answer,
    make_batch,
    manifest_name,
)
from billing_bridge.export.drop import Drop
from billing_bridge.outbox import Accepted, Answer, next_step
from metering.batches import Batch, holder
from metering.outbox import OutboxItem, OutboxState
from metering.ports import Clock, Store, Transaction

__all__ = ["OVERDUE", "BatchRelay", "Round"]

OVERDUE = timedelta(hours=24)
"""A batch that was not answered for so long is told: never made anew, the same bytes wait."""

_FOREVER = timedelta(days=36_500)
"""A message in a batch is nobody else's before it is answered."""


@dataclass(slots=True)
class Round:
    """What one round did.

    Attributes:
        made: reads put into a new batch.
        sent: batches left.
        accepted: reads the receiver took.
        refused: reads it will never take as they are.
        told: what a person should know, one sentence each.
    """

    made: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    told: list[str] = field(default_factory=list)


class BatchRelay:
    """Hands over to one target by files. One at a time per target."""

    def __init__(  # noqa: PLR0913  what it works with, by name
        self,
        *,
        store: Store,
        target: str,
        form: Form,
        drop: Drop,
        clock: Clock,
        every: timedelta = timedelta(hours=1),
        most: int = 20_000,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            store: where the outbox is.
            target: name of the receiver, part of the files' names.
            form: what the files look like.
            drop: where they are left.
            clock: the present.
            every: no new batch sooner than this after the last one, unless that one was full.
            most: reads in a batch.
        """
        self._store = store
        self._target = target
        self._form = form
        self._drop = drop
        self._clock = clock
        self._every = every
        self._most = most

    def run_once(self) -> Round:
        """Leave what was made, take what was answered, make what is due and leave that.

        Raises:
            DropUnavailable: the folder cannot be reached; all stays as it is.
            InvalidValue: a read the form has no place for: nothing was made.
            StoreUnavailable: nothing was changed.
        """
        done = Round()
        waiting = self._unanswered()
        self._leave(waiting, done)
        if waiting:
            self._take_answers(waiting, done)
        made = self._make()
        if made is not None:
            done.made = len(made.keys)
            self._leave([made], done)
        return done

    def make(self) -> Batch | None:
        """Make a batch of what is due, however short ago the last one was."""
        with self._store.writing() as tx:
            return self._made(tx, tx.batches.newest(self._target))

    def overdue(self) -> Sequence[Batch]:
        """Give the batches that wait for answers too long."""
        since = self._clock.now() - OVERDUE
        return [batch for batch in self._unanswered() if batch.made_at < since]

    def _unanswered(self) -> Sequence[Batch]:
        with self._store.reading() as tx:
            return tx.batches.unanswered(self._target)

    def _make(self) -> Batch | None:
        with self._store.writing() as tx:
            last = tx.batches.newest(self._target)
            early = last is not None and self._clock.now() < last.made_at + self._every
            if last is not None and early and len(last.keys) < self._most:
                return None
            return self._made(tx, last)

    def _made(self, tx: Transaction, last: Batch | None) -> Batch | None:
        now = self._clock.now()
        number = 1 if last is None else last.number + 1
        items = tx.outbox.claim(self._target, holder(number), now, _FOREVER, self._most)
        if not items:
            return None
        batch = make_batch(self._target, number, items, self._form, now)
        tx.batches.put(batch)
        return batch

    def _leave(self, batches: Sequence[Batch], done: Round) -> None:
        for batch in batches:
            if batch.sent_at is None:
                self._drop.put(batch.file, batch.content)
                self._drop.put(manifest_name(batch), batch.manifest)
                with self._store.writing() as tx:
                    tx.batches.mark_sent(self._target, batch.number, self._clock.now())
                done.sent += 1

    def _take_answers(self, batches: Sequence[Batch], done: Round) -> None:
        names = self._drop.names()
        for batch in batches:
            for name in names:
                if is_answer(name, batch):
                    self._take(batch, name, done)

    def _take(self, batch: Batch, name: str, done: Round) -> None:
        content = self._drop.get(name)
        try:
            answers = answers_in(name, content, batch)
        except AnswerFault as fault:
            done.told.append(str(fault))
            return
        with self._store.writing() as tx:
            _Settling(tx, batch, self._clock.now(), done, name).settle(answers)


@dataclass(frozen=True, slots=True)
class _Settling:
    """Settles what an answer says, in one transaction; one that is read again changes nothing."""

    tx: Transaction
    batch: Batch
    now: datetime
    done: Round
    file: str

    def settle(self, answers: Mapping[str, Answer]) -> None:
        for key, answer in answers.items():
            item = self.tx.outbox.item(self.batch.target, key)
            if item is None:
                self.done.told.append(f"{self.file}: {key} is not in the outbox any more")
            elif item.state is OutboxState.PENDING and item.lease_owner == holder(self.batch.number):
                self._settle(item, answer)
            elif isinstance(answer, Accepted) is not (item.state is OutboxState.DELIVERED):
                self._contradicts(item, answer)
        if not any(self._waits(key) for key in self.batch.keys if key not in answers):
            self.tx.batches.mark_answered(self.batch.target, self.batch.number, self.now)

    def _settle(self, item: OutboxItem, answer: Answer) -> None:
        step = next_step(item, answer, self.now, 0)
        self.tx.outbox.settle(item, step.item, f"{self.file}: {step.outcome}", self.now)
        if isinstance(answer, Accepted):
            self.done.accepted += 1
        else:
            self.done.refused += 1

    def _contradicts(self, item: OutboxItem, answer: Answer) -> None:
        """A refused read that a person sent again is in another batch by now: that one's answer counts."""
        if item.state is OutboxState.DELIVERED:
            said = getattr(answer, "told", "refused")
            self.done.told.append(f"{self.file}: {item.key} was accepted before, now it says {said!r}")

    def _waits(self, key: str) -> bool:
        item = self.tx.outbox.item(self.batch.target, key)
        mine = holder(self.batch.number)
        return item is not None and item.state is OutboxState.PENDING and item.lease_owner == mine
