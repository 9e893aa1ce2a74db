"""The frames of one batch: who sent them, which belong together, what becomes of each transmission."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ingest.bench import Bench, HeardAt
from ingest.books import Books
from ingest.dedupe import Heard, Transmission, reception_key, transmissions
from ingest.earlier import archived_near, first_time
from ingest.in_parts import InParts
from ingest.judge import Verdict
from ingest.registers import readings_of
from ingest.rules import Foreign, Rules
from ingest.senders import Kind, Senders, normalised
from ingest.sheets import Sheets
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, NewTelegram, Outcome, TelegramState, Transaction
from metering.uplink import FrameUplink, Reception

__all__ = ["Frames", "normalised"]


class _Found(NamedTuple):
    """A transmission and what its frames have in common."""

    kind: Kind
    one: Transmission


class Frames:
    """The frames of one batch: identified before its transaction, settled in it.

    Args:
        rules: what the utility chose.
        bench: judges them.
        in_parts: tells which may be parts of messages of several.

    Attributes:
        parts: what was archived, or heard again, of such.
    """

    def __init__(self, rules: Rules, bench: Bench, in_parts: InParts) -> None:
        self._rules = rules
        self._bench = bench
        self._senders = Senders()
        self._sheets = Sheets(rules.zone)
        self._in_parts = in_parts
        self.parts: list[ArchivedTelegram] = []

    def look_ahead(self, uplinks: Mapping[int, FrameUplink]) -> Sequence[HeardAt]:
        """Identify frames; gives what can be judged ahead. ``uplinks`` by place."""
        senders = self._senders
        senders.identify(uplinks)
        return [(kind, uplinks[place].reception.heard_at) for place, kind in senders.first().items()]

    def write_ahead(self, uplinks: Mapping[int, FrameUplink]) -> None:
        """Write down what the frames judged ahead mean."""
        for place, kind in self._senders.first().items():
            reception = uplinks[place].reception
            if (verdict := self._bench.verdict_ahead(kind, reception.heard_at)) is not None:
                self._sheets.write_ahead(place, kind.meter, verdict, reception)

    def take(self, uplinks: Mapping[int, FrameUplink], books: Books, transaction: Transaction) -> None:
        """Settle every frame of a batch and write what it leaves in the archive; ``uplinks`` by place."""
        if not uplinks:
            return
        heard = first_time(self._heard(uplinks, books), books, transaction.archive, self._rules)
        earlier = archived_near(heard, transaction.archive, self._rules)
        found = [
            _Found(self._senders.kinds[mark], one)
            for mark, receptions in heard.items()
            for one in _transmissions(earlier.get(mark, ()), receptions, self._rules)
        ]
        new = [one for one in found if not one.one.archived]
        self._bench.open(transaction, [(kind, one.heard[0].at) for kind, one in new])
        self._in_parts.open(transaction)
        self._add_new(new, books, transaction)
        self._add_heard_again([one for one in found if one.one.archived], books, transaction)

    def _heard(self, uplinks: Mapping[int, FrameUplink], books: Books) -> dict[bytes, list[Heard]]:
        """Sort frames by content; quarantine what is no frame or from nobody."""
        senders = self._senders
        late = uplinks.keys() - senders.marks.keys() - senders.wrong.keys()  # put together from parts
        senders.identify({place: uplinks[place] for place in sorted(late)})
        heard: dict[bytes, list[Heard]] = defaultdict(list)
        for place, uplink in uplinks.items():
            if (wrong := senders.wrong.get(place)) is not None:
                books.quarantine(place, wrong.code, wrong.message)
            else:
                heard[senders.marks[place]].append(Heard(place, uplink))
        return heard

    # --- new transmissions -----------------------------------------------------------------------

    def _add_new(self, found: Sequence[_Found], books: Books, transaction: Transaction) -> None:
        new: list[tuple[NewTelegram, Transmission, Verdict]] = []
        unkept: list[tuple[MeterId, Reception]] = []
        for kind, one in found:
            verdict = self._bench.verdict(transaction, kind, one.heard[0].at)
            if verdict.outcome is Outcome.QUARANTINED:
                for heard in one.heard:
                    books.quarantine(heard.place, verdict.reason, verdict.sentence)
                continue
            frame = kind.frame.data
            receptions = _receptions(one.heard, frame)
            if verdict.outcome is Outcome.FOREIGN and self._rules.foreign is Foreign.COUNT:
                unkept += [(kind.meter, reception) for reception, _ in receptions]
                _settle(one.heard, verdict, None, books)
                continue
            telegram = NewTelegram(kind.meter, frame, kind.mark, verdict.state, verdict.reason, receptions)
            new.append((telegram, one, verdict))
        transaction.archive.count_unkept(unkept)
        self._write_new(new, books, transaction)

    def _write_new(
        self,
        new: Sequence[tuple[NewTelegram, Transmission, Verdict]],
        books: Books,
        transaction: Transaction,
    ) -> None:
        numbers = transaction.archive.add([telegram for telegram, _, _ in new])
        for number, (telegram, one, verdict) in zip(numbers, new, strict=True):
            _settle(one.heard, verdict, number, books)
            if self._in_parts.concerns(telegram.meter, verdict):
                self.parts.append(_archived(number, telegram))
            first = telegram.receptions[0][0]
            sheet = self._sheets.of(one.heard[0].place, telegram.meter, verdict, first)
            if sheet is not None:
                books.keep_sheet(number, sheet)

    # --- heard again -----------------------------------------------------------------------------

    def _add_heard_again(self, found: Sequence[_Found], books: Books, transaction: Transaction) -> None:
        more: list[tuple[int, Reception, bytes | None]] = []
        for _, one in found:
            keep = one.archived[0]
            known = {reception_key(old) for telegram in one.archived for old, _ in telegram.receptions}
            for reception, raw in _receptions(one.heard, keep.frame):
                if reception_key(reception) not in known:
                    more.append((keep.id, reception, raw))
            for heard in one.heard:
                books.settle(heard.place, Outcome.DUPLICATE, telegram=keep.id)
        transaction.archive.add_receptions(more)
        for kind, one in found:
            if len(one.archived) > 1:
                self._merge(kind, one.archived, books, transaction)

    def _merge(
        self, kind: Kind, archived: Sequence[ArchivedTelegram], books: Books, transaction: Transaction
    ) -> None:
        """A late reception shows that telegrams were one transmission.

        The one that is kept is judged anew: it may have come before its key did, and what only the others
        brought goes with them.
        """
        keep, *others = archived
        archive = transaction.archive
        for other in others:
            archive.merge(keep.id, other.id)
        verdict = self._bench.verdict(transaction, kind, keep.heard_at)
        merged = archive.telegram(keep.id)
        if merged is not None and self._in_parts.concerns(kind.meter, verdict):
            self.parts.append(merged)
        if merged is None or verdict.telegram is None:
            return
        if merged.state is not TelegramState.STORED:
            archive.set_state(keep.id, TelegramState.STORED, "")
        books.keep(*readings_of(verdict.telegram, merged, self._rules.zone, verdict.model))


def _transmissions(
    archived: Sequence[ArchivedTelegram], heard: Sequence[Heard], rules: Rules
) -> Sequence[Transmission]:
    if not archived and len(heard) == 1:  # nearly always
        return [Transmission([], list(heard))]
    return transmissions(archived, heard, rules.window)


def _receptions(heard: Sequence[Heard], frame: bytes) -> list[tuple[Reception, bytes | None]]:
    """Give the receptions, earliest first, the same one once."""
    if len(heard) == 1:
        uplink = heard[0].uplink
        return [(uplink.reception, _raw(uplink, frame))]
    distinct = {reception_key(one.uplink.reception): one.uplink for one in heard}
    receptions = [(one.reception, _raw(one, frame)) for one in distinct.values()]
    return sorted(receptions, key=lambda pair: (pair[0].heard_at, pair[0].gateway))


def _raw(uplink: FrameUplink, frame: bytes) -> bytes | None:
    return None if uplink.frame == frame else uplink.frame


def _settle(heard: Sequence[Heard], verdict: Verdict, number: int | None, books: Books) -> None:
    """The first to bring a transmission has the outcome, the others are its duplicates."""
    first, *others = heard
    books.settle(first.place, verdict.outcome, verdict.reason, number)
    for other in others:
        books.settle(other.place, Outcome.DUPLICATE, telegram=number)


def _archived(number: int, new: NewTelegram) -> ArchivedTelegram:
    heard_at = new.receptions[0][0].heard_at
    return ArchivedTelegram(
        number, new.meter, new.frame, new.fingerprint, new.state, new.reason, heard_at, new.receptions
    )
