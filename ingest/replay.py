"""Readings derived again from the archive: after a late key, a late registration, a mended model.

What the archive holds is never changed. A telegram that was read before and cannot be read now (its key was
taken away, its compact layout not heard since the start) keeps its readings: replay takes nothing away for
want of something. What is derived otherwise replaces what was derived before, in transactions of some
telegrams each, so that it may be interrupted, and goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.deriving import Derived, Deriving
from ingest.difference import Change, Kind
from ingest.judge import Judge
from ingest.registers import DECODER
from ingest.rules import Rules
from metering.meter import MeterId
from metering.ports import Scope, Store, TelegramState

__all__ = ["Replay", "Report"]

_CHUNK = 200
"""Telegrams per transaction: some tens of milliseconds, so that ingest hardly waits."""

_EXAMPLES = 20

_WAITING = (TelegramState.HELD, TelegramState.FOREIGN)


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

    def add(self, derived: Derived) -> None:
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


class Replay:
    """Derives readings again.

    Where it writes, its judge may be that of ingest: both use it inside writing transactions only.
    """

    def __init__(self, store: Store, *, judge: Judge | None = None, rules: Rules | None = None) -> None:
        self._store = store
        self._rules = rules or Rules()
        self._deriving = Deriving(judge or Judge(), self._rules)

    @property
    def rules(self) -> Rules:
        """What the utility chose."""
        return self._rules

    def compare(self, scope: Scope, told: Callable[[int], None] = lambda _number: None) -> Report:
        """Say what :meth:`run` would change; changes nothing. ``told`` is given archive numbers reached."""
        report, after = Report(), 0
        while True:
            with self._store.reading() as view:
                derived = self._deriving.derive(view, view.archive.scan(scope, after=after, limit=_CHUNK))
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
                some = transaction.archive.scan(scope, after=after, limit=_CHUNK)
                derived = self._deriving.apply(transaction, some)
                after = derived[-1].telegram.id if derived else 0
                transaction.upkeep.set_mark(name, str(after or ""))
            for one in derived:
                report.add(one)
            if not derived:
                return report
            told(after)

    def mend(self, meter: MeterId) -> Report:
        """Try the held and foreign telegrams of a meter again, with those that make a message with them."""
        report, after = Report(), 0
        scope = Scope(meter=meter, states=_WAITING)
        while True:
            with self._store.writing() as transaction:
                some = transaction.archive.scan(scope, after=after, limit=_CHUNK)
                derived = self._deriving.apply(transaction, self._deriving.with_others(transaction, some))
            if not some:
                return report
            for one in derived:
                report.add(one)
            after = some[-1].id


def _mark(scope: Scope) -> str:
    """Name this replay: another release begins anew."""
    said = [scope.meter, scope.since and scope.since.isoformat(), scope.until and scope.until.isoformat()]
    return " ".join(["replay", *(str(one or "-") for one in (*said, ",".join(scope.states))), DECODER])
