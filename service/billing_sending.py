"""What leaves for the billing system and what comes back from it: at once, or in a thread of ``nurt run``."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import getpid
from time import monotonic, sleep
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from billing_bridge.export.json_http import JsonHttpTarget, Url
from billing_bridge.outbox import Relay
from metering.clock import SystemClock
from metering.errors import SettingsError, StoreUnavailable, TelemetryError
from metering.outbox import OutboxState
from metering.ports import Clock, Store
from service.billing_files import file_sender
from service.billing_inbox import Inbox
from service.billing_nightly import due, night_round
from service.settings_model import Settings

__all__ = ["Correspondence", "Nights", "Sender", "Sent", "correspondence", "send_now"]

_log = structlog.get_logger(__name__)

_BATCH = 200
_SENDERS = 8
_IDLE_S = 2.0
"""Seconds between two looks at an outbox in which nothing was due."""
_FETCH_S = 30.0
"""Seconds between two looks at what came back."""
_FAULT_S = 10.0
_NIGHT_LOOK_S = 60.0
"""Seconds between two looks whether it is the hour of the nightly round."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sending did.

    Attributes:
        settled: answers settled.
        documents: new documents fetched.
        left: messages that wait still.
    """

    settled: int
    documents: int
    left: int


def send_now(settings: Settings, store: Store, *, seconds: float = 0) -> Sent:
    """Send what is due, and fetch what came back.

    Raises:
        SettingsError: no URL is set, or the secrets cannot be read.
        StoreUnavailable: what was sent meanwhile is sent again under its key.
    """
    with_whom = correspondence(settings, store, SystemClock())
    if with_whom is None:
        raise SettingsError(
            "neither [billing] url nor [billing_files] outgoing is set: there is nobody to send to"
        )
    until = monotonic() + seconds
    settled = 0
    try:
        while (done := with_whom.send()) or (monotonic() < until and _waits(store, settings)):
            settled += done
            sleep(0 if done else 0.1)
        documents = with_whom.fetch()
    finally:
        with_whom.close()
    with store.reading() as tx:
        counts = tx.outbox.counts(settings.billing.target)
    return Sent(settled, documents, counts[OutboxState.PENDING])


def _waits(store: Store, settings: Settings) -> bool:
    with store.reading() as tx:
        return tx.outbox.next_due(settings.billing.target) is not None


def correspondence(settings: Settings, store: Store, clock: Clock) -> Correspondence | None:
    """Make what sends and fetches; ``None`` if no URL is set.

    Raises:
        SettingsError: the secrets or the template cannot be read, or both ways are set.
    """
    billing = settings.billing
    files = settings.billing_files
    sender: Sender
    if billing.url is not None and files.outgoing is not None:
        raise SettingsError("reads go to [billing] url or to [billing_files] outgoing, not to both")
    if billing.url is not None:
        sender = _Post.to(billing.url, settings, store, clock)
    elif files.outgoing is not None:
        zone = ZoneInfo(settings.ingest.zone)
        sender = file_sender(files, billing.target, store, clock, zone)
    else:
        return None
    return Correspondence(sender, _inbox(settings, store, clock))


def _inbox(settings: Settings, store: Store, clock: Clock) -> Inbox | None:
    billing = settings.billing
    if billing.inbox_url is None:
        return None
    url, secret = Url.parse(billing.inbox_url), billing.secrets()[0]
    return Inbox(store, source=billing.target, url=url, secret=secret, clock=clock)


class Sender(Protocol):
    """What hands messages over, one way or another."""

    def run_once(self) -> int:
        """Hand over what is due; gives how many answers were settled."""
        ...

    def close(self) -> None:
        """Let go of threads and connections."""
        ...


class _Post:
    """Hands over read by read."""

    def __init__(self, relay: Relay, target: JsonHttpTarget) -> None:
        self._relay = relay
        self._target = target

    @classmethod
    def to(cls, url: str, settings: Settings, store: Store, clock: Clock) -> _Post:
        """Make it for a URL."""
        billing = settings.billing
        target = JsonHttpTarget(
            name=billing.target, url=Url.parse(url), secrets=billing.secrets(), clock=clock
        )
        relay = Relay(
            store=store,
            target=target,
            clock=clock,
            owner=f"{socket.gethostname()}:{getpid()}:{threading.get_ident()}",
            chance=random.random,
            batch=_BATCH,
            senders=_SENDERS,
        )
        return cls(relay, target)

    def run_once(self) -> int:
        return self._relay.run_once()

    def close(self) -> None:
        self._relay.close()
        self._target.close()


@contextmanager
def corresponding(settings: Settings, store: Store, clock: Clock) -> Iterator[Sequence[str]]:
    """Send and fetch in a thread for as long as the block lasts, if settings say so; gives lines for people.

    Raises:
        SettingsError: the secrets cannot be read.
    """
    with_whom = correspondence(settings, store, clock) if settings.billing.send else None
    nights = Nights(settings, store, clock)
    nights.start()
    if with_whom:
        with_whom.start()
    try:
        yield (f"Sending reads to the billing system {settings.billing.target}",) if with_whom else ()
    finally:
        if with_whom:
            with_whom.stop()
        nights.stop()


class Nights:
    """Makes the nightly round in a thread of its own."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="billing-nights", daemon=True)

    def start(self) -> None:
        """Wait for the hour, every night."""
        self._thread.start()

    def stop(self, patience_s: float = 1.0) -> None:
        """End; a round under way is made again another night."""
        self._ended.set()
        self._thread.join(patience_s)

    def _run(self) -> None:
        now = self._clock.now()
        last = (
            now if due(self._settings, now, None) else None
        )  # started at noon, the night is not made up for
        while not self._ended.wait(_NIGHT_LOOK_S):
            if not due(self._settings, self._clock.now(), last):
                continue
            last = self._clock.now()
            try:
                done = night_round(self._settings, self._store, self._clock)
            except TelemetryError as fault:
                _log.warning("billing.night", fault=str(fault))
            else:
                _log.info("billing.night", **asdict(done))


class Correspondence:
    """Sends and fetches; in a thread of its own once it is started."""

    def __init__(self, sender: Sender, inbox: Inbox | None) -> None:
        self._sender = sender
        self._inbox = inbox
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def send(self) -> int:
        """Send a batch of what is due; gives how many answers were settled."""
        return self._sender.run_once()

    def fetch(self) -> int:
        """Fetch what came back; gives how many documents were new."""
        return self._inbox.fetch() if self._inbox else 0

    def start(self) -> None:
        """Send and fetch until told to stop."""
        self._thread = threading.Thread(target=self._run, name="billing", daemon=True)
        self._thread.start()

    def stop(self, patience_s: float = 3.0) -> None:
        """End after the batch under way; what was not settled by then is sent again under its key."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(patience_s)
        self.close()

    def close(self) -> None:
        """Let go of threads and connections."""
        self._sender.close()

    def _run(self) -> None:
        fetched = -_FETCH_S
        while not self._ended.is_set():
            pause = 0.0
            try:
                if not self.send():
                    pause = _IDLE_S
                if monotonic() - fetched >= _FETCH_S:
                    fetched = monotonic()
                    self.fetch()
            except StoreUnavailable:
                pause = _FAULT_S  # said where the store is asked for
            except TelemetryError as fault:
                _log.warning("billing.correspondence", fault=str(fault))
                pause = _FAULT_S
            self._ended.wait(pause)
