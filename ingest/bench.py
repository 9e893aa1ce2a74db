"""The bench that judges the frames of one batch, identical ones once, and mostly before its transaction.

A database has one writer at a time. What needs no writing is done before: while one worker writes, others
decode. A verdict depends on the frame, on when it was heard, and on registry and keyring. So one given ahead
holds as long as these are of the same edition when the transaction has begun; else it is given anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.judge import Judge, Verdict
from ingest.rules import Rules
from ingest.senders import Kind
from metering.meter import Meter, MeterId
from metering.ports import KeyHistory, Transaction

__all__ = ["Bench", "HeardAt"]

HeardAt = tuple[Kind, datetime]
"""A frame and when it was heard."""


class Bench:
    """Judges the frames of one batch."""

    def __init__(self, judge: Judge, rules: Rules) -> None:
        self._judge = judge
        self._rules = rules
        self._edition: int | None = None
        self._verdicts: dict[tuple[bytes, datetime], Verdict] = {}

    def look_ahead(self, view: Transaction, heard: Sequence[HeardAt]) -> None:
        """Judge frames before the transaction, by registry and keyring as they stand.

        Args:
            view: a view of the store.
            heard: frames and when they were heard.
        """
        self._edition = view.registry.edition()
        self._judge_all(view, heard)

    def verdict_ahead(self, kind: Kind, heard_at: datetime) -> Verdict | None:
        """Give the verdict on a frame if it was judged ahead."""
        return self._verdicts.get((kind.mark, heard_at))

    def open(self, transaction: Transaction, heard: Sequence[HeardAt]) -> None:
        """Go on in the batch's transaction; judge what was not judged ahead, or under another edition."""
        if self._edition != transaction.registry.edition():
            self._verdicts.clear()
        missing = [(kind, at) for kind, at in heard if (kind.mark, at) not in self._verdicts]
        self._judge_all(transaction, missing)

    def verdict(self, transaction: Transaction, kind: Kind, heard_at: datetime) -> Verdict:
        """Give the verdict on a frame heard at a time."""
        found = self._verdicts.get((kind.mark, heard_at))
        if found is None:
            self._judge_all(transaction, [(kind, heard_at)])
            found = self._verdicts[kind.mark, heard_at]
        return found

    def _judge_all(self, view: Transaction, asked: Sequence[HeardAt]) -> None:
        if not asked:
            return
        meters = view.registry.meters({kind.meter for kind, _ in asked})
        keys = view.keyring.periods({address for kind, _ in asked for address in (kind.meter, kind.sender)})
        for kind, heard_at in asked:
            self._verdicts[kind.mark, heard_at] = self._one(kind, heard_at, meters, keys)

    def _one(
        self, kind: Kind, heard_at: datetime, meters: Mapping[MeterId, Meter], keys: KeyHistory
    ) -> Verdict:
        return self._judge.judge(kind.frame, self._rules.ours(kind.meter, meters), keys, heard_at)
