"""What the archive knows of the frames of a batch: which were brought before, and what they may belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ingest.books import Books
from ingest.dedupe import Heard
from ingest.rules import Rules
from metering.ports import ArchivedTelegram, Outcome, TelegramArchive

__all__ = ["archived_near", "first_time"]

_CHAIN = 12
"""How many windows back a transmission's first reception is looked for; none lasts a minute."""

_STEP = timedelta(hours=1)
"""Frames heard within this time are looked up together. Live batches take one step, a spool of days several,
none of which meets more than an hour of a meter that repeats identical bytes."""

_ByMark = Mapping[bytes, Sequence[Heard]]
"""Receptions by fingerprint."""


def first_time(
    heard: _ByMark, books: Books, archive: TelegramArchive, rules: Rules
) -> dict[bytes, list[Heard]]:
    """Settle unnumbered repetitions of the broker: bytes their gateway brought lately, and once more now."""
    repeated = [(mark, one) for mark, ones in heard.items() for one in ones if _repeated(one)]
    if not repeated:  # nearly always
        return {mark: list(ones) for mark, ones in heard.items()}
    earliest = min(one.uplink.reception.received_at for _, one in repeated)
    asked = {(mark, one.gateway) for mark, one in repeated}
    brought = archive.brought(asked, earliest - rules.redelivery)
    return {mark: _not_brought(mark, ones, brought, books) for mark, ones in heard.items()}


def _repeated(heard: Heard) -> bool:
    """Whether only the broker's mark can tell that it was brought before."""
    reception = heard.uplink.reception
    return reception.redelivered and reception.sequence is None


def _not_brought(
    mark: bytes, heard: Sequence[Heard], brought: Mapping[tuple[bytes, str], int], books: Books
) -> list[Heard]:
    first: list[Heard] = []
    for one in heard:
        before = (mark, one.gateway) in brought or any(other.gateway == one.gateway for other in first)
        if before and _repeated(one):
            books.settle(one.place, Outcome.DUPLICATE, telegram=brought.get((mark, one.gateway)))
        else:
            first.append(one)
    return first


def archived_near(
    heard: _ByMark, archive: TelegramArchive, rules: Rules
) -> Mapping[bytes, Sequence[ArchivedTelegram]]:
    """Give the archived telegrams these receptions may belong to, by fingerprint."""
    found: dict[bytes, dict[int, ArchivedTelegram]] = defaultdict(dict)
    for first, last, marks in _steps(heard):
        since, until = first - rules.window * _CHAIN, last + rules.window
        for mark, telegrams in archive.same_frames(marks, since, until).items():
            found[mark].update((one.id, one) for one in telegrams)
    return {mark: list(telegrams.values()) for mark, telegrams in found.items()}


def _steps(heard: _ByMark) -> Iterator[tuple[datetime, datetime, set[bytes]]]:
    """Cut the times of reception into steps: first time, last time, fingerprints heard between."""
    times = sorted((one.at, mark) for mark, ones in heard.items() for one in ones)
    start = 0
    for end in range(1, len(times) + 1):
        if end == len(times) or times[end][0] - times[start][0] > _STEP:
            yield times[start][0], times[end - 1][0], {mark for _, mark in times[start:end]}
            start = end
