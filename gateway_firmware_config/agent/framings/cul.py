"""CUL and nanoCUL sticks (38400 8N1): a line for each telegram, with the block checksums of the air.

::

    b<hex>[LQI RSSI]        format A, mode T1 or S1
    bY<hex>[LQI RSSI]       mode C1, format A or B

The last two bytes come after the command ``X21`` only.
"""

from __future__ import annotations

import re

from gateway_firmware_config.agent.framings import blocks
from gateway_firmware_config.agent.framings.amber import rssi_dbm
from gateway_firmware_config.agent.framings.reader import lines
from gateway_firmware_config.agent.received import Answer, Event, Fault, Frame

__all__ = ["ASK", "SET_MODE", "look"]

ASK = b"V\r\n"
"""Which firmware are you?"""

SET_MODE = {"T1": b"brt\r\nX21\r\n", "C1": b"brc\r\nX21\r\n", "S1": b"brs\r\nX21\r\n"}
"""Mode -> what makes the stick listen to it and append the signal strength."""

_TELEGRAM = re.compile(r"b(Y?)([0-9A-Fa-f]{20,})", re.ASCII)

_VERSION = re.compile(r"V \d|.*(?:CUL|culfw)")


def _read(line: str) -> tuple[Event, ...]:
    match = _TELEGRAM.fullmatch(line)
    if match is None:
        return (Answer(line),) if _VERSION.match(line) else ()
    return (_telegram(match[2], mode_c=bool(match[1])),)


def _telegram(text: str, *, mode_c: bool) -> Event:
    if len(text) % 2:
        return Fault("odd_length", "a telegram is cut in the middle of a byte: a fault of old CUL firmware")
    raw = bytes.fromhex(text)
    checked = blocks.format_a(raw) or (blocks.format_b(raw) if mode_c else None)
    if checked is None:
        return Fault("bad_crc", "a block checksum of a telegram does not hold")
    strength = rssi_dbm(checked.trailer[1]) if len(checked.trailer) == 2 else None
    return Frame(checked.frame, mode="C1" if mode_c else None, rssi_dbm=strength)


look = lines(_read)
