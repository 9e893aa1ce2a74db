"""The frames of one batch: who sent them, which belong together, what becomes of each transmission."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from decoders.decode import peek_frame
from decoders.errors import DecodeError
from decoders.wmbus.link import CONTROL, Frame, normalise
from decoders.wmbus.no_checksums import masks_of, may_hold
from ingest.books import Books
from ingest.dedupe import Heard, Transmission, fingerprint, reception_key, transmissions
from ingest.earlier import archived_near, first_time
from ingest.judge import Judge, Verdict
from ingest.registers import readings_of
from ingest.rules import Foreign, Rules
from metering.meter import Meter, MeterId
from metering.ports import ArchivedTelegram, NewTelegram, Outcome, TelegramState, Transaction
from metering.uplink import FrameUplink, Reception

__all__ = ["take_frames"]


_WIRED = 0x68
"""Fourth byte of a wired frame; a radio frame that has it there by chance goes the long way."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What identical frames have in common."""

    fingerprint: bytes
    frame: Frame
    meter: MeterId
    sender: MeterId


def take_frames(
    uplinks: Mapping[int, FrameUplink],
    books: Books,
    transaction: Transaction,
    rules: Rules,
    judge: Judge,
) -> None:
    """Settle every frame of a batch and write what it leaves in the archive; ``uplinks`` by place."""
    kinds, heard = _identified(uplinks, books)
    heard = first_time(heard, books, transaction.archive, rules)
    earlier = archived_near(heard, transaction.archive, rules)
    found = [
        (kinds[mark], one)
        for mark, receptions in heard.items()
        for one in transmissions(earlier.get(mark, ()), receptions, rules.window)
    ]
    bench = _Bench(transaction, [kind for kind, one in found if len(one.archived) != 1], judge, rules)
    _add_new([pair for pair in found if not pair[1].archived], bench, books, rules)
    _add_heard_again([one for _, one in found if one.archived], bench, books, rules)


class _Bench:
    """Judges frames with the registry and the keys of one transaction; identical frames once."""

    def __init__(self, transaction: Transaction, kinds: Sequence[_Kind], judge: Judge, rules: Rules) -> None:
        self.transaction = transaction
        self._judge = judge
        self._rules = rules
        addresses = {address for kind in kinds for address in (kind.meter, kind.sender)}
        self._meters: Mapping[MeterId, Meter] = transaction.registry.meters({kind.meter for kind in kinds})
        self._keys = transaction.keyring.periods(addresses)
        self._verdicts: dict[bytes, Verdict] = {}

    def judge(self, mark: bytes, frame: Frame, meter: MeterId, heard_at: datetime) -> Verdict:
        if mark not in self._verdicts:
            ours = self._rules.ours(meter, self._meters)
            self._verdicts[mark] = self._judge.judge(frame, ours, self._keys, heard_at)
        return self._verdicts[mark]


# --- who sent it ---------------------------------------------------------------------------------


def _identified(
    uplinks: Mapping[int, FrameUplink], books: Books
) -> tuple[dict[bytes, _Kind], dict[bytes, list[Heard]]]:
    """Sort frames by content; quarantine what is no frame or from nobody."""
    kinds: dict[bytes, _Kind] = {}
    heard: dict[bytes, list[Heard]] = defaultdict(list)
    for place, uplink in uplinks.items():
        try:
            frame = normalised(uplink.frame)
            telegram = peek_frame(frame)
        except DecodeError as wrong:
            books.quarantine(place, wrong.code, wrong.message)
            continue
        mark = fingerprint(frame.data)
        kinds[mark] = _Kind(mark, frame, telegram.meter, telegram.sender)
        heard[mark].append(Heard(place, uplink))
    return kinds, heard


