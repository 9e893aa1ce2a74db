"""What receivers do before a frame is bytes: chips to bytes, and which mode and frame format it was.

Mode T (meter to other) codes each half byte in six chips, three of them ones; modes S, T (other to meter) and
R code each bit in two (Manchester); modes C, N and F do not code. On 868.95 MHz a receiver of T hears C too:
both begin with the chips ``543D``; then ``54CD`` says mode C with frame format A, ``543D`` mode C with format
B, and anything else is mode T, for ``54`` begins no word of six. Source: EN 13757-4.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from decoders.errors import FrameError
from decoders.wmbus.blocks import size_a
from decoders.wmbus.link import Crc

__all__ = ["Heard", "after_sync", "decode_manchester", "decode_six", "encode_manchester", "encode_six"]

_WORDS = (
    *(0x16, 0x0D, 0x0E, 0x0B, 0x1C, 0x19, 0x1A, 0x13),
    *(0x2C, 0x25, 0x26, 0x23, 0x34, 0x31, 0x32, 0x29),
)
"""Word of six chips for each half byte 0 to F."""
_HALVES = {word: half for half, word in enumerate(_WORDS)}

_SHORTEST = 9
_C_FORMAT_A, _C_FORMAT_B = b"\x54\xcd", b"\x54\x3d"


class Heard(NamedTuple):
    """A frame as it was on air.

    Attributes:
        mode: radio mode.
        crc: its checksums: frame format.
        frame: its bytes, L first, checksums included.
    """

    mode: Literal["C", "T"]
    crc: Crc
    frame: bytes


def after_sync(chips: bytes) -> Heard:
    """Read what follows the synchronisation ``543D`` on 868.95 MHz.

    Args:
        chips: eight chips a byte, first chip highest; more than the frame needs does not matter.

    Raises:
        FrameError: ``not_a_frame`` if a word is none of the sixteen, ``truncated``, ``bad_length``.
    """
    if chips[:2] == _C_FORMAT_B:
        return Heard("C", "B", _cut(chips[2:], chips[2] + 1 if len(chips) > 2 else 1))
    if chips[:2] == _C_FORMAT_A:
        return Heard("C", "A", _cut(chips[2:], _size_a(chips[2:3])))
    size = _size_a(decode_six(chips, 1))
    return Heard("T", "A", decode_six(chips, size))


def decode_six(chips: bytes, size: int) -> bytes:
    """Decode so many bytes of three-out-of-six coding; twelve chips a byte, high half first.

    Raises:
        FrameError: ``truncated``; ``not_a_frame`` with the place of the first word that is none.
    """
    if 8 * len(chips) < 12 * size:
        raise FrameError(
            "truncated",
            f"{12 * size} chips make {size} bytes, {8 * len(chips)} came",
            evidence={"received": len(chips), "expected": (12 * size + 7) // 8},
        )
    bits = int.from_bytes(chips, "big") >> 8 * len(chips) - 12 * size
    words = [bits >> shift & 0x3F for shift in range(12 * size - 6, -1, -6)]
    halves = [_half(word, place) for place, word in enumerate(words)]
    return bytes(high << 4 | low for high, low in zip(halves[::2], halves[1::2], strict=True))


def encode_six(frame: bytes) -> bytes:
    """Code a frame three out of six; a last half byte of chips is filled with 0101, as a postamble begins."""
    bits = 0
    for byte in frame:
        bits = bits << 12 | _WORDS[byte >> 4] << 6 | _WORDS[byte & 0x0F]
    if len(frame) % 2:
        bits = bits << 4 | 0x5
    return bits.to_bytes((12 * len(frame) + 7) // 8, "big")


def decode_manchester(chips: bytes) -> bytes:
    """Decode Manchester coding: chips 10 are a 0, 01 a 1.

    Raises:
        FrameError: ``not_a_frame`` at the first pair that is neither; ``truncated`` for half a byte.
    """
    if len(chips) % 2:
        raise FrameError("truncated", "a byte has sixteen chips", offset=len(chips) // 2)
    bits = 0
    for place in range(4 * len(chips)):
        pair = chips[place // 4] >> 6 - 2 * (place % 4) & 3
        if pair not in {1, 2}:
            raise FrameError(
                "not_a_frame", "two equal chips are no bit", offset=place // 8, evidence={"bit": place}
            )
        bits = bits << 1 | pair & 1
    return bits.to_bytes(len(chips) // 2, "big")


def encode_manchester(frame: bytes) -> bytes:
    """Code a frame in Manchester coding."""
    pairs = 0
    for byte in frame:
        for shift in range(7, -1, -1):
            pairs = pairs << 2 | (1 if byte >> shift & 1 else 2)
    return pairs.to_bytes(2 * len(frame), "big")


def _half(word: int, place: int) -> int:
    half = _HALVES.get(word)
    if half is None:
        raise FrameError(
            "not_a_frame", f"{word:06b} is no word of six chips", offset=place // 2, evidence={"word": place}
        )
    return half


def _size_a(length: bytes) -> int:
    """Give the size on air of a frame of format A by its L field."""
    if not length or length[0] < _SHORTEST:
        raise FrameError("bad_length", "the length holds no address", evidence={"length": length.hex()})
    return size_a(length[0])


def _cut(frame: bytes, size: int) -> bytes:
    if len(frame) < size:
        evidence: dict[str, str | int] = {"received": len(frame), "expected": size}
        raise FrameError("truncated", "the frame ends too early", offset=len(frame), evidence=evidence)
    return frame[:size]
