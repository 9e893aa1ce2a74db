"""Sessions at the broker nobody uses any more: emptied into the store, given up, struck off the roster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import structlog

from ingest.judge import Judge
from ingest.retirement import retire
from ingest.roster import Member, members_of, strike_off
from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.series import sender_of
from service.settings_model import Settings
from service.taking_in import broker_of, make_pipeline

__all__ = ["clearing", "retire_worker"]

_log = structlog.get_logger(__name__)

_LOOK_S = 5.0


def retire_worker(
    settings: Settings,
    store: Store,
    clock: Clock,
    name: str,
    *,
    enough: Callable[[], bool] = lambda: False,
) -> int:
    """Take in what waits for a worker that is gone for good, and give its session up; gives how many came.

    Raises:
        TelemetryError: the worker still runs, nobody else would take what gateways send from then on, or what
            waits could not be taken; nothing is lost then.
    """
    with store.reading() as view:
        members = {one.name: one for one in members_of(view)}
    member = members.get(name)
    if member is None:
        raise TelemetryError(f"there is no worker {name}; `nurt workers list` shows them")
    now = clock.now()
    if member.here(now):
        raise TelemetryError(f"{name} still runs, or did until a moment ago; stop it and wait a minute")
    if not any(one.listening and one.here(now) for one in members.values()):
        raise TelemetryError(
            f"nobody else listens: without {name} what gateways send would be lost; start a worker first"
        )
    broker = replace(broker_of(settings.mqtt), client_id=name, former=member.filters)
    sender = sender_of(settings.series, store)
    settle = sender.settle if sender else _at_once
    try:
        pipeline = make_pipeline(settings, store, Judge())
        left = retire(pipeline, broker, clock=clock, enough=enough, settle=settle)
    finally:
        if sender:
            sender.stop()
    if not left.empty:
        raise TelemetryError(f"{name} is not retired: {left.why}; {left.taken} deliveries were taken in")
    with store.writing() as transaction:
        strike_off(transaction, name)
    return left.taken


def _at_once() -> bool:
    return True


@contextmanager
def clearing(
    settings: Settings, store: Store, clock: Clock, left_behind: Callable[[Sequence[Member]], Sequence[str]]
) -> Iterator[None]:
    """Retire, beside the block, the sessions earlier runs left behind; those that do not go are tried again.

    Args:
        settings: in force.
        store: where what waits goes.
        clock: the present.
        left_behind: chooses them from the roster.
    """
    ended = threading.Event()

    def run() -> None:
        said = ""
        while not ended.wait(_LOOK_S):
            try:
                _retire_all(settings, store, clock, left_behind, ended)
            except TelemetryError as later:
                if str(later) != said:
                    _log.info("worker.not_retired_yet", why=str(later))
                said = str(later)

    thread = threading.Thread(target=run, name="retiring", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(1.0)


def _retire_all(
    settings: Settings,
    store: Store,
    clock: Clock,
    left_behind: Callable[[Sequence[Member]], Sequence[str]],
    ended: threading.Event,
) -> None:
    with store.reading() as view:
        names = left_behind(members_of(view))
    for name in names:
        taken = retire_worker(settings, store, clock, name, enough=ended.is_set)
        _log.info("worker.retired", worker=name, taken=taken)
