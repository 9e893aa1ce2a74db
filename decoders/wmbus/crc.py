"""CRC-16/EN-13757: link-layer blocks, ELL payload, compact-frame signature.

Polynomial 3D65, not reflected, initial 0000, final XOR FFFF (EN 13757-4). The link layer sends it high byte
first, the extended link layer and compact frames low byte first.
"""

from __future__ import annotations

import struct

__all__ = ["crc16", "crc_big", "crc_little"]

_POLYNOMIAL = 0x3D65


def _table() -> list[int]:
    """Remainder of every 16-bit word shifted by 16 bits; linear, so each bit doubles the table."""
    table = [0]
    power = _POLYNOMIAL
    for _ in range(16):
        table += [entry ^ power for entry in table]
        power = power << 1 ^ (_POLYNOMIAL | 0x10000) if power & 0x8000 else power << 1
    return table


_TABLE = _table()
_WORDS = tuple(struct.Struct(f">{count}H") for count in range(144))
"""Readers of big-endian words; 143 of them hold the longest frame (290 bytes in format A) with room."""


def crc16(data: bytes) -> int:
    """Return the CRC of the bytes, 0..FFFF.

    Two bytes a step: a 16-bit register is shifted out wholly by one word, so one lookup replaces it.
    The initial value is 0, hence leading zero bytes change nothing and pad an odd length.
    """
    if len(data) & 1:
        data = b"\0" + data
    count = len(data) >> 1
    words = _WORDS[count] if count < len(_WORDS) else struct.Struct(f">{count}H")
    remainder = 0
    table = _TABLE
    for word in words.unpack(data):
        remainder = table[remainder ^ word]
    return remainder ^ 0xFFFF


def crc_big(data: bytes) -> bytes:
    """Return the CRC as the link layer sends it, high byte first."""
    return crc16(data).to_bytes(2, "big")


def crc_little(data: bytes) -> bytes:
    """Return the CRC as the ELL and compact frames send it, low byte first."""
    return crc16(data).to_bytes(2, "little")
