"""What receivers put on their serial lines for a telegram; written from the devices' manuals, for tests."""

from __future__ import annotations

import functools
import operator

from gateway_firmware_config.agent.framings import checksums
from gateway_firmware_config.agent.framings.iu891a import slip

HEADER = bytes.fromhex("442d2c7856341201077a")  # SND-NR of KAM-12345678-01-07, short header


def frame_of(payload: bytes) -> bytes:
    body = HEADER + payload
    return bytes((len(body),)) + body


def im871a(frame: bytes, flags: int = 0xC, rssi: int = 0x65) -> bytes:
    """As an iM871A with checksum and signal strength: -100 + (0x65 - 45) / 2 = -72 dBm."""
    message = bytes((flags << 4 | 2, 0x03, len(frame) - 1)) + frame[1:]
    message += b"\x01\x02\x03\x04" if flags & 2 else b""
    message += bytes((rssi,)) if flags & 4 else b""
    crc = checksums.crc16_x25(message).to_bytes(2, "little") if flags & 8 else b""
    return b"\xa5" + message + crc


def iu891a(frame: bytes) -> bytes:
    return slip(b"\x09\x20" + bytes.fromhex("11223344000002") + (256 - 72).to_bytes() + frame)


def amber(frame: bytes) -> bytes:
    """As an AMB8465 with L in the payload and signal strength: 4 / 2 - 74 = -72 dBm."""
    message = bytes((0xFF, 0x03, len(frame) + 1)) + frame + b"\x04"
    return message + bytes((functools.reduce(operator.xor, message),))


def amber_without_l(frame: bytes) -> bytes:
    message = bytes((0xFF, 0x03, len(frame))) + frame[1:] + b"\x04"
    return message + bytes((functools.reduce(operator.xor, message),))


def with_crc_a(frame: bytes) -> bytes:
    parts = [frame[:10], *(frame[at : at + 16] for at in range(10, len(frame), 16))]
    return b"".join(part + checksums.crc16_en13757(part).to_bytes(2, "big") for part in parts)


def with_crc_b(frame: bytes) -> bytes:
    two = len(frame) > 126
    whole = bytes((len(frame) - 1 + (4 if two else 2),)) + frame[1:]
    parts = [whole[:126], whole[126:]] if two else [whole]
    return b"".join(part + checksums.crc16_en13757(part).to_bytes(2, "big") for part in parts)


def cul(frame: bytes) -> bytes:
    return b"b" + with_crc_a(frame).hex().upper().encode() + b"0F04\r\n"


def cul_c1(frame: bytes) -> bytes:
    return b"bY" + with_crc_b(frame).hex().upper().encode() + b"0F04\r\n"


def rc1180(frame: bytes) -> bytes:
    """As an RC1180 that appends the signal strength: -144 / 2 = -72 dBm."""
    return frame + bytes((144,))


def hex_line(frame: bytes) -> bytes:
    return frame.hex().encode() + b"\n"


def rtl(frame: bytes) -> bytes:
    return b"T1;1;1;2026-01-02 03:04:05.000;97;148;12345678;0x" + frame.hex().encode() + b"\n"
