"""Lines of rtl_wmbus, a receiver in software behind a television stick.

::

    [rla;|t2a;]T1;1;1;2026-01-02 03:04:05.000;97;148;76348799;0x2a44...[;0x...]

Mode; checksums hold; 3-out-of-6 holds; local time without a zone; two magnitudes, not dBm; the A field; the
frame without checksums. Two ways of demodulation run side by side, so one telegram may be printed twice.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta

from gateway_firmware_config.agent.framings.reader import Look, lines
from gateway_firmware_config.agent.link_header import is_frame
from gateway_firmware_config.agent.received import Event, Fault, Frame

__all__ = ["rtl_wmbus"]

_LINE = re.compile(
    r"(?:[a-z0-9]{2,4};)?([TCS]1);([01]);([01]);([^;]*);(-?[0-9]*);[^;]*;[^;]*;(0x[0-9A-Fa-f]+(?:;0x[0-9A-Fa-f]+)*)",
    re.ASCII,
)
_TWICE_WITHIN = timedelta(seconds=1)
"""No meter transmits the same bytes twice within a second; two demodulators print them so."""


def rtl_wmbus() -> Look:
    """Make the framing: it remembers the last few lines."""
    return lines(_Lines().read, longest=4096)


class _Lines:
    def __init__(self) -> None:
        self._lately: deque[tuple[bytes, datetime]] = deque(maxlen=8)

    def read(self, line: str) -> tuple[Event, ...]:
        match = _LINE.fullmatch(line)
        if match is None:
            return ()
        mode, crc, coding, time, strength, frames = match.groups()
        if (crc, coding) != ("1", "1"):
            return (Fault("bad_crc", "rtl_wmbus says that a checksum does not hold"),)
        at, rssi_dbm = _time(time), _dbm(strength)
        found = [_frame(text, mode, rssi_dbm) for text in frames.split(";")]
        return tuple(event for event in found if not self._again(event, at))

    def _again(self, event: Event, at: datetime | None) -> bool:
        if not isinstance(event, Frame) or at is None:
            return False
        before = any(data == event.data and abs(at - then) < _TWICE_WITHIN for data, then in self._lately)
        self._lately.append((event.data, at))
        return before


def _frame(text: str, mode: str, rssi_dbm: int | None) -> Event:
    digits = text[2:]
    frame = bytes.fromhex(digits) if len(digits) % 2 == 0 else b""
    if not is_frame(frame):
        return Fault("bad_length", "a telegram of rtl_wmbus does not have the length it says")
    return Frame(frame, mode=mode, rssi_dbm=rssi_dbm)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=None)
    except ValueError:
        return None


def _dbm(text: str) -> int | None:
    """Give dBm: what is not negative is a magnitude."""
    return int(text) if re.fullmatch(r"-[0-9]{1,3}", text) else None
