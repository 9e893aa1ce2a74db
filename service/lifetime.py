"""What a running process has in common, with or without pages: its signals, its ingest, its end."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import structlog

from ingest.intake import Intake
from ingest.roster import Member, members_of
from metering.ports import Clock, Store
from service.crew_names import left_behind
from service.retiring import clearing
from service.settings_model import Settings
from service.taking_in import make_intake

__all__ = [
    "LAST_BATCH_S",
    "LOOK_S",
    "clearing_of",
    "ended_by_signals",
    "intake_of",
    "settle_memory",
    "stopped",
    "wait_for",
]

_log = structlog.get_logger(__name__)

LAST_BATCH_S = 3.0
"""Seconds the last batch has to be committed and acknowledged; what is left then stays with the broker."""

LOOK_S = 0.1
"""Seconds between two looks whether to end."""


def intake_of(settings: Settings, store: Store, clock: Clock, *, last_words: bool = True) -> Intake:
    """Make ingest with what the roster remembers of its session."""
    with store.reading() as view:
        former = {one.name: one.filters for one in members_of(view)}
    known = former.get(settings.mqtt.client_id, ())
    return make_intake(settings, store, clock, last_words=last_words, former=known)


def clearing_of(
    settings: Settings, store: Store, clock: Clock, workers: int | None
) -> AbstractContextManager[None]:
    """Retire, beside the block, what earlier runs on this machine left at the broker."""

    def chosen(members: Sequence[Member]) -> Sequence[str]:
        return left_behind(members, settings, workers, clock.now())

    return clearing(settings, store, clock, chosen)


def wait_for(ended: threading.Event) -> None:
    """Wait in short sleeps: a signal that comes just before a long wait begins would go unnoticed in it.

    Nor may the handler, which runs in this thread, find the event's own lock taken by it.
    """
    while not ended.is_set():
        time.sleep(LOOK_S)


def settle_memory() -> None:
    """Spare the collector what lives as long as the process, and let it look at batches, not at items.

    A batch makes some tens of thousands of short-lived objects, none of them in a cycle: looking for cycles
    every 700 objects, as by default, takes a quarter of the time of ingest.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def stopped(clean: bool) -> None:  # noqa: FBT001  says how it went
    """Tell it if the end was not clean."""
    if not clean:
        _log.warning("ingest.unfinished", kept="the broker delivers again what was not acknowledged")


@contextmanager
def ended_by_signals(*, patient: bool = False) -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set; the second signal meets the default and ends at once.

    A patient one ignores the second: systemd tells the whole crew, and so does the parent.
    """
    ended = threading.Event()

    def end(_number: int, _frame: object) -> None:
        if not patient:
            for number in before:
                signal.signal(number, signal.SIG_DFL)
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
