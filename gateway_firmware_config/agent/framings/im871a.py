"""IMST iM871A and iM170A, the HCI protocol over a serial port (57600 8N1).

::

    A5 | flags (high nibble), endpoint (low) | message | n | n bytes | [time, 4] [rssi] [crc, 2, low first]

A telegram is message 03 of the radio link; its payload lacks L.
"""

from __future__ import annotations

from gateway_firmware_config.agent.framings.checksums import crc16_x25
from gateway_firmware_config.agent.framings.reader import Step
from gateway_firmware_config.agent.link_header import begins_a_frame
from gateway_firmware_config.agent.received import Answer, Event, Fault, Frame

__all__ = ["ASK", "RESET", "look"]

ASK = bytes.fromhex("A5010F00")
"""Device management: which device are you?"""

RESET = bytes.fromhex("A5010700")
"""Device management: start anew."""

_START = 0xA5
_RESERVED, _TIME, _RSSI, _CRC = 0x10, 0x20, 0x40, 0x80
_MANAGEMENT, _RADIO = 1, 2
_ENDPOINTS = range(1, 5)
_TELEGRAM, _DEVICE = 0x03, 0x10
_MODULES = {0x33: "iM871A", 0x36: "iM170A"}
_NO_SAMPLE = 230


def look(buffer: bytearray) -> Step | None:
    """Say what stands at the beginning."""
    start = buffer.find(_START)
    if start:
        return Step(start if start > 0 else len(buffer))
    if len(buffer) < 4:
        return None
    flags, endpoint, length = buffer[1] & 0xF0, buffer[1] & 0x0F, buffer[3]
    if flags & _RESERVED or endpoint not in _ENDPOINTS:
        return Step(1)
    size = 4 + length + _added(flags)
    if len(buffer) < size:
        return None
    whole = bytes(buffer[:size])
    if flags & _CRC and crc16_x25(whole[1:-2]) != int.from_bytes(whole[-2:], "little"):
        return Step(1, (Fault("bad_crc", "the checksum of a message of the dongle does not hold"),))
    return Step(size, _meaning(whole, whole[4 : 4 + length], _rssi_dbm(whole, flags)))


def _added(flags: int) -> int:
    """Bytes that follow the payload."""
    return 4 * bool(flags & _TIME) + bool(flags & _RSSI) + 2 * bool(flags & _CRC)


def _meaning(whole: bytes, payload: bytes, rssi_dbm: int | None) -> tuple[Event, ...]:
    endpoint, message = whole[1] & 0x0F, whole[2]
    if endpoint == _RADIO and message == _TELEGRAM:
        frame = bytes((len(payload),)) + payload
        return (Frame(frame, rssi_dbm=rssi_dbm),) if begins_a_frame(frame) else ()
    if endpoint == _MANAGEMENT and message == _DEVICE and payload:
        return (Answer(f"{_MODULES.get(payload[0], f'module {payload[0]:02X}')} {payload[1:].hex()}"),)
    return (Answer(f"message {message:02X} of endpoint {endpoint}"),)


def _rssi_dbm(whole: bytes, flags: int) -> int | None:
    """Give dBm: -100 + (raw - 45) / 2, about; the highest values stand for no sample."""
    if not flags & _RSSI:
        return None
    raw = whole[-3 if flags & _CRC else -1]
    return None if raw >= _NO_SAMPLE else round(-100 + (raw - 45) / 2)
