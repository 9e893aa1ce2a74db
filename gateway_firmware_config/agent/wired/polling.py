"""A wired line: every so often each of its meters is asked, at the baud rate it answered to last."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import structlog

from gateway_firmware_config.agent.lines import Line, LineLost, OpenLine
from gateway_firmware_config.agent.listening import Condition, Sink
from gateway_firmware_config.agent.received import Frame
from gateway_firmware_config.agent.wired.exchange import Target, Told, read_meter
from gateway_firmware_config.agent.wired.frames import complete

__all__ = ["Poller", "converse"]

_log = structlog.get_logger(__name__)

_LONGEST = 1024


def converse(line: Line, target: Target, baud: int) -> Told:
    """Ask one meter over an open line.

    Raises:
        LineLost: the line is gone.
    """
    exchange = read_meter(target)
    question = next(exchange)
    while True:
        try:
            question = exchange.send(_answer(line, question, baud))
        except StopIteration as done:
            told: Told = done.value
            return told


def _answer(line: Line, question: bytes, baud: int) -> bytes | None:
    """Put a question; an answer begins within 330 bit times and 50 ms (EN 13757-2), later over USB."""
    while line.read(0):  # what is left of an answer that came too late
        pass
    line.write(question)
    patience = 0.3 + (11 * len(question) + 330) / baud
    buffer = b""
    while len(buffer) < _LONGEST and (data := line.read(patience)):
        buffer += data
        if (answer := complete(buffer)) is not None:
            return answer
        patience = 0.2 + 66 / baud
    return None


class Poller:
    """Asks the meters of one line in a thread of its own.

    Args:
        name: of the line, for people.
        open_line: by baud rate, in the order they are tried; what opens the line.
        targets: the meters.
        sink: takes what they say; called from the thread.
        every_s: seconds from the beginning of one round to the next.
    """

    def __init__(
        self,
        name: str,
        open_line: Mapping[int, OpenLine],
        targets: Sequence[Target],
        sink: Sink,
        *,
        every_s: float,
    ) -> None:
        self.name = name
        self.condition = Condition()
        self._open_line = open_line
        self._targets = targets
        self._sink = sink
        self._every_s = every_s
        self._baud: dict[Target, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wired {name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the meter that is being asked."""
        self._ended.set()
        self._thread.join(10)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            for target in self._targets:
                if self._ended.is_set():
                    return
                self.ask(target)
            self._ended.wait(max(1.0, self._every_s - (time.monotonic() - began)))

    def ask(self, target: Target) -> None:
        """Ask one meter, at each baud rate until it answers."""
        told = Told()
        for baud in sorted(self._open_line, key=lambda one: one != self._baud.get(target)):
            told = self._at_baud(target, baud)
            if told.telegrams:
                self._baud[target] = baud
                break
        if told.fault:
            self._count(target, told)
        if told.telegrams:
            self.condition.heard += len(told.telegrams)
            self.condition.heard_at = time.monotonic()
            self._sink(self.name, [Frame(telegram) for telegram in told.telegrams])

    def _at_baud(self, target: Target, baud: int) -> Told:
        try:
            line = self._open_line[baud]()
        except LineLost as lost:
            return self._lost(lost)
        try:
            told = converse(line, target, baud)
        except LineLost as lost:
            return self._lost(lost)
        finally:
            line.close()
        self.condition.open, self.condition.trouble = True, ""
        return told

    def _lost(self, lost: LineLost) -> Told:
        if str(lost) != self.condition.trouble:
            _log.warning("receiver.lost", receiver=self.name, error=str(lost))
        self.condition.open, self.condition.trouble = False, str(lost)
        return Told()

    def _count(self, target: Target, told: Told) -> None:
        assert told.fault is not None  # noqa: S101  the caller saw it
        faults = self.condition.faults
        faults[told.fault.reason] = faults.get(told.fault.reason, 0) + 1
        _log.warning(
            "wired.meter",
            receiver=self.name,
            meter=str(target),
            reason=told.fault.reason,
            text=told.fault.sentence,
        )
