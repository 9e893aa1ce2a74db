"""The agent put together, and its main loop."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway_firmware_config.agent.connecting import link_of, pace_of, state_of, topic_of
from gateway_firmware_config.agent.courier import Courier
from gateway_firmware_config.agent.framings import RECEIVERS
from gateway_firmware_config.agent.health import Health
from gateway_firmware_config.agent.intake import Intake, Traits
from gateway_firmware_config.agent.lines import command_line, serial_line
from gateway_firmware_config.agent.listening import Condition, Listener, Manners, Sink
from gateway_firmware_config.agent.moment import MachineClock, Moment, Moments
from gateway_firmware_config.agent.mqtt import BrokerLink
from gateway_firmware_config.agent.selection import Selection
from gateway_firmware_config.agent.settings import AgentSettings, ReceiverSettings, WiredSettings
from gateway_firmware_config.agent.spool import Spool, SpoolLimits
from gateway_firmware_config.agent.wired.exchange import Target
from gateway_firmware_config.agent.wired.polling import Poller
from metering.errors import StoreUnavailable, TelemetryError
from metering.meter import MeterId
from metering.ports import Clock

if TYPE_CHECKING:
    from gateway_firmware_config.agent.obedience import Obedience

__all__ = ["run_agent"]

_log = structlog.get_logger(__name__)

_MINUTE_MS = 60_000
_LAST_ROUNDS_MS = 2000
_TICK_S = 1.0
"""However long telegrams are collected, the end, orders and health are looked after so often."""


class _Part(Protocol):
    """What works in a thread of its own."""

    name: str

    @property
    def alive(self) -> bool: ...


class _Source(_Part, Protocol):
    """What brings telegrams: a receiver or a wired line."""

    condition: Condition

    def start(self) -> None: ...

    def stop(self) -> None: ...


def run_agent(
    settings: AgentSettings, clock: Clock, ended: threading.Event, obedience: Obedience | None = None
) -> bool:
    """Run until ``ended`` is set, or other settings are to be used.

    Args:
        settings: in force.
        clock: the machine's.
        ended: set when it shall end.
        obedience: takes orders; ``None`` = none are taken.

    Returns:
        Whether to run again, with the settings ``obedience`` gives then.

    Raises:
        StoreUnavailable: the spool cannot be made or opened.
        TelemetryError: a part of it has stopped working.
        SettingsError: a file named for the broker cannot be read or used.
    """
    gateway = settings.gateway
    moments = MachineClock(clock, settings.clock.source)
    with ExitStack() as house:
        spool = _spool(settings)
        house.callback(spool.close)
        selected = settings.select
        selection = Selection(selected.meters, selected.manufacturers, selected.interval_s)
        intake = Intake(spool, selection, moments, _traits(settings))
        sources = _sources(settings, intake.take)
        wake = threading.Event()
        link = link_of(settings, spool.boot, moments, wake)
        tick_s = min(settings.broker.publish_every_s, _TICK_S)
        courier = Courier(spool, link, topic_of(gateway.name, "up"), pace_of(settings))
        conditions = {source.name: source.condition for source in sources}
        health = Health(spool, intake, courier, conditions, gateway.data)
        loop = _Loop(spool, courier, link, health, topic_of(gateway.name, "health"))
        house.enter_context(_connected(link, topic_of(gateway.name, "state"), spool.boot, moments))
        again = False
        with _listening(intake, sources):
            while not (ended.is_set() or again):
                _all_alive([intake, *sources])
                again = obedience is not None and _obey(obedience, link, gateway.name, moments.now())
                if not loop.round(moments.now()):
                    wake.wait(tick_s)
                wake.clear()
        _last_rounds(loop, courier, moments)
    return again


def _last_rounds(loop: _Loop, courier: Courier, moments: Moments) -> None:
    """Give the broker a moment to take what is on its way; the rest stays in the spool."""
    last_ms = moments.now().uptime_ms + _LAST_ROUNDS_MS
    while moments.now().uptime_ms < last_ms and (loop.round(moments.now()) or courier.waits):
        time.sleep(0.05)


def _obey(obedience: Obedience, link: BrokerLink, gateway: str, now: Moment) -> bool:
    """Take orders and report; whether to begin anew with other settings."""
    try:
        anew = [obedience.receive(message) for message in link.messages()]
        anew.append(obedience.tick(now, connected=link.connected))
        if link.connected and (said := obedience.report()):
            link.say(topic_of(gateway, "cfg/reported"), said, keep=True)
    except StoreUnavailable as wrong:
        _log.error("orders.not_kept", error=str(wrong))
        return False
    return any(anew)


def _all_alive(parts: Sequence[_Part]) -> None:
    """See that every thread still runs; the traceback of one that does not is in the log.

    Raises:
        TelemetryError: one has ended by itself. Better to end as a whole and be started again by systemd than
            to run on deaf for days.
    """
    if dead := next((part for part in parts if not part.alive), None):
        raise TelemetryError(f"{dead.name} has stopped working; see the log above")


class _Loop:
    """The main loop's rounds: deliver; once a minute keep the spool in bounds and say how we are."""

    def __init__(self, spool: Spool, courier: Courier, link: BrokerLink, health: Health, topic: str) -> None:
        self._spool = spool
        self._courier = courier
        self._link = link
        self._health = health
        self._topic = topic
        self._next_shed_ms = self._next_health_ms = 0
        self._trouble = ""

    def round(self, now: Moment) -> bool:
        """Do what is to do now; whether there is more."""
        try:
            self._keep_in_bounds(now)
            self._say_how_we_are(now)
            busy = self._courier.work(now)
        except StoreUnavailable as wrong:
            if str(wrong) != self._trouble:
                _log.error("spool.refuses", error=str(wrong))
            self._trouble = str(wrong)
            return False
        self._trouble = ""
        return busy

    def _keep_in_bounds(self, now: Moment) -> None:
        if now.uptime_ms < self._next_shed_ms:
            return
        self._next_shed_ms = now.uptime_ms + _MINUTE_MS
        if gone := self._spool.shed(now):
            _log.warning("spool.shed", entries=gone, because="older or more than the spool may hold")

    def _say_how_we_are(self, now: Moment) -> None:
        if now.uptime_ms < self._next_health_ms or not self._link.connected:
            return
        self._next_health_ms = now.uptime_ms + _MINUTE_MS
        self._link.say(self._topic, self._health.message(now), keep=True)


