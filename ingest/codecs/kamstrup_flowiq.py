"""Kamstrup flowIQ over LoRaWAN: M-Bus data records in clear behind a CI field, port 1.

::

    78 | records
    7A | access, status, configuration(2) | records
    72 | address(8), access, status, configuration(2) | records

Every numeric record becomes a value. What is kept in storage has the date the same payload gives for that
storage, elements of a compact profile (EN 13757-3, annex F) each its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from decoders.wmbus.profile import expand
from decoders.wmbus.records import walk
from ingest.codecs.content import demand_port
from ingest.local_dates import plain_dates
from metering.uplink import BadUplink, MeterValue

__all__ = ["read"]

_PORT = 1
_HEADER: Mapping[int, int] = {0x78: 0, 0x7A: 4, 0x72: 12}


def read(port: int, payload: bytes) -> Sequence[MeterValue]:
    """Read the records."""
    demand_port(port, _PORT)
    if not payload or payload[0] not in _HEADER:
        raise BadUplink("bad_payload", f"CI {payload[:1].hex()}: expected 78, 7a or 72", payload)
    end = 1 + _HEADER[payload[0]]
    if end > 1 and payload[end - 1 : end] and payload[end - 1] & 0x1F:
        raise BadUplink("encrypted", f"security mode {payload[end - 1] & 0x1F} inside LoRaWAN is not read")
    found = walk(payload[end:], end)
    if found.faults or not found.records:
        why = found.faults[0].message if found.faults else "no data record"
        raise BadUplink("bad_payload", why, payload)
    records = expand(found.records)
    dates: dict[int, datetime] = {}
    for storage, said in plain_dates(records):
        dates.setdefault(storage, _moment(said))
    return [
        MeterValue(record.register, record.value, record.unit, dates.get(record.storage))
        for record in records
        if isinstance(record.value, Decimal)
    ]


def _moment(said: date) -> datetime:
    return said if isinstance(said, datetime) else datetime.combine(said, time.min)
