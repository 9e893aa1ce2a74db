"""The frames of one batch: who sent them, which belong together, what becomes of each transmission."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from decoders.decode import peek_frame
from decoders.errors import DecodeError
from decoders.wmbus.link import Frame, normalise
from ingest.books import Books
from ingest.dedupe import Heard, Transmission, fingerprint, reception_key, transmissions
from ingest.judge import Verdict, judge
from ingest.registers import readings_of
from metering.meter import Meter, MeterId
from metering.ports import ArchivedTelegram, KeyLookup, NewTelegram, Outcome, TelegramState, Transaction
from metering.uplink import FrameUplink, Reception

__all__ = ["Rules", "take_frames"]

_CHAIN = 12
"""How many windows back a transmission's first reception is looked for; none lasts a minute."""

_SAME_TIME = timedelta(minutes=10)
"""Frames heard within this time are looked up together; a spool of days is looked up in several steps."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a utility can choose about frames.

    Attributes:
        window: receptions of identical bytes at most this far apart are one transmission.
        redelivery: how long the broker may take to repeat a delivery it marks as repeated.
        zone: in which meters give their dates.
    """

    window: timedelta = timedelta(seconds=5)
    redelivery: timedelta = timedelta(days=7)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Warsaw"))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What identical frames have in common."""

    fingerprint: bytes
    frame: Frame
    meter: MeterId
    sender: MeterId


def take_frames(
    uplinks: Mapping[int, FrameUplink], books: Books, transaction: Transaction, rules: Rules
) -> None:
    """Settle every frame of a batch and write what it leaves in the archive; ``uplinks`` by place."""
    kinds, heard = _identified(uplinks, books)
    earlier = _earlier(heard, transaction, rules)
    for mark, receptions in heard.items():
        heard[mark] = _first_time(receptions, earlier.get(mark, ()), books, rules)
    found = [
        (kinds[mark], one)
        for mark, receptions in heard.items()
        for one in transmissions(earlier.get(mark, ()), receptions, rules.window)
    ]
    bench = _Bench(transaction, [kind for kind, one in found if len(one.archived) != 1])
    _add_new([pair for pair in found if not pair[1].archived], bench, books, rules)
    _add_heard_again([one for _, one in found if one.archived], bench, books, rules)


class _Bench:
    """Judges frames with the registry and the keys of one transaction; identical frames once."""

    def __init__(self, transaction: Transaction, kinds: Sequence[_Kind]) -> None:
        self.transaction = transaction
        self._meters: Mapping[MeterId, Meter] = transaction.registry.meters({kind.meter for kind in kinds})
        ours = [kind for kind in kinds if kind.meter in self._meters]
        addresses = {kind.meter for kind in ours} | {kind.sender for kind in ours}
        self._keys: KeyLookup = transaction.keyring.keys(addresses)
        self._verdicts: dict[bytes, Verdict] = {}

    def judge(self, mark: bytes, frame: Frame, meter: MeterId) -> Verdict:
        if mark not in self._verdicts:
            self._verdicts[mark] = judge(frame, self._meters.get(meter), self._keys)
        return self._verdicts[mark]


# --- who sent it, was it brought before ----------------------------------------------------------


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
    frame = normalise(raw)
    return normalise(raw, crc="none") if frame.crc == "B" else frame


def _earlier(
    heard: Mapping[bytes, Sequence[Heard]], transaction: Transaction, rules: Rules
) -> Mapping[bytes, Sequence[ArchivedTelegram]]:
    """Give the archived telegrams these frames may belong to."""
    since = {
        mark: min(_look_back(one.uplink.reception, rules) for one in ones) for mark, ones in heard.items()
    }
    found: dict[bytes, Sequence[ArchivedTelegram]] = {}
    for start, marks in _steps(since):
        found.update(transaction.archive.same_frames(marks, start))
    return found


