"""Frames of the wired link layer (EN 13757-2): made, and found in what comes."""

from __future__ import annotations

from metering.meter import MeterId

__all__ = ["ACKNOWLEDGE", "BY_SELECTION", "complete", "request", "reset", "select"]

ACKNOWLEDGE = b"\xe5"
BY_SELECTION = 0xFD
"""Address of the meter that has been selected by its identity."""

_START_SHORT, _START_LONG, _END = 0x10, 0x68, 0x16
_RESET, _REQUEST, _COUNT_BIT, _SEND = 0x40, 0x5B, 0x20, 0x53
_SELECT = 0x52


def reset(address: int) -> bytes:
    """SND-NKE: forget selection and counters."""
    return _short(_RESET, address)


def request(address: int, *, odd: bool) -> bytes:
    """REQ-UD2: say your data; a turned count bit asks for the next telegram, the same for the last one."""
    return _short(_REQUEST | (_COUNT_BIT if odd else 0), address)


def select(meter: MeterId) -> bytes:
    """SND-UD to all: from now on only this meter answers to address FD (EN 13757-7, secondary addressing)."""
    letters = [ord(letter) - 64 for letter in meter.manufacturer]
    maker = (letters[0] << 10 | letters[1] << 5 | letters[2]).to_bytes(2, "little")
    who = bytes.fromhex(meter.serial)[::-1] + maker + bytes.fromhex(meter.version + meter.device_type)
    return _long(bytes((_SEND, BY_SELECTION, _SELECT)) + who)


def complete(buffer: bytes) -> bytes | None:
    """Find a whole answer: the single character, or a long frame with a good checksum; ``None`` = not yet."""
    for start, byte in enumerate(buffer):
        if byte == _START_LONG and (frame := _long_at(buffer[start:])):
            return frame
    return ACKNOWLEDGE if buffer[:1] == ACKNOWLEDGE else None


def _long_at(buffer: bytes) -> bytes | None:
    if len(buffer) < 9 or buffer[1] != buffer[2] or buffer[3] != _START_LONG:
        return None
    frame = buffer[: buffer[1] + 6]
    good = len(frame) == buffer[1] + 6 and frame[-1] == _END and sum(frame[4:-2]) & 0xFF == frame[-2]
    return frame if good else None


def _short(control: int, address: int) -> bytes:
    return bytes((_START_SHORT, control, address, (control + address) & 0xFF, _END))


def _long(content: bytes) -> bytes:
    size = len(content)
    return bytes((_START_LONG, size, size, _START_LONG)) + content + bytes((sum(content) & 0xFF, _END))
