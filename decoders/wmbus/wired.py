"""Wired M-Bus frames (EN 13757-2).

::

    E5                                  acknowledge
    10 C A CS 16                        short frame
    68 L L 68 C A CI data... CS 16      control and long frame, L = 3 + data

CS is the sum of C, A, CI and data modulo 256.
"""

from __future__ import annotations

from decoders.errors import FrameError, LayerError
from metering.errors import InvalidValue

__all__ = ["CI_AT", "OVERHEAD", "check", "checksum", "encode", "looks_wired"]

CI_AT = 6
"""Where the CI field of a long frame stands."""

OVERHEAD = 6
"""Bytes of a long frame that L does not count: 68 L L 68 and CS 16."""

_START, _START_SHORT, _STOP, _ACK = 0x68, 0x10, 0x16, 0xE5
_LONGEST = 255
_WITHOUT_COUNT_BIT = 0xDF
_NAMES = {
    0x40: "SND-NKE",
    0x53: "SND-UD",
    0x5A: "REQ-UD1",
    0x5B: "REQ-UD2",
    0x00: "ACK",
    0x01: "NACK",
    0x08: "RSP-UD",
}
_ADDRESSES = {
    0x00: "unconfigured meters",
    0xFD: "the meter selected by its secondary address",
    0xFE: "every meter, each to answer",
    0xFF: "every meter, none to answer",
}
_SURPLUS = 8  # appended bytes up to here; a wireless frame with L = 68 is longer than that


def checksum(body: bytes) -> int:
    """Sum of the bytes modulo 256."""
    return sum(body) & 0xFF


def looks_wired(raw: bytes) -> bool:
    """Tell a wired frame by its start bytes; a wireless one never has the same length with the same start."""
    if len(raw) < 10:
        return raw[:1] == b"\xe5" or raw[:1] == b"\x10" or raw[:1] == b"\x68"
    return raw[0] == raw[3] == _START and raw[1] == raw[2] and len(raw) <= raw[1] + OVERHEAD + _SURPLUS


def check(raw: bytes) -> int:
    """Check a wired frame and return where it ends.

    Raises:
        FrameError: ``truncated``, ``bad_length``, ``bad_checksum``, ``not_a_frame``.
        LayerError: ``not_meter_data`` for an acknowledge, short or control frame in order.
    """
    if raw[0] == _ACK and len(raw) == 1:
        raise LayerError("not_meter_data", "an acknowledge of wired M-Bus", evidence={"frame": "ack"})
    if raw[0] == _START_SHORT:
        _check_span(raw, 1, 5)
        raise _without_data(raw[1], raw[2], "short")
    return _check_long(raw)


def _check_long(raw: bytes) -> int:
    if raw[0] != _START or len(raw) < 4 or raw[3] != _START or raw[1] != raw[2]:
        raise FrameError(
            "not_a_frame", "these bytes do not begin like a frame", evidence={"begins": raw[:12].hex()}
        )
    length = raw[1]
    if length < 3:
        raise FrameError("bad_length", f"length {length} holds no C, A and CI field", offset=1)
    end = length + OVERHEAD
    _check_span(raw, 4, end)
    if length == 3:
        raise _without_data(raw[4], raw[5], "control")
    return end


def _check_span(raw: bytes, start: int, end: int) -> None:
    """Check checksum and stop byte of the frame that ends at ``end``."""
    if len(raw) < end:
        raise FrameError(
            "truncated",
            f"the wired frame says {end} bytes, {len(raw)} came",
            offset=len(raw),
            evidence={"received": len(raw), "expected": end},
        )
    summed = checksum(raw[start : end - 2])
    if summed != raw[end - 2] or raw[end - 1] != _STOP:
        raise FrameError(
            "bad_checksum",
            "the wired frame's checksum or stop byte does not match",
            offset=end - 2,
            evidence={"computed": summed, "received": raw[end - 2], "stop": raw[end - 1]},
        )


def _without_data(control: int, address: int, kind: str) -> LayerError:
    """Name a frame that carries no data."""
    name = _NAMES.get(control & _WITHOUT_COUNT_BIT, "a control field unknown here")
    whom = _ADDRESSES.get(address, f"address {address}")
    evidence: dict[str, str | int] = {"frame": kind, "control": control, "address": address}
    said = f"a {kind} frame of wired M-Bus: {name}, {whom}"
    return LayerError("not_meter_data", said, evidence=evidence)


def encode(body: bytes) -> bytes:
    """Frame C, A, CI and data.

    Raises:
        InvalidValue: too long for one frame.
    """
    if len(body) > _LONGEST:
        raise InvalidValue(f"the telegram has {len(body)} bytes from C on; {_LONGEST} fit")
    length = bytes((len(body),))
    return b"\x68" + length + length + b"\x68" + body + bytes((checksum(body), _STOP))
