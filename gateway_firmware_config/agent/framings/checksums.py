"""Checksums of the serial protocols and of the radio's link layer."""

from __future__ import annotations

__all__ = ["crc16_en13757", "crc16_x25"]


def crc16_x25(data: bytes) -> int:
    """CRC of the IMST protocols: polynomial 1021 reflected, initial and final FFFF; sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _X25[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


def crc16_en13757(data: bytes) -> int:
    """CRC of EN 13757-4: polynomial 3D65, initial 0000, final FFFF; sent high byte first."""
    crc = 0
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ _EN13757[(crc >> 8) ^ byte]
    return crc ^ 0xFFFF


def _reflected(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ polynomial if value & 1 else value >> 1
    return value


def _direct(value: int, polynomial: int) -> int:
    value <<= 8
    for _ in range(8):
        value = (value << 1) ^ (polynomial if value & 0x8000 else 0)
    return value & 0xFFFF


_X25 = [_reflected(byte, 0x8408) for byte in range(256)]
_EN13757 = [_direct(byte, 0x3D65) for byte in range(256)]
