"""Lines bytes come from: serial ports, and programs of which the output is read."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import termios
from collections.abc import Callable, Sequence
from typing import Protocol

import serial

from metering.errors import TelemetryError

__all__ = ["Line", "LineLost", "OpenLine", "command_line", "serial_line"]

_AT_MOST = 4096
_END_S = 3.0


class LineLost(TelemetryError):
    """A serial port or a program cannot be opened, or is gone."""


class Line(Protocol):
    """One open line."""

    def read(self, seconds: float) -> bytes:
        """Give what has come, waiting so long for the first byte; empty if nothing came.

        Raises:
            LineLost: the line is gone.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send.

        Raises:
            LineLost: the line is gone.
        """
        ...

    def close(self) -> None:
        """Give the line back; never raises."""
        ...


OpenLine = Callable[[], Line]
"""Open the line; raises :class:`LineLost`."""


def serial_line(port: str, baud: int, *, even_parity: bool = False) -> OpenLine:
    """Give what opens a serial port, for us alone."""
    return lambda: _SerialLine(port, baud, even_parity=even_parity)


def command_line(command: Sequence[str]) -> OpenLine:
    """Give what starts a program and reads its output; it ends with its children when the line is closed."""
    return lambda: _CommandLine(command)


class _SerialLine:
    def __init__(self, port: str, baud: int, *, even_parity: bool) -> None:
        parity = serial.PARITY_EVEN if even_parity else serial.PARITY_NONE
        self._name = port
        try:
            self._port = serial.Serial(port, baud, parity=parity, timeout=0, write_timeout=5, exclusive=True)
        except (OSError, ValueError, termios.error) as wrong:
            raise LineLost(_cannot_open(port, wrong)) from wrong

    def read(self, seconds: float) -> bytes:
        try:
            ready, _, _ = select.select([self._port.fd], [], [], seconds)
            return bytes(self._port.read(_AT_MOST)) if ready else b""
        except (OSError, ValueError, TypeError, termios.error) as wrong:
            raise LineLost(f"{self._name} is gone: {wrong}") from wrong

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except (OSError, ValueError, termios.error) as wrong:
            raise LineLost(f"{self._name} is gone: {wrong}") from wrong

    def close(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            self._port.close()


def _cannot_open(port: str, wrong: Exception) -> str:
    number = getattr(wrong, "errno", None)
    why = os.strerror(number) if number else str(wrong)
    return f"{port} cannot be opened: {why}"


class _CommandLine:
    def __init__(self, command: Sequence[str]) -> None:
        self._name = command[0]
        try:
            # Its children are ended with it: a receiver in software is often two programs and a pipe.
            self._process = subprocess.Popen(  # noqa: S603  the owner of the box wrote the command
                list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as wrong:
            raise LineLost(f"{self._name} cannot be started: {wrong.strerror}") from wrong

    def read(self, seconds: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  it was made with a pipe
        output = self._process.stdout.fileno()
        ready, _, _ = select.select([output], [], [], seconds)
        if not ready:
            return b""
        data = os.read(output, _AT_MOST)
        if not data:
            raise LineLost(f"{self._name} has ended, code {self._ended()}")
        return data

    def write(self, data: bytes) -> None:
        """Do nothing: the program is not asked anything."""

    def close(self) -> None:
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            if self._ended() is None:
                self._signal(signal.SIGKILL)
                self._process.wait()
        self._signal(signal.SIGKILL)  # children that outlived it
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ended(self) -> int | None:
        try:
            return self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
