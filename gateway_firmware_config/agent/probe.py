"""Find out what hangs on a serial port: ask each kind of receiver what it is, then listen.

Asking sends bytes a different device may not understand; none of them changes a setting of the kinds known
here, but an RC1180 that is asked in another's language may wait in its menu until it is powered again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway_firmware_config.agent.framings import RECEIVERS
from gateway_firmware_config.agent.lines import Line, OpenLine
from gateway_firmware_config.agent.received import Answer, Event, Frame, Pulse

__all__ = ["Found", "probe"]

_ANSWER_S = 0.7


@dataclass(frozen=True, slots=True)
class Found:
    """What hangs on a port.

    Attributes:
        kind: its name in the settings.
        baud: the speed it was heard at.
        said: how it is known, for people.
    """

    kind: str
    baud: int
    said: str


def probe(open_line: Callable[[int], OpenLine], listen_s: float) -> Found | None:
    """Find out what hangs on a port; ``None`` if nothing was recognised.

    Args:
        open_line: by baud rate, what opens the port.
        listen_s: how long to listen at each speed for devices that cannot be asked.

    Raises:
        LineLost: the port cannot be opened, or is gone.
    """
    return next(_asked(open_line), None) or next(_overheard(open_line, listen_s), None)


def _asked(open_line: Callable[[int], OpenLine]) -> Iterator[Found]:
    for name, kind in RECEIVERS.items():
        if kind.ask:
            yield from _at(open_line, kind.baud, [name], _ANSWER_S, ask=kind.ask)


def _overheard(open_line: Callable[[int], OpenLine], seconds: float) -> Iterator[Found]:
    """Listen at each usual speed, for all kinds that use it."""
    for baud in sorted({kind.baud for kind in RECEIVERS.values()}):
        names = [name for name, kind in RECEIVERS.items() if kind.baud == baud]
        yield from _at(open_line, baud, names, seconds)


def _at(
    open_line: Callable[[int], OpenLine], baud: int, names: Sequence[str], seconds: float, ask: bytes = b""
) -> Iterator[Found]:
    line = open_line(baud)()
    try:
        line.write(ask)
        for name, event in _heard(line, names, seconds):
            yield Found(name, baud, _words(event))
    finally:
        line.close()


def _heard(line: Line, names: Sequence[str], seconds: float) -> Iterator[tuple[str, Event]]:
    readers = {name: RECEIVERS[name].reader(None) for name in names}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        data = line.read(min(left, 0.2))
        for name, reader in readers.items():
            yield from ((name, one) for one in reader.feed(data) if isinstance(one, Answer | Frame | Pulse))


def _words(event: Event) -> str:
    if isinstance(event, Answer):
        return event.text
    if isinstance(event, Pulse):
        return f"channel {event.channel}: {event.total}"
    return f"a telegram of {len(event.data)} bytes" if isinstance(event, Frame) else ""
