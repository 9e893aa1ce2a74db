"""wmbus-izar-to-lorawan: a small device beside an IZAR meter.

::

    port 20   3 status bytes of the meter's telegram | total u32 LE, L
    port 3    battery u8; sent when no telegram was heard for a while
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ingest.codecs.content import demand_port, demand_size
from metering.reading import Register
from metering.uplink import MeterValue

__all__ = ["read"]

_TOTAL, _BATTERY = 20, 3


def read(port: int, payload: bytes) -> Sequence[MeterValue]:
    """Read a total; a battery says nothing that is kept."""
    demand_port(port, _TOTAL, _BATTERY)
    if port == _BATTERY:
        demand_size(payload, 1, "the battery")
        return []
    demand_size(payload, 7, "the total")
    litres = int.from_bytes(payload[3:7], "little")
    return [MeterValue(Register("volume"), Decimal(litres).scaleb(-3), "m3")]
