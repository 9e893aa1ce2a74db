"""The meters at the borders of districts: what flows in, and what flows out into others.

==============================  =============================================================================
columns                         what they say
==============================  =============================================================================
``district``                    id of the district, as service points name it
``meter_id``                    ``KAM-76348799-1b-16``; or ``manufacturer``, ``serial``, ``version``,
                                ``device_type``; a registered meter
``direction``                   ``in``: what it counts flows into the district; ``out``: out of it
``register``                    ``volume`` if empty; ``volume+backward`` counts the other way
``valid_from`` ``valid_to``     date (local midnight) or RFC 3339 time; always, until further notice if empty
==============================  =============================================================================

A meter between two districts stands in two rows: ``out`` of one, ``in`` the other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from metering.districts import DistrictMeter
from metering.errors import InvalidValue
from metering.meter import MeterId
from metering.reading import Register
from service.imports.cells import IDENTITY_COLUMNS, identity, text, when
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "DistrictRow", "demand_known", "read_districts"]

COLUMNS = ("district", *IDENTITY_COLUMNS, "direction", "register", "valid_from", "valid_to")
_SIGNS = {"in": 1, "out": -1}
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DistrictRow:
    """One row, understood."""

    number: int
    meter: DistrictMeter


def read_districts(raw: bytes, source: str, zone: ZoneInfo) -> list[DistrictRow]:
    """Understand a list of border meters.

    Raises:
        ImportRefused: with every fault of the file.
    """
    faults = Faults(source)
    needed = (
        ("district", "direction", IDENTITY_COLUMNS[0]),
        ("district", "direction", *IDENTITY_COLUMNS[1:]),
    )
    understood = [_row(row, zone, faults) for row in read_table(raw, COLUMNS, faults, needed=needed)]
    rows = [row for row in understood if row is not None]
    first: dict[object, int] = {}
    for row in rows:
        one = row.meter
        earlier = first.setdefault((one.district, one.meter, one.register, one.valid_from), row.number)
        if earlier != row.number:
            faults.add(row.number, "meter_id", f"the same meter of the same district is in row {earlier}")
    faults.refuse_if_any()
    return rows


def demand_known(rows: Collection[DistrictRow], known: Collection[MeterId], source: str) -> None:
    """Refuse meters that are not registered: nothing is stored of them.

    Raises:
        ImportRefused: with every such row.
    """
    faults = Faults(source)
    for row in rows:
        if row.meter.meter not in known:
            faults.add(
                row.number, "meter_id", f"{row.meter.meter} is not registered; see `nurt meters import`"
            )
    faults.refuse_if_any()


def _row(row: Row, zone: ZoneInfo, faults: Faults) -> DistrictRow | None:
    meter, district = identity(row, faults), text(row, "district", faults)
    direction = row["direction"].lower()
    if not district:
        faults.add(row.number, "district", "is empty")
    if direction not in _SIGNS:
        faults.add(row.number, "direction", f"{direction!r} is neither in nor out")
    register = _register(row, faults)
    since, until = when(row, "valid_from", zone, faults), when(row, "valid_to", zone, faults)
    if meter is None or register is None or not district or direction not in _SIGNS:
        return None
    try:
        one = DistrictMeter(district, meter, _SIGNS[direction], register, since or _ALWAYS, until)
    except InvalidValue as wrong:
        faults.add(row.number, "valid_to", str(wrong))
        return None
    return DistrictRow(row.number, one)


def _register(row: Row, faults: Faults) -> Register | None:
    try:
        register = Register.parse(row["register"] or "volume")
    except InvalidValue as wrong:
        faults.add(row.number, "register", str(wrong))
        return None
    if register.quantity != "volume":
        faults.add(row.number, "register", f"{register.key} is no volume")
        return None
    return register
