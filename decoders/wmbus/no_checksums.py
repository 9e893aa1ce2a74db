"""A quick proof that received bytes hold no block checksums.

:func:`decoders.wmbus.link.normalise` finds out by computing them. Most receivers strip them, so that the
answer is nearly always no, and a no can be had sooner: a checksum is linear, each of its sixteen bits is the
parity of the bits of the frame under some mask, and it takes one wrong bit to refuse it. Half of all chance
frames fall at the first mask, half of the rest at the second.
"""

from __future__ import annotations

import functools

from decoders.wmbus.blocks import blocks_b, fits_format_b

__all__ = ["Masks", "masks_of", "may_hold"]

Masks = tuple[tuple[int, ...], ...]
"""For each block whose checksum would make another format of the bytes: sixteen masks over the frame."""

_POLYNOMIAL = 0x13D65
_BITS = 16
_CRC = 2
_FIRST_OF_A = ((0, 10), (12, 28))
"""Two of the first three blocks of format A must fit; then one of the first two does."""


@functools.lru_cache(maxsize=256)
def masks_of(size: int) -> Masks:
    """Give the masks for frames of so many bytes whose L field says that they hold no checksums."""
    blocks = [block for block in _FIRST_OF_A if block[1] + _CRC <= size]
    if fits_format_b(size - 1):
        blocks += blocks_b(size - 1)[:1]
    return tuple(_masks(start, end + _CRC) for start, end in blocks)


def may_hold(frame: int, masks: Masks) -> bool:
    """Whether a checksum fits; false settles that there is none.

    Args:
        frame: the bytes as a number, first byte lowest.
        masks: those of its size.
    """
    for block in masks:
        for mask in block:
            if not (frame & mask).bit_count() & 1:
                break
        else:
            return True
    return False


def _masks(start: int, end: int) -> tuple[int, ...]:
    """Give the masks of one block with its checksum, which is inverted: all parities are odd if it fits."""
    masks = [0] * _BITS
    remainder = 1  # of x^n, n = 0 at the last bit of the block
    for position in range(end - 1, start - 1, -1):
        for bit in range(8):
            for place in range(_BITS):
                if remainder >> place & 1:
                    masks[place] |= 1 << 8 * position + bit
            remainder <<= 1
            if remainder >> _BITS:
                remainder ^= _POLYNOMIAL
    return tuple(masks)
