"""Readings derived again from the archive: after a late key, a late registration, a mended model.

What the archive holds is never changed. A telegram that was read before and cannot be read now (its key was
taken away, its compact layout not heard since the start) keeps its readings: replay takes nothing away for
want of something. What is derived otherwise replaces what was derived before, in transactions of some
telegrams each, so that it may be interrupted, and goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from decoders.decode import peek_frame
from ingest.difference import Change, Kind, changed_details, changes
from ingest.frames import normalised
from ingest.judge import Judge, Verdict
from ingest.registers import DECODER, readings_of
from ingest.rules import Rules
from metering.meter import MeterId
from metering.ports import (
    ArchivedTelegram,
    Outcome,
    Scope,
    Store,
    TelegramState,
    Transaction,
)
from metering.reading import Detail, Reading

__all__ = ["Replay", "Report"]

_CHUNK = 200
"""Telegrams per transaction: some tens of milliseconds, so that ingest hardly waits."""

_EXAMPLES = 20

_WAITING = (TelegramState.HELD, TelegramState.FOREIGN)

_Said = tuple[Sequence[Reading], Sequence[Detail]]


@dataclass(slots=True)
class Report:
    """What a replay found, or did.

    Attributes:
        telegrams: telegrams looked at.
        healed: telegrams that were held or foreign and are stored now.
        counts: readings by what happens to them.
        whys: the same by kind and reason.
        unreadable: stored telegrams that cannot be read now, by code; they keep their readings.
        examples: the first changes of each kind.
    """

    telegrams: int = 0
    healed: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    whys: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    examples: dict[Kind, list[Change]] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether nothing changes."""
        return not self.counts and not self.healed

    def add(self, derived: _Derived) -> None:
        """Count one telegram."""
        self.telegrams += 1
        self.healed += derived.heals
        if derived.unreadable:
            self.unreadable[derived.unreadable] += 1
        for change in derived.changes:
            self.counts[change.kind] += 1
            self.whys[change.kind, change.why] += 1
            shown = self.examples.setdefault(change.kind, [])
            if len(shown) < _EXAMPLES:
                shown.append(change)


@dataclass(frozen=True, slots=True)
class _Derived:
    """One telegram, judged anew."""

    telegram: ArchivedTelegram
    state: TelegramState
    reason: str = ""
    changes: Sequence[Change] = ()
    gone: Sequence[Detail] = ()
    new: Sequence[Detail] = ()
    unreadable: str = ""

    @property
    def heals(self) -> bool:
        return self.state is TelegramState.STORED and self.telegram.state is not TelegramState.STORED


class Replay:
    """Derives readings again.

    Where it writes, its judge may be that of ingest: both use it inside writing transactions only.
    """

    def __init__(self, store: Store, *, judge: Judge | None = None, rules: Rules | None = None) -> None:
        self._store = store
        self._judge = judge or Judge()
        self._rules = rules or Rules()

    @property
    def rules(self) -> Rules:
        """What the utility chose."""
        return self._rules

    def compare(self, scope: Scope, told: Callable[[int], None] = lambda _number: None) -> Report:
        """Say what :meth:`run` would change; changes nothing. ``told`` is given archive numbers reached."""
        report, after = Report(), 0
        while True:
            with self._store.reading() as view:
                derived = self._derive(view, view.archive.scan(scope, after=after, limit=_CHUNK))
            if not derived:
                return report
            for one in derived:
                report.add(one)
            after = derived[-1].telegram.id
            told(after)

    def run(self, scope: Scope, told: Callable[[int], None] = lambda _number: None) -> Report:
        """Derive readings anew and write what differs; goes on where the same replay was interrupted."""
        report, name = Report(), _mark(scope)
        while True:
            with self._store.writing() as transaction:
                after = int(transaction.upkeep.mark(name) or 0)
                derived = self._derive(
                    transaction, transaction.archive.scan(scope, after=after, limit=_CHUNK)
                )
                _write(transaction, derived)
                after = derived[-1].telegram.id if derived else 0
                transaction.upkeep.set_mark(name, str(after or ""))
            for one in derived:
                report.add(one)
            if not derived:
                return report
            told(after)

    def mend(self, meter: MeterId) -> Report:
        """Try the held and foreign telegrams of a meter again."""
        report, after = Report(), 0
        scope = Scope(meter=meter, states=_WAITING)
        while True:
            with self._store.writing() as transaction:
                derived = self._derive(
                    transaction, transaction.archive.scan(scope, after=after, limit=_CHUNK)
                )
                _write(transaction, derived)
            if not derived:
                return report
            for one in derived:
                report.add(one)
            after = derived[-1].telegram.id

    def _derive(self, transaction: Transaction, telegrams: Sequence[ArchivedTelegram]) -> list[_Derived]:
        frames = [normalised(one.frame) for one in telegrams]
        addresses = {peek_frame(frame).sender for frame in frames} | {one.meter for one in telegrams}
        meters = transaction.registry.meters({one.meter for one in telegrams})
        keys = transaction.keyring.periods(addresses)
        stored = transaction.readings.of_telegrams([one.id for one in telegrams])
        return [
            self._one(
                transaction,
                telegram,
                self._judge.judge(frame, self._rules.ours(telegram.meter, meters), keys, telegram.heard_at),
                stored.get(telegram.id, ((), ())),
            )
            for telegram, frame in zip(telegrams, frames, strict=True)
        ]

    def _one(
        self, transaction: Transaction, telegram: ArchivedTelegram, verdict: Verdict, stored: _Said
    ) -> _Derived:
        if verdict.telegram is None:
            return _unread(telegram, verdict)
        after, said = readings_of(verdict.telegram, telegram, self._rules.zone, verdict.model)
        found = list(changes(stored[0], after, _why_nothing(telegram)))
        gone, new = changed_details(stored[1], said)
        return _Derived(telegram, TelegramState.STORED, "", _really_new(transaction, found), gone, new)


def _unread(telegram: ArchivedTelegram, verdict: Verdict) -> _Derived:
    """Judge a telegram that cannot be read: what was stored stays so, the others wait for something else."""
    if telegram.state is TelegramState.STORED:
        return _Derived(
            telegram, telegram.state, telegram.reason, unreadable=verdict.reason or "not_registered"
        )
    if verdict.outcome is Outcome.FOREIGN:
        return _Derived(telegram, telegram.state, telegram.reason)
    return _Derived(telegram, TelegramState.HELD, verdict.reason)


def _why_nothing(telegram: ArchivedTelegram) -> str:
    return "" if telegram.state is TelegramState.STORED else f"was {telegram.state} {telegram.reason}".strip()


def _really_new(transaction: Transaction, found: Sequence[Change]) -> list[Change]:
    """Leave out what another telegram said before: a dated value is stored once."""
    new = [change for change in found if change.kind is Kind.NEW]
    known = transaction.readings.known([change.reading for change in new])
    repeated = {id(change) for change, there in zip(new, known, strict=True) if there}
    return [change for change in found if id(change) not in repeated]


def _write(transaction: Transaction, derived: Sequence[_Derived]) -> None:
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


def _mark(scope: Scope) -> str:
    """Name this replay: another release begins anew."""
    said = [scope.meter, scope.since and scope.since.isoformat(), scope.until and scope.until.isoformat()]
    return " ".join(["replay", *(str(one or "-") for one in (*said, ",".join(scope.states))), DECODER])
