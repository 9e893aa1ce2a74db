"""What processes that take telegrams in have in common, with or without pages."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import AbstractContextManager

import structlog

from ingest.intake import Intake
from ingest.roster import Member, members_of
from metering.ports import Clock, Store
from service.crew_names import left_behind
from service.retiring import clearing
from service.settings_model import Settings
from service.taking_in import make_intake

__all__ = ["LAST_BATCH_S", "clearing_of", "intake_of", "settle_memory", "stopped"]

_log = structlog.get_logger(__name__)

LAST_BATCH_S = 3.0
"""Seconds the last batch has to be committed and acknowledged; what is left then stays with the broker."""


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
