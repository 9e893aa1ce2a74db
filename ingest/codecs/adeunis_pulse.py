"""Adeunis Pulse (4), data frame of channel A.

::

    5A | status | counter u32 BE | deltas back in time, u16 BE each | [time u32 BE, seconds since 2013-01-01]

Only the counter is taken. The deltas have no times: the recording period is in the device's configuration,
not in the frame. Whether its clock keeps UTC is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.codecs.content import Counter
from metering.uplink import BadUplink

__all__ = ["read"]

_DATA_CHANNEL_A = 0x5A
_HEAD_SIZE = 6


def read(port: int, payload: bytes) -> Sequence[Counter]:  # noqa: ARG001  the port is configurable
    """Read a data frame."""
    if payload[:1] != bytes((_DATA_CHANNEL_A,)):
        raise BadUplink("bad_payload", f"frame code {payload[:1].hex()}: only 5a (data, channel A) is read")
    if len(payload) < _HEAD_SIZE or len(payload) % 2:
        raise BadUplink("bad_payload", f"a data frame has an even size from 6 on, {len(payload)} bytes came")
    return [Counter(int.from_bytes(payload[2:6], "big"), "A")]
