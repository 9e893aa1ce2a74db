"""Files to billing systems: a batch, once made, is the same bytes for ever.

::

    made ──> sent ──> answered         its messages are settled one by one as the receiver answers them
       file, manifest lie in the database; what is sent again is what was sent before

A batch takes hold of its messages in the transaction that makes it: they are in no other batch before they
are answered. Numbers of a target have no holes, so a receiver that misses one knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["Batch", "Batches", "holder"]


@dataclass(frozen=True, slots=True)
class Batch:
    """A file of messages, with the manifest that goes with it.

    Attributes:
        target: name of the receiver.
        number: 1, 2, 3, ... of this target, without holes.
        file: name of the file; the manifest and the answers are named after it.
        content: the file, byte for byte.
        manifest: the manifest, byte for byte.
        keys: of the messages in it, in the order of the file.
        made_at: UTC.
        sent_at: UTC; ``None`` = it may not be there yet.
        answered_at: when the last of its messages was answered, UTC; ``None`` = some still wait.
    """

    target: str
    number: int
    file: str
    content: bytes
    manifest: bytes
    keys: tuple[str, ...]
    made_at: datetime
    sent_at: datetime | None = None
    answered_at: datetime | None = None


def holder(number: int) -> str:
    """Give the lease owner of messages that are in a batch."""
    return f"batch {number}"


class Batches(Protocol):
    """Batches of all targets."""

    def newest(self, target: str) -> Batch | None:
        """Give the batch made last."""
        ...

    def put(self, batch: Batch) -> None:
        """Keep a batch that was just made; its number is one more than the newest's."""
        ...

    def batch(self, target: str, number: int) -> Batch | None:
        """Give one batch."""
        ...

    def unanswered(self, target: str) -> Sequence[Batch]:
        """Give the batches that still wait for answers, by number."""
        ...

    def mark_sent(self, target: str, number: int, at: datetime) -> None:
        """Note that a batch is there, unless that was noted before."""
        ...

    def mark_answered(self, target: str, number: int, at: datetime) -> None:
        """Note that all of a batch's messages were answered."""
        ...
