"""Plain lines of hexadecimal digits, one telegram each, L first, without checksums.

Blanks, ``|``, ``_`` and a leading ``0x`` are for the eye only.
"""

from __future__ import annotations

import re

from gateway_firmware_config.agent.framings.reader import lines
from gateway_firmware_config.agent.link_header import is_frame
from gateway_firmware_config.agent.received import Event, Fault, Frame

__all__ = ["look"]

_FOR_THE_EYE = re.compile(r"[\s|_]|^0[xX]")


def _read(line: str) -> tuple[Event, ...]:
    digits = _FOR_THE_EYE.sub("", line)
    if not digits or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return ()
    if len(digits) % 2:
        return (Fault("odd_length", "a line is cut in the middle of a byte"),)
    frame = bytes.fromhex(digits)
    if not is_frame(frame):
        return (Fault("bad_length", "a line does not have the length its telegram says"),)
    return (Frame(frame),)


look = lines(_read)