@contextmanager
def _connected(link: BrokerLink, topic: str, boot: str, moments: Moments) -> Iterator[None]:
    """Keep the connection for as long as the block lasts, and say good-bye in the end."""
    link.start()
    try:
        yield
    finally:
        if link.connected:
            link.say(topic, state_of("offline", boot, moments.now()), keep=True)
        link.stop()


@contextmanager
def _listening(intake: Intake, sources: list[_Source]) -> Iterator[None]:
    """Listen for as long as the block lasts; what was heard is in the spool in the end."""
    intake.start()
    for source in sources:
        source.start()
    try:
        yield
    finally:
        for source in sources:
            source.stop()
        intake.stop()


def _spool(settings: AgentSettings) -> Spool:
    limits = SpoolLimits(settings.spool.max_mb * 1_000_000, settings.spool.max_days)
    spool = Spool(settings.gateway.data / "spool.db", secrets.token_hex(4), limits)
    if spool.set_aside:
        _log.error("spool.unreadable", moved_to=str(spool.set_aside), now="a new one has been begun")
    _log.info("agent.started", gateway=settings.gateway.name, boot=spool.boot, waiting=spool.depth)
    return spool


# --- the receivers -----------------------------------------------------------------------------------


def _traits(settings: AgentSettings) -> dict[str, Traits]:
    return {
        one.name: Traits(one.mode or RECEIVERS[one.kind].mode, one.litres_per_pulse)
        for one in settings.receiver
    }


def _sources(settings: AgentSettings, sink: Sink) -> list[_Source]:
    return [
        *(_listener(one, sink) for one in settings.receiver),
        *(_poller(one, sink) for one in settings.wired),
    ]


def _listener(said: ReceiverSettings, sink: Sink) -> Listener:
    kind = RECEIVERS[said.kind]
    mode = said.mode or kind.mode
    manners = Manners(kind.set_mode.get(mode or "", b""), kind.reset, said.silent_minutes * 60)
    line = serial_line(said.port, said.baud or kind.baud) if said.port else command_line(said.command)
    return Listener(said.name, line, lambda: kind.reader(said.rssi), sink, manners=manners)


def _poller(said: WiredSettings, sink: Sink) -> Poller:
    lines = {baud: serial_line(said.port, baud, even_parity=True) for baud in said.bauds}
    targets: list[Target] = [*(MeterId.parse(one) for one in said.meters), *said.addresses]
    return Poller(said.name, lines, targets, sink, every_s=said.every_minutes * 60)
