"""Axioma QALCOSONIC W1, hourly format on port 100.

::

    01 | time u32 LE | status u8 | volume u32 LE, L | 23 deltas of 14 bits, L, packed from the low bits up |
    6 bits

The volume is the oldest, the deltas lead hour by hour to the newest; their sum is taken as the index now.
The hours in between are left out: the device's clock shows local standard time in the field, and which hour
the first is, is not documented. The last six bits multiply the deltas; only 0 and 1 (no multiplication) are
known by example.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ingest.codecs.content import demand_port, demand_size
from metering.reading import Register
from metering.uplink import BadUplink, MeterValue

__all__ = ["read"]

_PORT, _SIZE, _VERSION = 100, 51, 1
_DELTAS, _DELTA_BITS = 23, 14
_INVALID = 0xFFFFFFFF


def read(port: int, payload: bytes) -> Sequence[MeterValue]:
    """Read an hourly uplink."""
    demand_port(port, _PORT)
    demand_size(payload, _SIZE, "the hourly format")
    if payload[0] != _VERSION:
        raise BadUplink("bad_payload", f"format version {payload[0]}: only {_VERSION} is read")
    volume = int.from_bytes(payload[6:10], "little")
    if volume == _INVALID:
        raise BadUplink("no_value", "the meter says it has no volume")
    litres = volume + sum(_deltas(payload[10:]))
    return [MeterValue(Register("volume"), Decimal(litres).scaleb(-3), "m3")]


def _deltas(packed: bytes) -> list[int]:
    bits = int.from_bytes(packed, "little")
    multiplier = bits >> _DELTAS * _DELTA_BITS
    if multiplier > 1:
        raise BadUplink("bad_payload", f"deltas are multiplied by {multiplier}: only 0 and 1 are known")
    mask = (1 << _DELTA_BITS) - 1
    return [bits >> place * _DELTA_BITS & mask for place in range(_DELTAS)]
