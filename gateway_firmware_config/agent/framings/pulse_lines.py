"""Lines of pulse boards: ``channel total``, as ``1 123456`` or ``garden: 17``."""

from __future__ import annotations

import re

from gateway_firmware_config.agent.framings.reader import lines
from gateway_firmware_config.agent.received import Event, Fault, Pulse

__all__ = ["look"]

_LINE = re.compile(r"([A-Za-z0-9_-]{1,64})[\s:=;,]+([0-9]{1,18})", re.ASCII)


def _read(line: str) -> tuple[Event, ...]:
    if match := _LINE.fullmatch(line):
        return (Pulse(match[1], int(match[2])),)
    return (Fault("bad_line", "a line of the pulse board is not a channel and its count"),) if line else ()


look = lines(_read, longest=128)
