"""Milesight EM300-DI on port 85: channel, type, data; again and again.

::

    01 75 battery u8 · 03 67 temperature i16 · 04 68 humidity u8 · 05 00 level u8
    05 C8 pulses u32 LE
    20 CE history: time u32 LE | temperature i16 | humidity u8 | mode u8 | level u8 | pulses u32 LE

Only pulses are kept: those of history with the time the device gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ingest.adapters.times import unix
from ingest.codecs.content import Counter, demand_port
from metering.uplink import BadUplink

__all__ = ["read"]

_PORT = 85
_PULSES, _HISTORY = b"\x05\xc8", b"\x20\xce"
_SIZES: Mapping[bytes, int] = {
    b"\x01\x75": 1,
    b"\x03\x67": 2,
    b"\x04\x68": 1,
    b"\x05\x00": 1,
    _PULSES: 4,
    _HISTORY: 13,
}


def read(port: int, payload: bytes) -> Sequence[Counter]:
    """Read all counter states."""
    demand_port(port, _PORT)
    return [_counter(kind, data) for kind, data in _fields(payload) if kind in {_PULSES, _HISTORY}]


def _fields(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(payload):
        kind = payload[at : at + 2]
        end = at + 2 + _SIZES.get(kind, 0)
        if kind not in _SIZES or end > len(payload):
            raise BadUplink("bad_payload", f"{payload[at : at + 8].hex()} at byte {at} is no known field")
        yield kind, payload[at + 2 : end]
        at = end


def _counter(kind: bytes, data: bytes) -> Counter:
    total = int.from_bytes(data[-4:], "little")
    return Counter(total, at=unix(int.from_bytes(data[:4], "little")) if kind == _HISTORY else None)