def _look_back(reception: Reception, rules: Rules) -> datetime:
    if _repeated(reception):
        return reception.received_at - rules.redelivery
    return reception.heard_at - rules.window * _CHAIN


def _steps(since: Mapping[bytes, datetime]) -> Iterable[tuple[datetime, Collection[bytes]]]:
    """Group marks whose times lie close together, each group with its earliest time."""
    group: list[bytes] = []
    start: datetime | None = None
    for mark in sorted(since, key=lambda mark: since[mark]):
        if start is None or since[mark] - start > _SAME_TIME:
            if start is not None:
                yield start, group
            start, group = since[mark], []
        group.append(mark)
    if start is not None:
        yield start, group


def _repeated(reception: Reception) -> bool:
    """Whether only the broker's mark can tell that it was brought before."""
    return reception.redelivered and reception.sequence is None


def _first_time(
    receptions: Sequence[Heard], earlier: Sequence[ArchivedTelegram], books: Books, rules: Rules
) -> list[Heard]:
    """Settle unnumbered repetitions of the broker: bytes their gateway brought lately, and once more now."""
    first: list[Heard] = []
    for one in receptions:
        reception = one.uplink.reception
        if _repeated(reception):
            since = reception.received_at - rules.redelivery
            before = next((old for old in earlier if _brought_by(old, reception.gateway, since)), None)
            batch = any(other.uplink.reception.gateway == reception.gateway for other in first)
            if before is not None or batch:
                books.settle(one.place, Outcome.DUPLICATE, telegram=before.id if before else None)
                continue
        first.append(one)
    return first


def _brought_by(telegram: ArchivedTelegram, gateway: str, since: datetime) -> bool:
    return any(old.gateway == gateway and old.heard_at >= since for old, _ in telegram.receptions)


# --- new transmissions ---------------------------------------------------------------------------


def _add_new(found: Sequence[tuple[_Kind, Transmission]], bench: _Bench, books: Books, rules: Rules) -> None:
    new: list[tuple[NewTelegram, Transmission, Verdict]] = []
    for kind, one in found:
        verdict = bench.judge(kind.fingerprint, kind.frame, kind.meter)
        if verdict.outcome is Outcome.QUARANTINED:
            for heard in one.heard:
                books.quarantine(heard.place, verdict.reason, verdict.sentence)
            continue
        frame = kind.frame.data
        receptions = _receptions(one.heard, frame)
        telegram = NewTelegram(kind.meter, frame, kind.fingerprint, verdict.state, verdict.reason, receptions)
        new.append((telegram, one, verdict))
    numbers = bench.transaction.archive.add([telegram for telegram, _, _ in new])
    for number, (telegram, one, verdict) in zip(numbers, new, strict=True):
        _settle(one.heard, verdict, number, books)
        if verdict.telegram is not None:
            books.keep(*readings_of(verdict.telegram, _archived(number, telegram), rules.zone))


def _receptions(heard: Iterable[Heard], frame: bytes) -> list[tuple[Reception, bytes | None]]:
    """Give the receptions, earliest first, the same one once."""
    distinct = {reception_key(one.uplink.reception): one.uplink for one in heard}
    receptions = [(one.reception, _raw(one, frame)) for one in distinct.values()]
    return sorted(receptions, key=lambda pair: (pair[0].heard_at, pair[0].gateway))


def _raw(uplink: FrameUplink, frame: bytes) -> bytes | None:
    return None if uplink.frame == frame else uplink.frame


def _settle(heard: Sequence[Heard], verdict: Verdict, number: int, books: Books) -> None:
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
    verdict = bench.judge(keep.fingerprint, normalised(keep.frame), keep.meter)
    merged = archive.telegram(keep.id)
    if merged is None or verdict.telegram is None:
        return
    if merged.state is not TelegramState.STORED:
        archive.set_state(keep.id, TelegramState.STORED, "")
    books.keep(*readings_of(verdict.telegram, merged, rules.zone))
