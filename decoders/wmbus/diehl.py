"""The scrambling of the Diehl family (DME, EWT, HYD, SAP, SPL): a shift register of 32 bits.

It is no encryption: the two keys every meter leaves the factory with are public. Source: published
descriptions of PRIOS and of the family's "real data" frames.
"""

from __future__ import annotations

__all__ = ["DEFAULT_AES_KEY", "PUBLISHED_KEYS", "seed_of", "unscramble"]

PUBLISHED_KEYS = (bytes.fromhex("39BC8A10E66D83F8"), bytes.fromhex("51728910E66D83F8"))
"""Keys of eight bytes that come with the meters, in the order to try."""

DEFAULT_AES_KEY = PUBLISHED_KEYS[1] * 2
"""Key of security mode 5 in meters that were given none of their own."""

_HEADER = (2, 6, 10)
"""Where the words of the frame stand that enter the register: address and header as received."""
_SCRAMBLED_FROM = 15
_WORD = 0xFFFFFFFF


def seed_of(key: bytes) -> int:
    """Fold a key into the register; the first eight bytes count."""
    return int.from_bytes(key[:4], "big") ^ int.from_bytes(key[4:8], "big")


def unscramble(frame: bytes, key: bytes) -> bytes:
    """Give the bytes from the sixteenth on in clear; scrambling is its own inverse.

    Args:
        frame: the frame as received, L first, without link-layer checksums.
        key: eight bytes; of longer ones the first eight.
    """
    register = seed_of(key)
    for at in _HEADER:
        register ^= int.from_bytes(frame[at : at + 4], "big")
    low, second, third, high = _STEPS
    clear = bytearray()
    for byte in frame[_SCRAMBLED_FROM:]:
        register = (
            low[register & 0xFF]
            ^ second[register >> 8 & 0xFF]
            ^ third[register >> 16 & 0xFF]
            ^ high[register >> 24]
        )
        clear.append(byte ^ register & 0xFF)
    return bytes(clear)


def _eight_steps(register: int) -> int:
    for _ in range(8):
        bit = (register >> 1 ^ register >> 2 ^ register >> 11 ^ register >> 31) & 1
        register = (register << 1 | bit) & _WORD
    return register


_STEPS = tuple([tuple([_eight_steps(byte << at) for byte in range(256)]) for at in range(0, 32, 8)])
"""What eight steps make of each byte of the register alone; being linear, of all they make the sum."""
