"""Which kinds of meters send messages of several telegrams: what each process learns, all know at once.

The last telegram of such a message does not say that others came before it; to look for them with every
telegram of every meter would cost all of them. So the kinds of meters that ever said that more records follow
are kept in the database. Each new one makes a new edition of the registry, the number every batch looks at: a
worker whose transaction begins after the one that learnt it knows it, and what was committed before is found
in the archive by the one that learnt it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.judge import Verdict
from ingest.messages import FRAGMENT
from metering.meter import MeterId
from metering.ports import Transaction

__all__ = ["InParts"]

_MARK = "in_parts"
_MOST = 1024
"""Kinds kept, those learnt first: there are not that many kinds of meters."""


class InParts:
    """Kinds of meters, as ``MANUFACTURER-VERSION-DEVICE_TYPE``, as far as this process knows."""

    def __init__(self) -> None:
        self._edition: int | None = None
        self._kinds: frozenset[str] = frozenset()

    def open(self, view: Transaction) -> None:
        """Look at what is known, if that may have changed."""
        edition = view.registry.edition()
        if edition != self._edition:
            self._kinds = frozenset(view.upkeep.mark(_MARK).split())
            self._edition = edition

    def concerns(self, meter: MeterId, verdict: Verdict) -> bool:
        """Whether a frame may be a part of a message of several."""
        telegram = verdict.telegram
        if telegram is None:
            return verdict.reason == FRAGMENT
        return telegram.more_follows or (bool(self._kinds) and _kind(meter) in self._kinds)

    def assume(self, meters: Iterable[MeterId]) -> None:
        """Take it that meters send messages of several telegrams, without telling anybody."""
        self._kinds |= {_kind(meter) for meter in meters}

    def learn(self, transaction: Transaction, meters: Iterable[MeterId]) -> None:
        """Tell everybody of meters that said that more records follow.

        What is told counts here, too, only once it is committed: when the next transaction begins.
        """
        told = transaction.upkeep.mark(_MARK).split()
        new = sorted({_kind(meter) for meter in meters} - set(told))
        if new and len(told) < _MOST:
            transaction.upkeep.set_mark(_MARK, " ".join([*told, *new]))
            transaction.registry.renew()


def _kind(meter: MeterId) -> str:
    return f"{meter.manufacturer}-{meter.version}-{meter.device_type}"
