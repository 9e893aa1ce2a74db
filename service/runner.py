"""The running process: web in one thread, ingest in a few, signals in the main one."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from metering.clock import SystemClock
from metering.errors import SettingsError, TelemetryError
from service.billing_rounds import making_rounds
from service.billing_sending import corresponding
from service.bootstrap import make_web
from service.database import prepared_store
from service.lifetime import (
    LAST_BATCH_S,
    clearing_of,
    intake_of,
    settle_memory,
    stopped,
)
from service.scanning_loop import watching
from service.series import readable
from service.settings_model import Settings, WebSettings
from service.signals import ended_by_signals, wait_for

__all__ = ["listen", "run_service", "url_of", "web_server"]

_log = structlog.get_logger(__name__)

_LAST_PAGES_S = 1
"""Seconds requests under way have to be answered. Both together keep the promise of five."""


def run_service(
    settings: Settings,
    *,
    ingest: bool,
    web: bool,
    upgrade: bool = False,
    announce: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run until a signal ends it: SIGINT or SIGTERM, cleanly; a second one at once.

    Args:
        settings: in force.
        ingest: take telegrams from the broker.
        web: serve the pages.
        upgrade: bring an older database to this release's schema first.
        announce: told, in lines for people, what runs where.

    Raises:
        TelemetryError: it cannot start; nothing has been started then.
    """
    clock = SystemClock()
    with ExitStack() as house:
        listening = house.enter_context(listen(settings.web)) if web else None
        store = prepared_store(settings.store, clock, upgrade_old=upgrade)
        house.callback(store.close)
        intake = intake_of(settings, store, clock) if ingest else None
        ended, broken = house.enter_context(ended_by_signals()), threading.Event()
        if listening:
            app = make_web(settings, readable(settings.series, store), clock, intake)
            house.enter_context(web_server(app, listening, on_end=lambda: _set(broken, ended)))
            announce(f"Nurt is at {url_of(listening)}")
        settle_memory()
        if intake:
            intake.start()
            house.callback(lambda: stopped(intake.stop(LAST_BATCH_S)))
            house.enter_context(clearing_of(settings, store, clock, None))
            house.enter_context(watching(settings, store, clock))
            announce(f"Listening to the MQTT broker {settings.mqtt.host}:{settings.mqtt.broker_port}")
        house.enter_context(making_rounds(settings, store, clock))
        if intake and listening:
            for line in house.enter_context(corresponding(settings, store, clock)):
                announce(line)
        announce("Ctrl-C ends it.")
        wait_for(ended)
        if broken.is_set():
            raise TelemetryError("the web server ended by itself; see the log above")
        _log.info("service.ending")


def _set(*events: threading.Event) -> None:
    for event in events:
        event.set()


# --- web -----------------------------------------------------------------------------------------


def listen(web: WebSettings) -> socket.socket:
    """Take the port, before anything else is started.

    Raises:
        SettingsError: the port is taken, not ours to take, or the address is not of this machine.
    """
    where = f"port {web.port} on {web.host}"
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            web.host, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, number)
    except OSError as wrong:
        raise SettingsError(f"web.host {web.host} is not an address: {wrong.strerror}") from wrong
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(256)
    except OSError as wrong:
        listening.close()
        raise SettingsError(
            _REFUSED.get(wrong.errno or 0, f"{{}}: {wrong.strerror}").format(where)
        ) from wrong
    return listening


_REFUSED = {
    errno.EADDRINUSE: "{} is taken by another program; end that, or choose another with --port or [web] port",
    errno.EACCES: "{} needs special rights; choose one from 1024 up with --port or [web] port",
    errno.EADDRNOTAVAIL: "{}: this machine does not have that address; see [web] host",
}


def url_of(listening: socket.socket) -> str:
    """Give the address to open in a browser on this machine."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  it is compared, not listened to
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@contextmanager
def web_server(
    app: FastAPI, listening: socket.socket, *, on_end: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Serve an application in a thread of its own for as long as the block lasts.

    Args:
        app: the application.
        listening: a socket that listens.
        on_end: called when the server ends, asked or not.

    Raises:
        TelemetryError: it does not start.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_PAGES_S,
    )
    server = uvicorn.Server(config)
    running = threading.Event()

    def serve() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            running.set()
            on_end()

    thread = threading.Thread(target=serve, name="web", daemon=True)
    thread.start()
    while not server.started and not running.wait(0.02):
        pass
    if not server.started:
        raise TelemetryError("the web server did not start; see the log above")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_LAST_PAGES_S + 0.5)
