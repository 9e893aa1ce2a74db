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
_PERIOD = 151
"""x^151 is 1 modulo the polynomial, so that the masks repeat."""
_CRC = 2
_FIRST_OF_A = ((0, 10), (12, 28))
"""Two of the first three blocks of format A must fit; then one of the first two does."""


@functools.lru_cache(maxsize=256)
def masks_of(size: int) -> Masks:
    """Give the masks for frames of so many bytes whose L field says that they hold no checksums."""
    blocks = [block for block in _FIRST_OF_A if block[1] + _CRC <= size]
    if fits_format_b(size - 1):
        blocks += blocks_b(size - 1)[:1]
    return tuple(_masks(start, end + _CRC, size) for start, end in blocks)


def may_hold(frame: int, masks: Masks) -> bool:
    """Whether a checksum fits; false settles that there is none.

    Args:
        frame: the bytes as a number, first byte highest.
        masks: those of its size.
    """
    for block in masks:
        for mask in block:
            if not (frame & mask).bit_count() & 1:
                break
        else:
            return True
    return False


def _masks(start: int, end: int, size: int) -> tuple[int, ...]:
    """Give the masks of one block with its checksum, which is inverted: all parities are odd if it fits."""
    bits = 8 * (end - start)
    whole = (1 << bits) - 1
    periods = sum(1 << at for at in range(0, bits, _PERIOD))
    return tuple([(pattern * periods & whole) << 8 * (size - end) for pattern in _patterns()])


@functools.cache
def _patterns() -> tuple[int, ...]:
    """Say for each bit of a checksum which powers of x have it, over one period."""
    patterns = [0] * _BITS
    remainder = 1
    for power in range(_PERIOD):
        for place in range(_BITS):
            patterns[place] |= (remainder >> place & 1) << power
        remainder <<= 1
        if remainder >> _BITS:
            remainder ^= _POLYNOMIAL
    return tuple(patterns)
