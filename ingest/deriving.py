"""What telegrams of the archive give rise to, compared with what is stored; and that written.

Ingest uses it for messages of several frames, replay for everything, so that both find the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from decoders.decode import peek_frame
from ingest.difference import Change, Kind, changed_details, changes
from ingest.in_parts import InParts
from ingest.judge import Judge, Verdict
from ingest.messages import Meaning, Messages
from ingest.registers import readings_of
from ingest.rules import Rules
from ingest.senders import normalised
from metering.ports import ArchivedTelegram, Outcome, TelegramState, Transaction
from metering.reading import Detail, Reading

__all__ = ["Derived", "Deriving"]

_Said = tuple[Sequence[Reading], Sequence[Detail]]


@dataclass(frozen=True, slots=True)
class Derived:
    """One telegram, judged anew.

    Attributes:
        telegram: as the archive has it.
        state: what becomes of it now.
        reason: why it is held.
        changes: what happens to its readings.
        gone: details that go.
        new: details that come.
        unreadable: code, if it was read before and cannot be now; it keeps its readings.
        more_follows: it says that more records follow in another telegram.
    """

    telegram: ArchivedTelegram
    state: TelegramState
    reason: str = ""
    changes: Sequence[Change] = ()
    gone: Sequence[Detail] = ()
    new: Sequence[Detail] = ()
    unreadable: str = ""
    more_follows: bool = False

    @property
    def heals(self) -> bool:
        """Whether it was held or foreign and is stored now."""
        return self.state is TelegramState.STORED and self.telegram.state is not TelegramState.STORED


class Deriving:
    """Derives what telegrams say; its judge may be that of ingest."""

    def __init__(self, judge: Judge, rules: Rules, in_parts: InParts | None = None) -> None:
        self._judge = judge
        self._rules = rules
        self._in_parts = in_parts or InParts()

    def apply(self, transaction: Transaction, telegrams: Sequence[ArchivedTelegram]) -> list[Derived]:
        """Derive anew what telegrams give rise to and write what differs; gives what was found."""
        derived = self.derive(transaction, telegrams)
        _write(transaction, derived)
        self._in_parts.learn(transaction, {one.telegram.meter for one in derived if one.more_follows})
        return derived

    def derive(self, view: Transaction, telegrams: Sequence[ArchivedTelegram]) -> list[Derived]:
        """Derive anew what telegrams give rise to."""
        if not telegrams:
            return []
        self._in_parts.open(view)
        verdicts = self._verdicts(view, telegrams)
        pairs = zip(telegrams, verdicts, strict=True)
        self._in_parts.assume(one.meter for one, verdict in pairs if _more_follows(verdict))
        messages = Messages(view, self._judge, self._rules)
        stored = view.readings.of_telegrams([one.id for one in telegrams])
        return [
            self._one(
                view,
                one,
                verdict,
                messages.meaning(one) if self._in_parts.concerns(one.meter, verdict) else None,
                stored.get(one.id, ((), ())),
            )
            for one, verdict in zip(telegrams, verdicts, strict=True)
        ]

    def with_others(
        self, view: Transaction, telegrams: Sequence[ArchivedTelegram]
    ) -> Sequence[ArchivedTelegram]:
        """Give telegrams, and those that make messages with them."""
        self._in_parts.open(view)
        messages = Messages(view, self._judge, self._rules)
        found = {one.id: one for one in telegrams}
        for one, verdict in zip(telegrams, self._verdicts(view, telegrams), strict=True):
            if self._in_parts.concerns(one.meter, verdict):
                found |= {other.id: other for other in messages.members(one) if other.id not in found}
        return list(found.values())

    def _verdicts(self, view: Transaction, telegrams: Sequence[ArchivedTelegram]) -> list[Verdict]:
        frames = [normalised(one.frame) for one in telegrams]
        addresses = {peek_frame(frame).sender for frame in frames} | {one.meter for one in telegrams}
        meters = view.registry.meters({one.meter for one in telegrams})
        keys = view.keyring.periods(addresses)
        return [
            self._judge.judge(frame, self._rules.ours(one.meter, meters), keys, one.heard_at)
            for one, frame in zip(telegrams, frames, strict=True)
        ]

    def _one(
        self,
        view: Transaction,
        telegram: ArchivedTelegram,
        verdict: Verdict,
        meaning: Meaning | None,
        stored: _Said,
    ) -> Derived:
        if meaning is None and verdict.telegram is not None:
            said = readings_of(verdict.telegram, telegram, self._rules.zone, verdict.model)
        elif meaning is not None and meaning.state is TelegramState.STORED:
            said = list(meaning.readings), list(meaning.details)
        else:
            return _unread(telegram, verdict, meaning.reason if meaning else verdict.reason)
        found = list(changes(stored[0], said[0], _why_nothing(telegram)))
        gone, new = changed_details(stored[1], said[1])
        more = _more_follows(verdict)
        new_changes = _really_new(view, found)
        return Derived(telegram, TelegramState.STORED, "", new_changes, gone, new, more_follows=more)


def _more_follows(verdict: Verdict) -> bool:
    return verdict.telegram is not None and verdict.telegram.more_follows


def _unread(telegram: ArchivedTelegram, verdict: Verdict, reason: str) -> Derived:
    """Judge a telegram that cannot be read: what was stored stays so, the others wait for something else."""
    if telegram.state is TelegramState.STORED:
        return Derived(telegram, telegram.state, telegram.reason, unreadable=reason or "not_registered")
    if verdict.outcome is Outcome.FOREIGN:
        return Derived(telegram, telegram.state, telegram.reason)
    return Derived(telegram, TelegramState.HELD, reason)


def _why_nothing(telegram: ArchivedTelegram) -> str:
    return "" if telegram.state is TelegramState.STORED else f"was {telegram.state} {telegram.reason}".strip()


def _really_new(view: Transaction, found: Sequence[Change]) -> list[Change]:
    """Leave out what another telegram said before: a dated value is stored once."""
    new = [change for change in found if change.kind is Kind.NEW]
    known = view.readings.known([change.reading for change in new])
    repeated = {id(change) for change, there in zip(new, known, strict=True) if there}
    return [change for change in found if id(change) not in repeated]


def _write(transaction: Transaction, derived: Sequence[Derived]) -> None:
    for one in derived:
        if (one.state, one.reason) != (one.telegram.state, one.telegram.reason):
            transaction.archive.set_state(one.telegram.id, one.state, one.reason)
    all_changes = [change for one in derived for change in one.changes]
    transaction.readings.remove(
        [change.before for change in all_changes if change.before is not None],
        [detail for one in derived for detail in one.gone],
    )
    transaction.readings.add([change.after for change in all_changes if change.after is not None])
    transaction.readings.add_details([detail for one in derived for detail in one.new])
