"""One receiver: its line is opened, listened to, and opened again when it is lost or has gone silent.

A dongle may stay plugged in and say nothing for days, without any error. So silence has a limit: then the
dongle is told to start anew, where it can be, and its line is opened again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from gateway_firmware_config.agent.framings import Reader
from gateway_firmware_config.agent.lines import Line, LineLost, OpenLine
from gateway_firmware_config.agent.received import Answer, Event, Fault, Frame, Pulse

__all__ = ["Condition", "Listener", "Manners", "Sink"]

_log = structlog.get_logger(__name__)

Sink = Callable[[str, Sequence[Frame | Pulse]], None]
"""Takes what a receiver heard: its name, and the telegrams in order."""

_PAUSE_S = 1.0
"""A line quiet for so long is between telegrams: no device stops for a second inside one."""

_GIBBERISH = 1000
"""Bytes that belong to nothing, without one telegram among them: collisions on the air never last so long."""

_OPEN_AGAIN_S = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Condition:
    """How a receiver is doing, for health messages.

    Attributes:
        open: whether its line is open.
        trouble: why not, or what is wrong; empty if nothing is.
        heard: telegrams and counter states.
        faults: what was meant as telegrams and is none, by reason.
        noise: bytes that belonged to nothing.
        restarts: how often it was silent for too long.
        heard_at: when it last heard something, monotonic seconds.
    """

    open: bool = False
    trouble: str = ""
    heard: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    noise: int = 0
    restarts: int = 0
    heard_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Manners:
    """How to treat a receiver.

    Attributes:
        greeting: sent when the line has been opened.
        reset: sent before the line is opened again after a silence.
        silent_s: longest silence that is believed, seconds; 0 = any.
    """

    greeting: bytes = b""
    reset: bytes = b""
    silent_s: float = 1800


class Listener:
    """Listens to one receiver in a thread of its own.

    Args:
        name: of the receiver, for people.
        open_line: opens its line.
        make_reader: makes a reader for each opening.
        sink: takes what is heard; called from the thread.
        manners: how to treat it.
    """

    def __init__(
        self,
        name: str,
        open_line: OpenLine,
        make_reader: Callable[[], Reader],
        sink: Sink,
        *,
        manners: Manners | None = None,
    ) -> None:
        self.name = name
        self.condition = Condition()
        self._open_line = open_line
        self._make_reader = make_reader
        self._sink = sink
        self._manners = manners or Manners()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"receiver {name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when what has been heard is with the sink."""
        self._ended.set()
        self._thread.join(10)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        attempt = 0
        while not self._ended.is_set():
            heard = self.condition.heard
            try:
                line = self._open_line()
                try:
                    self._listen(line)
                finally:
                    line.close()
                    self.condition.open = False
            except LineLost as lost:
                self._tell(str(lost))
            attempt = 0 if self.condition.heard > heard else attempt + 1
            self._ended.wait(_OPEN_AGAIN_S[min(attempt, len(_OPEN_AGAIN_S) - 1)])

    def _tell(self, trouble: str) -> None:
        """Tell trouble once, not at every attempt."""
        if trouble != self.condition.trouble:
            _log.warning("receiver.lost", receiver=self.name, error=trouble)
        self.condition.trouble = trouble

    def _listen(self, line: Line) -> None:
        """Listen until the end, the loss of the line, or too long a silence."""
        line.write(self._manners.greeting)
        self.condition.open, self.condition.trouble = True, ""
        _log.info("receiver.open", receiver=self.name)
        reader = self._make_reader()
        opened = quiet_since = time.monotonic()
        while not self._ended.is_set():
            data = line.read(0.5)
            now = time.monotonic()
            if data:
                self._take(reader.feed(data))
                quiet_since = now
            elif now - quiet_since >= _PAUSE_S:
                self._take(reader.pause())
            self.condition.noise = reader.noise
            self._doubt_the_speed()
            if 0 < self._manners.silent_s < now - max(opened, self.condition.heard_at):
                self._start_anew(line)
                return

    def _start_anew(self, line: Line) -> None:
        self.condition.restarts += 1
        self.condition.trouble = f"silent for {self._manners.silent_s:.0f} s"
        _log.warning(
            "receiver.silent", receiver=self.name, seconds=self._manners.silent_s, does="starts it anew"
        )
        line.write(self._manners.reset)

    def _doubt_the_speed(self) -> None:
        """Tell, once, that what comes cannot be read at all."""
        now = self.condition
        if now.noise >= _GIBBERISH and not now.heard and not now.trouble:
            now.trouble = f"{now.noise} bytes came and none is of a telegram: wrong baud or wrong kind"
            _log.warning("receiver.gibberish", receiver=self.name, bytes=now.noise, does="probe the port")

    def _take(self, events: Sequence[Event]) -> None:
        heard = [event for event in events if isinstance(event, Frame | Pulse)]
        for event in events:
            if isinstance(event, Fault):
                self._count(event)
            elif isinstance(event, Answer):
                _log.debug("receiver.says", receiver=self.name, text=event.text)
        if heard:
            self.condition.heard += len(heard)
            self.condition.heard_at = time.monotonic()
            self.condition.trouble = ""
            self._sink(self.name, heard)

    def _count(self, fault: Fault) -> None:
        faults = self.condition.faults
        if fault.reason not in faults:
            _log.warning("receiver.fault", receiver=self.name, reason=fault.reason, text=fault.sentence)
        faults[fault.reason] = faults.get(fault.reason, 0) + 1
