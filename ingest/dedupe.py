"""One transmission heard by several gateways is one telegram with several receptions.

Receptions of identical bytes belong to one transmission when each was heard within a window of the next
(single linkage over the times of reception). So the result depends on what was heard, not on the order in
which it reached us; and a meter that repeats identical bytes more slowly than the window, as many do for
hours, is heard anew each time. Deduplication by content alone would lose those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from metering.ports import ArchivedTelegram
from metering.uplink import FrameUplink, Reception

__all__ = ["Heard", "Transmission", "fingerprint", "reception_key", "transmissions"]


def fingerprint(frame: bytes) -> bytes:
    """Digest of a frame in its one form: identity, access number and content in 16 bytes."""
    return blake2b(frame, digest_size=16).digest()


def reception_key(reception: Reception) -> tuple[object, ...]:
    """What makes a reception the same one: all the gateway said of it; not how often it was delivered."""
    number = reception.sequence
    if number is not None:
        return number
    return (reception.gateway, reception.heard_at, reception.rssi_dbm, reception.mode)


class Heard(NamedTuple):
    """One reception of a frame that is not archived yet.

    Attributes:
        place: position of its item in the batch.
        uplink: what came.
    """

    place: int
    uplink: FrameUplink

    @property
    def at(self) -> datetime:
        """When it was heard."""
        return self.uplink.reception.heard_at

    @property
    def gateway(self) -> str:
        """By whom."""
        return self.uplink.reception.gateway


@dataclass(slots=True)
class Transmission:
    """What belongs together.

    Attributes:
        archived: telegrams of the archive it consists of, earliest first; more than one were bridged.
        heard: new receptions, in the order of the batch.
    """

    archived: list[ArchivedTelegram] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


def transmissions(
    archived: Iterable[ArchivedTelegram], heard: Iterable[Heard], window: timedelta
) -> Sequence[Transmission]:
    """Sort receptions of one fingerprint, old and new, into transmissions, earliest first.

    Those that hold no new reception are left out.
    """
    old = [(one.heard_at, _last(one), one.id, one) for one in archived]
    new = [(one.at, one.at, one.place, one) for one in heard]
    spans: list[tuple[datetime, datetime, int, ArchivedTelegram | Heard]] = [*old, *new]
    found: list[Transmission] = []
    end: datetime | None = None
    for first, last, _, member in sorted(spans, key=lambda span: span[:3]):
        if end is None or first - end > window:
            found.append(Transmission())
        end = last if end is None else max(end, last)
        if isinstance(member, Heard):
            found[-1].heard.append(member)
        else:
            found[-1].archived.append(member)
    for one in found:
        one.heard.sort(key=lambda heard: heard.place)
    return [one for one in found if one.heard]


def _last(telegram: ArchivedTelegram) -> datetime:
    return max((reception.heard_at for reception, _ in telegram.receptions), default=telegram.heard_at)
