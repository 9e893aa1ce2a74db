"""The scan and its notices beside the running service: in their turn, once for all processes on a database.

Detectors and channels are loaded where they are used: a worker that only takes telegrams stays small.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from metering.errors import TelemetryError
from metering.ports import Clock, Store
from service.scanning_turn import Turn, TurnLost
from service.settings_model import Settings

if TYPE_CHECKING:
    from service.scanning import Scanner, ScanReport

__all__ = ["outcome_of", "scan_in_turn", "scanner_of", "watching"]

_log = structlog.get_logger(__name__)

FIRST_AFTER_S = 60.0
"""Seconds after the start before the first look: what waited at the broker comes first."""
LOOK_S = 20.0
"""Seconds between two looks whether a scan is due, or notices are."""
LAST_S = 5.0
NOTICES = "anomaly.notices"


@contextmanager
def watching(settings: Settings, store: Store, clock: Clock, command: Sequence[str] = ()) -> Iterator[None]:
    """Scan when it is due, and send what is due, for as long as the block lasts; nothing if that is off.

    Any number of processes may watch a database: each scan is one's.

    Args:
        settings: in force.
        store: the database.
        clock: the present.
        command: scans in a process of its own that ends with its standard input; empty = in this process.

    Raises:
        SettingsError: a secret of the notices cannot be read.
    """
    if not settings.anomaly.every_minutes:
        yield
        return
    ended = threading.Event()
    every = timedelta(minutes=settings.anomaly.every_minutes)
    scan = _by_command(command, store, clock, every) if command else _here(settings, store, clock, every)
    tell = _telling(settings, store, clock)
    thread = threading.Thread(target=_watch, args=(scan, tell, ended), name="anomaly", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LAST_S)


def scanner_of(settings: Settings, store: Store, clock: Clock, turn: Turn) -> Scanner:
    """Make the scanner of a process whose turn it is."""
    from service.fleet_source import FleetSource
    from service.notices.made import channel_names
    from service.scanning import Scanner

    channels = channel_names(settings.notices)
    zone = ZoneInfo(settings.ingest.zone)
    plans = FleetSource(settings.gateways.file).plans
    return Scanner(store, clock, zone, settings.anomaly, channels, turn.hold, plans)


def scan_in_turn(
    make: Callable[[], Scanner], turn: Turn, every: timedelta, ended: Callable[[], bool]
) -> ScanReport | None:
    """Scan if it is due and nobody else is at it; gives what came of it.

    A fault of one scan waits for the next; one that was stopped is for whoever looks first.
    """
    if turn.take(every) is not None:
        return None
    try:
        report = make().run(ended=ended)
    except TurnLost:
        raise
    except BaseException:
        turn.give_up(every)
        raise
    if ended():
        turn.give_up()
    else:
        turn.done(every, outcome_of(report))
    return report


def outcome_of(report: ScanReport) -> dict[str, float]:
    """Give the numbers a scan leaves for the metrics."""
    return {
        "meters": report.meters,
        "judged": report.judged,
        "raised": len(report.raised),
        "closed": report.closed,
        "districts": report.districts,
    }


_Scan = Callable[[threading.Event], None]


def _here(settings: Settings, store: Store, clock: Clock, every: timedelta) -> _Scan:
    turn = Turn(store, clock)

    def scan(ended: threading.Event) -> None:
        if not turn.is_due(every):
            return
        report = scan_in_turn(lambda: scanner_of(settings, store, clock, turn), turn, every, ended.is_set)
        if report is not None:
            _log.info("anomaly.scanned", judged=report.judged, raised=len(report.raised))

    return scan


def _by_command(command: Sequence[str], store: Store, clock: Clock, every: timedelta) -> _Scan:
    turn = Turn(store, clock)

    def scan(ended: threading.Event) -> None:
        if not turn.is_due(every):
            return
        with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603  our own program
            while process.poll() is None and not ended.wait(0.2):
                pass
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(LAST_S - 1)
            except subprocess.TimeoutExpired:
                process.kill()

    return scan


def _telling(settings: Settings, store: Store, clock: Clock) -> Callable[[], None]:
    if not (settings.notices.smtp_host or settings.notices.webhook_url):
        return lambda: None
    from service.notices.made import make_teller

    teller, turn = make_teller(settings, store, clock), Turn(store, clock, NOTICES)

    def tell() -> None:
        if teller.is_due() and turn.take() is None:
            try:
                teller.tell()
            finally:
                turn.give_up()

    return tell


def _watch(scan: _Scan, tell: Callable[[], None], ended: threading.Event) -> None:
    pause = FIRST_AFTER_S
    while not ended.wait(pause):
        pause = LOOK_S
        try:
            scan(ended)
            tell()
        except TelemetryError as wrong:
            _log.warning("anomaly.not_scanned", reason=str(wrong))
        except Exception:  # noqa: BLE001  the loop outlives any fault of one scan; the log has it
            _log.exception("anomaly.failed")