def normalised(raw: bytes) -> Frame:
    """Bring a frame to its one form.

    Every adapter here speaks for gateways that take the link-layer checksums off. One that forgets is
    recognised by its length, but only in frame format A; what looks like format B is, once in 65536 frames,
    one without checksums whose last two bytes happen to fit, and must not lose them.

    Raises:
        FrameError: no frame.
    """
    if _plain(raw):
        return Frame(raw)
    frame = normalise(raw)
    return normalise(raw, crc="none") if frame.crc == "B" else frame


def _plain(raw: bytes) -> bool:
    """Whether a frame is in its one form already, told without computing checksums; nearly always."""
    if len(raw) < 10 or len(raw) != raw[0] + 1 or raw[1] not in CONTROL or raw[3] == _WIRED:
        return False
    return not may_hold(int.from_bytes(raw, "little"), masks_of(len(raw)))


# --- new transmissions ---------------------------------------------------------------------------


def _add_new(found: Sequence[tuple[_Kind, Transmission]], bench: _Bench, books: Books, rules: Rules) -> None:
    new: list[tuple[NewTelegram, Transmission, Verdict]] = []
    unkept: list[tuple[MeterId, Reception]] = []
    for kind, one in found:
        verdict = bench.judge(kind.fingerprint, kind.frame, kind.meter, one.heard[0].at)
        if verdict.outcome is Outcome.QUARANTINED:
            for heard in one.heard:
                books.quarantine(heard.place, verdict.reason, verdict.sentence)
            continue
        frame = kind.frame.data
        receptions = _receptions(one.heard, frame)
        if verdict.outcome is Outcome.FOREIGN and rules.foreign is Foreign.COUNT:
            unkept += [(kind.meter, reception) for reception, _ in receptions]
            _settle(one.heard, verdict, None, books)
            continue
        telegram = NewTelegram(kind.meter, frame, kind.fingerprint, verdict.state, verdict.reason, receptions)
        new.append((telegram, one, verdict))
    bench.transaction.archive.count_unkept(unkept)
    numbers = bench.transaction.archive.add([telegram for telegram, _, _ in new])
    for number, (telegram, one, verdict) in zip(numbers, new, strict=True):
        _settle(one.heard, verdict, number, books)
        if verdict.telegram is not None:
            archived = _archived(number, telegram)
            books.keep(*readings_of(verdict.telegram, archived, rules.zone, verdict.model))


def _receptions(heard: Iterable[Heard], frame: bytes) -> list[tuple[Reception, bytes | None]]:
    """Give the receptions, earliest first, the same one once."""
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


# --- heard again ---------------------------------------------------------------------------------


def _add_heard_again(found: Sequence[Transmission], bench: _Bench, books: Books, rules: Rules) -> None:
    archive = bench.transaction.archive
    more: list[tuple[int, Reception, bytes | None]] = []
    for one in found:
        keep = one.archived[0]
        known = {reception_key(old) for telegram in one.archived for old, _ in telegram.receptions}
        for reception, raw in _receptions(one.heard, keep.frame):
            if reception_key(reception) not in known:
                more.append((keep.id, reception, raw))
        for heard in one.heard:
            books.settle(heard.place, Outcome.DUPLICATE, telegram=keep.id)
    archive.add_receptions(more)
    for one in found:
        if len(one.archived) > 1:
            _merge(one.archived, bench, books, rules)


def _merge(archived: Sequence[ArchivedTelegram], bench: _Bench, books: Books, rules: Rules) -> None:
    """A late reception shows that telegrams were one transmission.

    The one that is kept is judged anew: it may have come before its key did, and what only the others
    brought goes with them.
    """
    keep, *others = archived
    archive = bench.transaction.archive
    for other in others:
        archive.merge(keep.id, other.id)
    verdict = bench.judge(keep.fingerprint, normalised(keep.frame), keep.meter, keep.heard_at)
    merged = archive.telegram(keep.id)
    if merged is None or verdict.telegram is None:
        return
    if merged.state is not TelegramState.STORED:
        archive.set_state(keep.id, TelegramState.STORED, "")
    books.keep(*readings_of(verdict.telegram, merged, rules.zone, verdict.model))
