"""Amber AMB8465, AMB8665 and Metis-II in command mode (9600 8N1, some faster).

::

    FF | command | n | n bytes | xor of all before

A telegram is command 03. Firmware differs in whether L stands in the payload; with RSSI switched on its last
byte is the signal strength. In transparent mode the dongle sends bare telegrams: see ``raw``.
"""

from __future__ import annotations

import functools
import operator

from gateway_firmware_config.agent.framings.reader import Look, Step
from gateway_firmware_config.agent.link_header import begins_a_frame
from gateway_firmware_config.agent.received import Answer, Event, Fault, Frame

__all__ = ["ASK", "RESET", "command_mode", "rssi_dbm"]

ASK = bytes.fromhex("FF0C00F3")
"""Which firmware are you?"""

RESET = bytes.fromhex("FF0500FA")
"""Start anew."""

_START = 0xFF
_TELEGRAM, _FIRMWARE, _CONFIRM = 0x03, 0x8C, 0x80
_COMMANDS = range(0x12)


def command_mode(*, rssi: bool) -> Look:
    """Make the framing; ``rssi`` says that the dongle appends the signal strength."""
    return functools.partial(_look, rssi=rssi)


def rssi_dbm(raw: int) -> int:
    """Give dBm of the chip's byte: signed halves above -74 dBm."""
    return round((raw - 256 if raw >= 128 else raw) / 2 - 74)


def _look(buffer: bytearray, *, rssi: bool) -> Step | None:
    start = buffer.find(_START)
    if start:
        return Step(start if start > 0 else len(buffer))
    if len(buffer) < 3:
        return None
    if buffer[1] & ~_CONFIRM not in _COMMANDS:
        return Step(1)
    size = 4 + buffer[2]
    if len(buffer) < size:
        return None
    whole = bytes(buffer[:size])
    if functools.reduce(operator.xor, whole):
        return Step(1, (Fault("bad_checksum", "the checksum of a message of the dongle does not hold"),))
    return Step(size, _meaning(whole[1], whole[3:-1], rssi=rssi))


def _meaning(command: int, payload: bytes, *, rssi: bool) -> tuple[Event, ...]:
    if command == _TELEGRAM:
        return (_telegram(payload, rssi=rssi),)
    if command == _FIRMWARE:
        return (Answer(f"Amber, firmware {payload.hex()}"),)
    return (Answer(f"Amber, command {command:02X}"),)


def _telegram(payload: bytes, *, rssi: bool) -> Event:
    """Read a telegram with its own L, which also tells whether RSSI follows; else with ours."""
    if begins_a_frame(payload) and len(payload) - payload[0] in {1, 2}:
        end = payload[0] + 1
        return Frame(payload[:end], rssi_dbm=rssi_dbm(payload[end]) if payload[end:] else None)
    data, strength = (payload[:-1], payload[-1:]) if rssi else (payload, b"")
    frame = bytes((len(data),)) + data
    if not begins_a_frame(frame):
        return Fault("not_a_frame", "the dongle's telegram does not begin like one")
    return Frame(frame, rssi_dbm=rssi_dbm(strength[0]) if strength else None)
