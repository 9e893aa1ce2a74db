"""From receivers into the spool: chosen, thinned, and written in groups.

Each receiver's thread only stamps and queues what it hears; one thread writes, a group at a time, because
every write waits for the disk. When the disk refuses, what is heard waits in memory for a while.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import structlog

from gateway_firmware_config.agent.envelope import Item, item_of
from gateway_firmware_config.agent.moment import Moments
from gateway_firmware_config.agent.received import Frame, Pulse
from gateway_firmware_config.agent.selection import Selection, kind_of
from gateway_firmware_config.agent.spool import Spool
from metering.errors import StoreUnavailable

__all__ = ["Intake", "Traits"]

_log = structlog.get_logger(__name__)

_GROUP_S = 0.2
"""How long a group is collected: what a power cut may take that was just heard."""

_AGAIN_S = 1.0
_WAITING_AT_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a receiver beforehand: its radio mode, and its channels' pulse weights in litres."""

    mode: str | None = None
    litres: Mapping[str, Decimal] = field(default_factory=dict)


class Intake:
    """Takes what receivers hear.

    Args:
        spool: where it is kept.
        selection: what is passed on, and how often.
        moments: the clock.
        traits: by receiver.

    Attributes:
        name: for people.
        counts: ``heard``, ``left_out`` (not selected), ``thinned``, ``kept`` (in the spool).
    """

    def __init__(
        self, spool: Spool, selection: Selection, moments: Moments, traits: Mapping[str, Traits]
    ) -> None:
        self.name = "intake"
        self.counts: Counter[str] = Counter()
        self._spool = spool
        self._selection = selection
        self._moments = moments
        self._traits = traits
        self._waiting: deque[tuple[str, Item]] = deque()
        self._lost = 0
        self._trouble = ""
        self._unsure = True
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin to write; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End when what has been heard is in the spool."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(10)

    def take(self, receiver: str, events: Sequence[Frame | Pulse]) -> None:
        """Take what a receiver heard just now."""
        now, traits = self._moments.now(), self._traits.get(receiver, Traits())
        wanted = [event for event in events if self._selection.wants(event)]
        made = [
            (kind_of(event), item_of(event, now, mode=traits.mode, litres=traits.litres)) for event in wanted
        ]
        with self._changed:
            self.counts["heard"] += len(events)
            self.counts["left_out"] += len(events) - len(wanted)
            self._waiting += made
            self._changed.notify()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    # --- the writing thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._waiting, timeout=_AGAIN_S)
                self._changed.wait_for(lambda: self._ended, timeout=_GROUP_S if self._waiting else 0)
            self.write()
            if self._trouble and not self._ended:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended, timeout=_AGAIN_S)

    def write(self) -> None:
        """Write what waits, release what was held long enough, put times right."""
        with self._changed:
            group = list(self._waiting)
        try:
            self._keep(group)
        except StoreUnavailable as wrong:
            self._overflow(str(wrong))
            return
        if self._trouble:
            _log.info("spool.works_again", lost=self._lost)
        self._trouble = ""

    def _keep(self, group: Sequence[tuple[str, Item]]) -> None:
        if group:
            if self._selection.interval_ms:
                self.counts["thinned"] += self._spool.hold(group, self._selection.interval_ms)
            else:
                self._spool.add([item for _, item in group])
                self.counts["kept"] += len(group)
            self._unsure |= any(not item.heard.source.trusted for _, item in group)
            self._forget(len(group))
        now = self._moments.now()
        self.counts["kept"] += self._spool.release(now)
        if self._unsure and now.source.trusted:
            if changed := self._spool.restamp(now):
                _log.info("clock.right", entries_put_right=changed, source=now.source)
            self._unsure = False
        if self._lost:
            self._spool.count_shed("disk", self._lost)
            self._lost = 0

    def _forget(self, written: int) -> None:
        """Drop from memory what is on the disk; while it was written more may have come, at the other end."""
        with self._changed:
            for _ in range(written):
                self._waiting.popleft()

    def _overflow(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.error("spool.refuses", error=trouble, waiting=len(self._waiting))
        self._trouble = trouble
        with self._changed:
            while len(self._waiting) > _WAITING_AT_MOST:
                self._waiting.popleft()
                self._lost += 1
