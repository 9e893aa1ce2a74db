"""Bytes in any portions -> events: the one loop all framings share.

A framing is a function that looks at the bytes received so far and says what stands at their beginning. It
decides by those bytes alone, so the portions they came in change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway_firmware_config.agent.received import Event

__all__ = ["Look", "Reader", "Step", "lines"]


class Step(NamedTuple):
    """What stands at the beginning of the buffer.

    Attributes:
        size: bytes it takes, at least one.
        events: what it means; none for noise.
    """

    size: int
    events: tuple[Event, ...] = ()


Look = Callable[[bytearray], Step | None]
"""Say what stands at the beginning of a buffer that is not empty; ``None`` = it takes more bytes to tell."""


class Reader:
    """Applies a framing to a stream of bytes.

    Args:
        look: the framing.
        last: how to look when nothing more will come; ``None`` = the same.

    Attributes:
        noise: bytes so far that belonged to nothing.
    """

    def __init__(self, look: Look, last: Look | None = None) -> None:
        self._look = look
        self._last = last or look
        self._buffer = bytearray()
        self.noise = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes as they come; gives what is complete. Never raises."""
        self._buffer += data
        return self._read(self._look)

    def pause(self) -> list[Event]:
        """Take note that the line has been quiet: what has been begun will not be completed.

        It may hide something whole: noise that looked like the beginning of a long frame.
        """
        events = self._read(self._last)
        while self._buffer:
            self._drop(1)
            events += self._read(self._last)
        return events

    def _read(self, look: Look) -> list[Event]:
        events: list[Event] = []
        while self._buffer and (step := look(self._buffer)) is not None:
            if step.events:
                del self._buffer[: step.size]
                events += step.events
            else:
                self._drop(step.size)
        return events

    def _drop(self, size: int) -> None:
        self.noise += min(size, len(self._buffer))
        del self._buffer[:size]


def lines(read: Callable[[str], tuple[Event, ...]], longest: int = 2048) -> Look:
    """Make a framing of text lines; what is longer than ``longest`` bytes is no line."""

    def look(buffer: bytearray) -> Step | None:
        end = buffer.find(b"\n", 0, longest)
        if end >= 0:
            return Step(end + 1, read(buffer[:end].decode("ascii", "replace").strip()))
        return None if len(buffer) < longest else Step(longest)

    return look
