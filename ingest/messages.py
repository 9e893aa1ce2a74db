"""Messages of several frames, found in the archive, where all their frames are whoever took them in.

A meter can spread what it has to say over frames in two ways: *fragments*, none of which can be read alone
(EN 13757-7), and *telegrams after which more records follow* (DIF ``1F``, EN 13757-3), each of which can, but
for the dates another one says. What belongs together is a matter of what is in the archive, not of the order
it came in, nor of the worker that took it in: so ingest and replay find the same.

A message is found only if all of it is there. Fragments of one transmission follow one another within
minutes; where they lie further apart their authentication code must prove that they belong together.
Telegrams continue one another if each but the last says that more follows, their access numbers follow one
another, and none has another value of a register than the others: there are meters that say of each telegram
that more follows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from decoders.assembly import Assembly, fragment_of
from decoders.decode import peek_frame
from decoders.telegram import Record, Telegram
from decoders.wmbus.link import Frame
from ingest.judge import Judge, Verdict, known_to
from ingest.registers import PartOf, readings_of
from ingest.rules import Rules
from ingest.senders import normalised
from metering.ports import ArchivedTelegram, Outcome, Scope, TelegramState, Transaction
from metering.reading import Detail, Reading

__all__ = ["FRAGMENT", "Meaning", "Messages"]

FRAGMENT = "fragment"
"""Code of a frame that cannot be read without others."""

_APART = timedelta(hours=1)
"""Two telegrams of one message are at most so far apart."""
_UNPROVED = timedelta(minutes=2)
"""Two fragments, if no authentication code proves that they belong together."""
_MOST_NEAR = 1000
"""Telegrams of one meter that are looked at around one."""
_MOST_PARTS = 64
"""As many of the longest frames are a message of 16384 bytes, the longest there is (EN 13757-7)."""
_ROUND = 256


class _Part(NamedTuple):
    """A telegram of the archive, judged by itself."""

    telegram: ArchivedTelegram
    frame: Frame
    verdict: Verdict


class Meaning(NamedTuple):
    """What a telegram that is a part of a message gives rise to.

    Attributes:
        state: stored if the message can be read.
        reason: why it is held.
        readings: those the telegram is the source of; of fragments the first is the source of all.
        details: the same.
    """

    state: TelegramState
    reason: str = ""
    readings: Sequence[Reading] = ()
    details: Sequence[Detail] = ()


class Messages:
    """Looks around telegrams of the archive; what it saw holds for one transaction.

    Args:
        view: shows the archive, the registry and the keyring.
        judge: judges frames.
        rules: what the utility chose.
    """

    def __init__(self, view: Transaction, judge: Judge, rules: Rules) -> None:
        self._view = view
        self._judge = judge
        self._rules = rules
        self._parts: dict[int, _Part] = {}
        self._near: dict[int, Sequence[ArchivedTelegram]] = {}

    def members(self, telegram: ArchivedTelegram) -> Sequence[ArchivedTelegram]:
        """Give the telegrams of the message a telegram is a part of, in order; nothing if it is alone."""
        return [part.telegram for part in self._message_of(self._part(telegram))]

    def meaning(self, telegram: ArchivedTelegram) -> Meaning | None:
        """Give what a telegram gives rise to as a part of its message; ``None`` if it is alone."""
        part = self._part(telegram)
        parts = self._message_of(part)
        if not parts:
            return None
        if part.verdict.telegram is None:
            return self._of_fragments(part, parts)
        whole = _united(parts)
        of = PartOf(whole, first=part is parts[0])
        said = readings_of(part.verdict.telegram, telegram, self._rules.zone, part.verdict.model, of)
        return Meaning(TelegramState.STORED, "", *said)

    def _message_of(self, part: _Part) -> Sequence[_Part]:
        if part.verdict.reason == FRAGMENT:
            return self._around_fragment(part)
        return self._around_telegram(part) if part.verdict.telegram is not None else ()

    def _part(self, telegram: ArchivedTelegram) -> _Part:
        if telegram.id not in self._parts:
            frame = normalised(telegram.frame)
            meters = self._view.registry.meters({telegram.meter})
            keys = self._view.keyring.periods({telegram.meter, peek_frame(frame).sender})
            meter = self._rules.ours(telegram.meter, meters)
            verdict = self._judge.judge(frame, meter, keys, telegram.heard_at)
            self._parts[telegram.id] = _Part(telegram, frame, verdict)
        return self._parts[telegram.id]

    def _around(self, telegram: ArchivedTelegram) -> Sequence[ArchivedTelegram]:
        """Give the telegrams of the same meter that may belong to one, by time, then archive number."""
        if telegram.id not in self._near:
            since, until = telegram.heard_at - _APART, telegram.heard_at + _APART
            scope = Scope(meter=telegram.meter, since=since, until=until)
            found = self._view.archive.scan(scope, limit=_MOST_NEAR)
            self._near[telegram.id] = sorted(found, key=lambda one: (one.heard_at, one.id))
        return self._near[telegram.id]

    # --- fragments -------------------------------------------------------------------------------

    def _around_fragment(self, part: _Part) -> Sequence[_Part]:
        """Give the message a fragment is of: it begins with the nearest first fragment that leads to it."""
        near = [one for one in map(self._part, self._around(part.telegram)) if one.verdict.reason == FRAGMENT]
        heads = [one for one in near if self._place(one)[0] == 1]
        for head in sorted(heads, key=lambda one: _distance(one.telegram, part.telegram)):
            parts = self._from(head, timedelta()) or self._from(head, self._rules.window)
            if any(one.telegram.id == part.telegram.id for one in parts):
                return parts
        return ()

    def _from(self, head: _Part, slack: timedelta) -> Sequence[_Part]:
        """Follow the numbers from a first fragment; nothing if one is missing before the next first.

        Args:
            head: the first fragment.
            slack: by how much one may seem to come before the one before it: clocks of gateways differ.
        """
        parts = [head]
        behind = self._behind(head, slack)
        while self._place(parts[-1])[1]:
            wanted, since = len(parts) + 1, parts[-1].telegram.heard_at - slack
            later = (one for one in behind if one.telegram.heard_at >= since)
            following = next((one for one in later if self._place(one)[0] == wanted), None)
            if following is None or wanted > _MOST_PARTS:
                return ()
            parts.append(following)
        return parts

    def _behind(self, head: _Part, slack: timedelta) -> Sequence[_Part]:
        """Give the fragments from a first one to the next, by time."""
        begins = head.telegram.heard_at
        later = [one for one in self._around(head.telegram) if one.heard_at >= begins - slack]
        found: list[_Part] = []
        for part in map(self._part, later):
            if part.verdict.reason != FRAGMENT:
                continue
            again = self._place(part)[0] == 1 and part.telegram.id != head.telegram.id
            if again and part.telegram.heard_at >= begins:
                break
            found.append(part)
        return found

    def _place(self, part: _Part) -> tuple[int, bool]:
        telegram = part.telegram
        keys = self._view.keyring.periods({telegram.meter})
        return fragment_of(part.frame, known_to(telegram.meter, keys, telegram.heard_at))

    def _of_fragments(self, part: _Part, parts: Sequence[_Part]) -> Meaning:
        head = parts[0].telegram
        verdict = self._judge_whole(parts)
        if verdict.telegram is None:
            return Meaning(TelegramState.HELD, verdict.reason)
        if verdict.telegram.meter != head.meter or not _belong_together(parts, verdict.telegram):
            return Meaning(TelegramState.HELD, FRAGMENT)
        if part.telegram.id != head.id:
            return Meaning(TelegramState.STORED)
        said = readings_of(verdict.telegram, head, self._rules.zone, verdict.model)
        return Meaning(TelegramState.STORED, "", *said)

    def _judge_whole(self, parts: Sequence[_Part]) -> Verdict:
        head = parts[0].telegram
        meter = self._rules.ours(head.meter, self._view.registry.meters({head.meter}))
        if meter is None:
            return Verdict(Outcome.FOREIGN)
        keys = self._view.keyring.periods({head.meter})
        return self._judge.judge_fragments([one.frame for one in parts], meter, keys, head.heard_at)

    # --- telegrams after which more records follow -----------------------------------------------

    def _around_telegram(self, part: _Part) -> Sequence[_Part]:
        """Give the message a telegram is of: from the last one backward, which alone is sure to end it."""
        last = self._last_from(part)
        if last is None:
            return ()
        parts = [last]
        while len(parts) < _MOST_PARTS:
            before = self._beside(parts[0], -1)
            if before is None or not _more_follows(before) or _contradicts(before, parts):
                break
            parts.insert(0, before)
        alone = len(parts) == 1 or all(one.telegram.id != part.telegram.id for one in parts)
        return () if alone else parts

    def _last_from(self, part: _Part) -> _Part | None:
        one: _Part | None = part
        for _ in range(_MOST_PARTS):
            if one is None or not _more_follows(one):
                return one
            one = self._beside(one, 1)
        return None

    def _beside(self, part: _Part, step: int) -> _Part | None:
        """Give the nearest telegram with the next access number, or with the one before."""
        if part.verdict.telegram is None or (access := part.verdict.telegram.access) is None:
            return None
        mine, slack = part.telegram, self._rules.window
        candidates = [
            one
            for one in self._around(mine)
            if step * (one.heard_at - mine.heard_at) >= -slack
            and peek_frame(normalised(one.frame)).access == (access + step) % _ROUND
        ]
        for one in sorted(candidates, key=lambda one: _distance(one, mine)):
            found = self._part(one)
            if found.verdict.telegram is not None:
                return found
        return None


def _distance(one: ArchivedTelegram, other: ArchivedTelegram) -> tuple[timedelta, int]:
    return abs(one.heard_at - other.heard_at), one.id


def _belong_together(parts: Sequence[_Part], whole: Telegram) -> bool:
    times = [part.telegram.heard_at for part in parts]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return whole.security.authenticated or all(timedelta() <= gap <= _UNPROVED for gap in gaps)


def _more_follows(part: _Part) -> bool:
    return part.verdict.telegram is not None and part.verdict.telegram.more_follows


def _contradicts(before: _Part, parts: Iterable[_Part]) -> bool:
    """Whether a telegram has a register the others have, with another value: then it is of another message.

    The time of the telegram itself may differ.
    """
    known = {(record.dib, record.vib): record.value for part in parts for record in _records(part)}
    return any(
        known.get((record.dib, record.vib), record.value) != record.value
        for record in _records(before)
        if isinstance(record.value, Decimal) or (isinstance(record.value, date) and record.storage)
    )


def _records(part: _Part) -> Iterator[Record]:
    return iter(part.verdict.telegram.records if part.verdict.telegram is not None else ())


def _united(parts: Sequence[_Part]) -> Telegram:
    assembly = Assembly()
    whole: Telegram | None = None
    for part in parts:
        if part.verdict.telegram is not None:
            whole = assembly.unite(part.verdict.telegram)
    if whole is None:
        raise AssertionError("the last telegram of a message ends it")
    return whole
