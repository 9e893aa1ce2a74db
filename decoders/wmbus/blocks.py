"""Blocks with checksums: frame formats A and B (EN 13757-4, EN 13757-3 data link layer).

::

    A   L C M A  CRC   CI + 15 bytes  CRC   16 bytes  CRC ...    L counts no checksum
    B   L C M A  CI + up to 115 bytes  CRC   up to 126 bytes  CRC    L counts the checksums

A block is told by where its data begin and end in the received bytes; its checksum stands right behind.
"""

from __future__ import annotations

from decoders.wmbus.crc import crc16, crc_big

__all__ = [
    "add_format_a",
    "add_format_b",
    "blocks_a",
    "blocks_b",
    "fits_format_b",
    "holds",
    "is_damaged_format_b",
    "is_format_a",
    "is_format_b",
    "joined",
    "size_a",
]

Block = tuple[int, int]

_FIRST, _BLOCK_A, _BLOCK_B = 10, 16, 126
_CRC = 2


def blocks_a(length: int) -> list[Block]:
    """Blocks of a frame of format A with this L field: 10 bytes, then 16 each."""
    blocks = [(0, _FIRST)]
    start, rest = _FIRST + _CRC, length + 1 - _FIRST
    while rest > 0:
        blocks.append((start, start + min(rest, _BLOCK_A)))
        start, rest = start + _BLOCK_A + _CRC, rest - _BLOCK_A
    return blocks


def blocks_b(length: int) -> list[Block]:
    """Blocks of a frame of format B with this L field: 126 bytes at most, then the rest."""
    if length <= _BLOCK_B + 1:
        return [(0, length - 1)]
    return [(0, _BLOCK_B), (_BLOCK_B + _CRC, length - 1)]


def size_a(length: int) -> int:
    """Bytes of a frame of format A with this L field, all checksums counted."""
    return blocks_a(length)[-1][1] + _CRC


def fits_format_b(length: int) -> bool:
    """Whether a frame of format B can have this L field: a CI field at least, no empty second block."""
    return length >= _FIRST + _CRC and length not in {_BLOCK_B + 2, _BLOCK_B + 3}


def holds(raw: bytes, start: int, end: int) -> bool:
    """Whether the checksum behind a block is there and fits."""
    return end + _CRC <= len(raw) and crc16(raw[start:end]) == raw[end] << 8 | raw[end + 1]


def is_format_a(raw: bytes) -> bool:
    """Tell format A by the checksums of the first blocks, whose places do not depend on L.

    One that fits is enough unless the length is that of a frame without checksums; then two are needed,
    for one fits by chance in 65536 frames. A damaged block does not make another format of it.
    """
    length, size = raw[0], len(raw)
    found = holds(raw, 0, 10) + holds(raw, 12, 28)
    if size == length + 1:
        return found + (found > 0 and holds(raw, 30, 46)) >= 2
    return found > 0 or (size >= size_a(length) and any(holds(raw, *block) for block in blocks_a(length)))


def is_format_b(raw: bytes) -> bool:
    """Tell format B: all checksums fit."""
    length = raw[0]
    if len(raw) < length + 1 or not fits_format_b(length):
        return False
    return all(holds(raw, *block) for block in blocks_b(length))


def is_damaged_format_b(raw: bytes) -> bool:
    """Tell format B of which one bit was turned: its checksum is off by what a single bit leaves.

    Of frames without checksums one in 434 looks like it, so something else must speak for it as well.
    """
    length = raw[0]
    if len(raw) < length + 1 or not fits_format_b(length):
        return False
    off = [_syndrome(raw, *block) for block in blocks_b(length)]
    wrong = [syndrome for syndrome in off if syndrome]
    return len(wrong) == 1 and wrong[0] in _OF_ONE_BIT


def _syndrome(raw: bytes, start: int, end: int) -> int:
    return crc16(raw[start:end]) ^ (raw[end] << 8 | raw[end + 1])


def _of_one_bit() -> frozenset[int]:
    """Give what each single bit leaves, counted from the end of a block: the powers of x, which repeat."""
    found = {1}
    power = 1
    while (power := power << 1 ^ (_POLYNOMIAL if power & 0x8000 else 0)) not in found:
        found.add(power)
    return frozenset(found)


_POLYNOMIAL = 0x13D65
_OF_ONE_BIT = _of_one_bit()


def joined(raw: bytes, blocks: list[Block]) -> bytes:
    """Put the blocks together without their checksums, L as it must be then."""
    body = b"".join(raw[start:end] for start, end in blocks)
    return bytes((len(body) - 1,)) + body[1:]


def add_format_a(frame: bytes) -> bytes:
    """Give a frame without checksums in format A."""
    cuts = range(_FIRST, len(frame), _BLOCK_A)
    parts = [frame[:_FIRST], *(frame[cut : cut + _BLOCK_A] for cut in cuts)]
    return b"".join(part + crc_big(part) for part in parts)


def add_format_b(frame: bytes) -> bytes:
    """Give a frame without checksums in format B; at most 252 bytes fit."""
    parts = [frame[:_BLOCK_B]] + ([frame[_BLOCK_B:]] if len(frame) > _BLOCK_B else [])
    first = bytes((len(frame) - 1 + _CRC * len(parts),)) + parts[0][1:]
    return b"".join(part + crc_big(part) for part in (first, *parts[1:]))
