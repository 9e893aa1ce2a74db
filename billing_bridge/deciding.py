"""What a named person does about a question: accept, reject, put an index, estimate, send a reader, agree.

::

    open ──accept─────────────> accepted     billed as it is
       │───reject─────────────> rejected     nothing is billed on it; it is taken anew
       │───edit, estimate─────> corrected    a new revision beside the old one is billed
       │───(above the limit)──> second ──agree, by somebody else──> as above
       └───reader─────────────> reader       stays open until somebody has looked

Each decision carries a name and a reason and stays on record. Raw values are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from billing_bridge.gather import Place
from billing_bridge.judge import newest
from billing_bridge.ordering import close_for, due_day, order_reader
from billing_bridge.outbox import message_of
from billing_bridge.putting import Refused, estimated, place_of, put
from billing_bridge.read import BillingRead, Edit
from billing_bridge.record import kept, opened, record_of
from billing_bridge.utility import Late, Utility
from metering.billing import Decision, ExceptionKind, ExceptionState, OpenException, ReadState
from metering.errors import InvalidValue
from metering.orders import NewOrder
from metering.ports import Clock, Store, Transaction

__all__ = ["Action", "Decided", "Operator"]


class Action(StrEnum):
    """What a person may do."""

    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"
    ESTIMATE = "estimate"
    READER = "reader"
    AGREE = "agree"


_ENDS = {
    Action.ACCEPT: ExceptionState.ACCEPTED,
    Action.REJECT: ExceptionState.REJECTED,
    Action.EDIT: ExceptionState.CORRECTED,
    Action.ESTIMATE: ExceptionState.ESTIMATED,
}
_LONGEST = timedelta(days=400)
_MOVES = {Action.ACCEPT, Action.EDIT, Action.ESTIMATE}
"""What moves a bill, and may need a second person."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision.

    Attributes:
        state: where the question stands.
        read: what is billed now, if anything.
        sentence: for the person.
    """

    state: ExceptionState
    read: BillingRead | None
    sentence: str


class Operator:
    """A named person before the queue of questions."""

    def __init__(self, store: Store, utility: Utility, clock: Clock, name: str) -> None:
        """Prepare.

        Raises:
            InvalidValue: nobody's name.
        """
        if not name.strip():
            raise InvalidValue("a decision needs a name: who decides?")
        self._store = store
        self._utility = utility
        self._clock = clock
        self._name = name.strip()

    def decide(
        self,
        number: int,
        action: Action,
        reason: str,
        *,
        index_m3: Decimal | None = None,
        due: date | None = None,
    ) -> Decided:
        """Decide a question.

        Args:
            number: of the question.
            action: what to do.
            reason: why, in the person's words.
            index_m3: closing index, m3, of :attr:`Action.EDIT`.
            due: last local day of :attr:`Action.READER`; ``None`` = as the utility's settings say.

        Raises:
            InvalidValue: there is no such question, it is settled, or it cannot be decided so; the sentence
                says what can be done.
        """
        if not reason.strip():
            raise InvalidValue("a decision needs a reason, in a few words")
        now = self._clock.now()
        with self._store.writing() as tx:
            asked = tx.billing.exception(number)
            if asked is None or asked.state.settled:
                stands = "there is none" if asked is None else f"it is {asked.state.value} already"
                raise InvalidValue(f"question {number} cannot be decided: {stands}")
            if action is Action.READER:
                return self._sent(tx, asked, reason, now, due)
            if action is Action.REJECT:
                return self._rejected(tx, asked, reason, now)
            if action is Action.AGREE:
                return self._agreed(tx, asked, reason, now)
            if asked.state is ExceptionState.SECOND:
                raise InvalidValue(f"question {number} waits for a second person: agree, or reject")
            return self._moved(tx, asked, action, reason, now, index_m3)

    def _sent(
        self, tx: Transaction, asked: OpenException, reason: str, now: datetime, due: date | None
    ) -> Decided:
        point, last = asked.about.service_point, due_day(self._utility, now, due)
        standing = tx.orders.open_at([point]).get(point)
        if standing is None:
            order = NewOrder(point, last, reason.strip(), self._name, asked.number)
            standing = order_reader(tx, order, now)
        self._note(tx, asked, Action.READER, reason, now, ExceptionState.READER)
        said = f"A reader is to look at {point} by {standing.about.due} (order {standing.number});"
        return Decided(ExceptionState.READER, None, f"{said} the question stays open.")

    def _rejected(self, tx: Transaction, asked: OpenException, reason: str, now: datetime) -> Decided:
        waits = (ReadState.HELD, ReadState.PROPOSED)
        if asked.about.read is not None:
            tx.billing.set_state(asked.about.read, waits, ReadState.REJECTED)
        self._note(tx, asked, Action.REJECT, reason, now, ExceptionState.REJECTED)
        return Decided(ExceptionState.REJECTED, None, "Nothing is billed on it.")

    def _agreed(self, tx: Transaction, asked: OpenException, reason: str, now: datetime) -> Decided:
        if asked.state is not ExceptionState.SECOND:
            raise InvalidValue(f"question {asked.number} waits for nobody to agree: decide it")
        first = asked.decisions[-1]
        if first.by.casefold() == self._name.casefold():
            raise InvalidValue(f"{first.by} decided that: somebody else must agree")
        said: Mapping[str, Any] = orjson.loads(first.said)
        index = Decimal(said["index_m3"]) if said.get("index_m3") else None
        action = Action(first.action)
        read = self._made(tx, asked, action, Edit(action.value, first.by, first.reason, first.at), index)
        agreed = replace(read, edits=(*read.edits, Edit(Action.AGREE.value, self._name, reason, now)))
        return self._billed(tx, asked, Action.AGREE, agreed, reason, now, _ENDS[action])

    def _moved(  # noqa: PLR0913, PLR0917  one decision
        self,
        tx: Transaction,
        asked: OpenException,
        action: Action,
        reason: str,
        now: datetime,
        index: Decimal | None,
    ) -> Decided:
        read = self._made(tx, asked, action, Edit(action.value, self._name, reason, now), index)
        self._joins(tx, asked, read)
        limit = self._utility.four_eyes_m3
        moved = abs(read.volume_m3 - self._billed_before(tx, read))
        if limit is not None and moved > limit:
            said = {"index_m3": str(index) if index is not None else None, "volume_m3": str(read.volume_m3)}
            self._note(tx, asked, action, reason, now, ExceptionState.SECOND, said)
            told = f"It moves {moved} m3, more than {limit} m3: a second person must agree."
            return Decided(ExceptionState.SECOND, None, told)
        return self._billed(tx, asked, action, read, reason, now, _ENDS[action])

    def _joins(self, tx: Transaction, asked: OpenException, read: BillingRead) -> None:
        """Refuse an index the period behind does not open at, where nobody would ever correct that one.

        Raises:
            InvalidValue: the period behind was billed from another index on.
        """
        if self._utility.late is not Late.ABSORB or asked.about.kind is ExceptionKind.CORRECTION:
            return
        last = read.segments[-1]
        behind = (read.period.end, read.period.end + _LONGEST)
        known = tx.billing.reads_at([asked.about.service_point], *behind).get(asked.about.service_point, ())
        for row in newest(known, ReadState.BILLED).values():
            if row.starts == read.period.end:
                opening = opened(row).segments[0].opening
                if opening.index != last.closing.index:
                    raise InvalidValue(
                        f"the period behind was billed from {opening.index} m3 on, this one would end at"
                        f" {last.closing.index} m3: put that index, or reject it and close the period again"
                    )

    def _made(
        self, tx: Transaction, asked: OpenException, action: Action, edit: Edit, index: Decimal | None
    ) -> BillingRead:
        """Give the read that a decision bills."""
        held = tx.billing.read(asked.about.read) if asked.about.read else None
        if action is Action.ACCEPT:
            if held is None:
                raise InvalidValue(
                    f"question {asked.number} has no read to accept: estimate, put an index, or send a reader"
                )
            return replace(opened(held), edits=(*opened(held).edits, edit))
        place, others = place_of(tx, self._utility, asked.about, self._clock.now())
        if action is Action.EDIT:
            if index is None:
                raise InvalidValue("an edit needs the closing index in m3")
            made = put(place, asked.about, self._utility, others, index)
        else:
            made = estimated(place, asked.about, self._utility, others)
        if isinstance(made, Refused):
            raise InvalidValue(f"question {asked.number}: {made.reason}")
        return replace(made, edits=(edit,), replaces=_handed_over(place, asked))

    def _billed(  # noqa: PLR0913, PLR0917  one decision
        self,
        tx: Transaction,
        asked: OpenException,
        action: Action,
        read: BillingRead,
        reason: str,
        now: datetime,
        state: ExceptionState,
    ) -> Decided:
        """Bill a read: as it was kept, or as a new revision beside the one that was held."""
        before = asked.about.read
        if read.key == before:
            waits = (ReadState.HELD, ReadState.PROPOSED)
            if not tx.billing.set_state(read.key, waits, ReadState.BILLED, record_of(read)):
                raise InvalidValue(f"{read.key} is not waiting any more")
        else:
            self._beside(tx, read, before, now)
        tx.outbox.put([message_of(read, self._utility.target)], now)
        self._note(tx, asked, action, reason, now, state, _told(read))
        return Decided(state, read, f"{read.volume_m3} m3 are billed as {read.key}.")

    def _beside(self, tx: Transaction, read: BillingRead, before: str | None, now: datetime) -> None:
        if before is not None:
            tx.billing.set_state(before, (ReadState.HELD, ReadState.PROPOSED), ReadState.REJECTED)
        point = read.subject.service_point
        holds = (
            one.contract
            for one in tx.customers.tenancies_at([point]).get(point, ())
            if one.holds_at(read.period.start)
        )
        contract = next(holds, None)
        row = kept(read, ReadState.BILLED, contract=contract, now=now, by=self._name)
        if not tx.billing.add_reads([row]):
            raise InvalidValue(f"{read.key} is there already: look at the question again")

    def _billed_before(self, tx: Transaction, read: BillingRead) -> Decimal:
        if not read.replaces:
            return Decimal(0)
        billed = tx.billing.read(read.supersedes or "")
        return billed.volume_m3 if billed else Decimal(0)

    def _note(  # noqa: PLR0913, PLR0917  one decision
        self,
        tx: Transaction,
        asked: OpenException,
        action: Action,
        reason: str,
        now: datetime,
        state: ExceptionState,
        said: Mapping[str, Any] | None = None,
    ) -> None:
        made = Decision(action.value, self._name, reason.strip(), now, orjson.dumps(said or {}))
        if state.settled:
            close_for(tx, asked, made)
        if not tx.billing.decide(asked.number, made, state):
            raise InvalidValue(f"question {asked.number} was decided by somebody else meanwhile")


def _told(read: BillingRead) -> dict[str, Any]:
    return {"read": read.key, "volume_m3": str(read.volume_m3), "supersedes": read.supersedes}


def _handed_over(place: Place, asked: OpenException) -> int:
    """Give the revision the receiver has; 0 = none."""
    billed = (
        one.revision
        for one in place.reads
        if one.period == asked.about.period and one.state is ReadState.BILLED
    )
    return max(billed, default=0)
