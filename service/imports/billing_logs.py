"""Values of meters' own logs, read out on the spot: what the sum check (R15) compares the index with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ingest.registers import DECODER
from metering.meter import MeterId
from metering.ports import Transaction
from metering.reading import Provenance, Quality, Reading, Register, Way
from service.imports.cells import exact_number, identity, when
from service.imports.table import Faults, Row

__all__ = ["take_logs"]

_LOG = Register("volume", storage=1)
"""Under which telegrams give the value of a due date, too."""


def take_logs(tx: Transaction, rows: Sequence[Row], zone: ZoneInfo, faults: Faults) -> int:
    """Keep the values as readings of the meters' own logs; the same value again changes nothing."""
    found: dict[tuple[MeterId, datetime], Decimal] = {}
    known = tx.registry.meters([one for row in rows if (one := identity(row, Faults("")))])
    for row in rows:
        meter, value = identity(row, faults), exact_number(row, "index_m3", faults)
        at = when(row, "at", zone, faults)
        if not row["at"]:
            faults.add(row.number, "at", "missing")
        if meter is not None and meter not in known:
            faults.add(row.number, "meter_id", f"{meter} is not in the registry")
        if meter is None or value is None or at is None:
            continue
        if found.get((meter, at), value) != value:
            faults.add(row.number, "index_m3", "contradicts an earlier row of this file")
        found[meter, at] = value
    if not faults.found:
        tx.readings.add([_reading(meter, at, value) for (meter, at), value in found.items()])
    return len(rows)


def _reading(meter: MeterId, at: datetime, value: Decimal) -> Reading:
    source = Provenance(None, "import", None, DECODER)
    return Reading(meter, _LOG, value, "m3", at, at, Way.WIRED, Quality.RAW, source)
