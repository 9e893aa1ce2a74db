"""Readers' visits as CSV: the route out, with what is expected; the route in, with what was found.

The file out holds no names. Cells that a spreadsheet would take for a formula are quoted with an apostrophe,
which is taken off again on the way in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing_bridge.arbiter import told_by
from billing_bridge.ordering import visited
from billing_bridge.utility import Utility
from billing_bridge.validate import Arrival, validate_arrival
from metering.billing_customers import ToldState
from metering.meter import Installation, ServicePoint
from metering.orders import ReadingOrder
from metering.ports import Clock, Store, Transaction
from metering.reading import Register
from service.imports.cells import IDENTITY_COLUMNS, exact_number, identity, text, when
from service.imports.table import Faults, Row, read_table

__all__ = ["COLUMNS", "route_csv", "take_visits"]

COLUMNS = (
    "service_point",
    "address",
    "meter_id",
    "last_index_m3",
    "last_read",
    "why",
    "due",
    "index_m3",
    "read_at",
    "note",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PAGE = 500


def route_csv(store: Store, utility: Utility, *, route: str | None, asked_only: bool, clock: Clock) -> str:
    """Write the route: service points in order, each with its last index, and till when a reader is wanted.

    Args:
        store: open.
        utility: what is read, and the zone for the times.
        route: which; ``None`` = all.
        asked_only: only where a reader is ordered.
        clock: tells what is overdue.
    """
    zone = utility.rounding.zone
    today = clock.now().astimezone(zone).date()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with store.reading() as tx:
        for points in _pages(tx, route):
            ids = [one.id for one in points]
            hung, orders = tx.billing.installed_at(ids), tx.orders.open_at(ids)
            for point in points:
                order = orders.get(point.id)
                if asked_only and order is None:
                    continue
                for one in hung.get(point.id, ()):
                    if one.valid_to is None:
                        cells = _cells(tx, point, one, utility.register, zone)
                        writer.writerow([*cells, *_wanted(order, today), "", "", ""])
    return out.getvalue()


def take_visits(  # noqa: PLR0913  a file, and where it goes
    store: Store, utility: Utility, zone: ZoneInfo, raw: bytes, source: str, *, by: str, clock: Clock
) -> int:
    """Take found indices in, all or none; each counts at once. Gives how many there were.

    Raises:
        ImportRefused: with every fault, by row.
    """
    faults = Faults(source)
    rows = read_table(
        raw,
        (*COLUMNS, *IDENTITY_COLUMNS[1:]),
        faults,
        needed=[("service_point", "meter_id", "index_m3", "read_at")],
    )
    now = clock.now()
    with store.writing() as tx:
        states = [_state(tx, row, utility, zone, faults, by, now, source) for row in rows if row["index_m3"]]
        faults.refuse_if_any()
        found = [one for one in states if one is not None]
        new = [one for one in found if not _known(tx, one)]
        tx.customers.add_states(new)
        for one in new:
            said = f"{one.value} m3 at {one.read_at.astimezone(zone).isoformat(timespec='minutes')}"
            visited(tx, one.service_point, by, said, now)
    return len(new)


def _state(  # noqa: PLR0913, PLR0917  one row and where it goes
    tx: Transaction,
    row: Row,
    utility: Utility,
    zone: ZoneInfo,
    faults: Faults,
    by: str,
    now: datetime,
    source: str,
) -> ToldState | None:
    meter, value = identity(row, faults), exact_number(row, "index_m3", faults)
    at, point = when(row, "read_at", zone, faults), row["service_point"].removeprefix("'")
    if not row["read_at"]:
        faults.add(row.number, "read_at", "missing")
    elif at is not None and at > now + timedelta(minutes=5):
        faults.add(row.number, "read_at", "lies ahead")
    if meter is None or value is None or at is None:
        return None
    hung = [one for one in tx.billing.installed_at([point]).get(point, ()) if one.meter == meter]
    if not any(one.valid_from <= at and (one.valid_to is None or at <= one.valid_to) for one in hung):
        faults.add(row.number, "meter_id", f"{meter} did not hang at {point[:60]!r} then")
        return None
    known = tx.customers.meter_facts([meter]).get(meter)
    digits = known.digits if known else None
    arrived = Arrival(meter, point, at, value, "m3", now, installations=hung, digits=digits)
    for told in validate_arrival(arrived, utility.policy):
        if told.blocks:
            faults.add(row.number, "index_m3", f"{told.rule}: {told.sentence}")
    return ToldState(
        meter=meter,
        service_point=point,
        register=utility.register.key,
        read_at=at,
        value=value,
        typed=row["index_m3"],
        channel="visit",
        by=by,
        entered_at=now,
        answer="received",
        reference=text(row, "note", faults),
        window=f"visit {source}"[:200],
        accepted_at=now,
    )


def _known(tx: Transaction, state: ToldState) -> bool:
    """Whether the same visit was taken in before: the same file twice is once."""
    return any(
        (one.meter, one.read_at, one.value) == (state.meter, state.read_at, state.value)
        and told_by(one.channel) is told_by(state.channel)
        for one in tx.customers.states_at(state.service_point)
    )


def _wanted(order: ReadingOrder | None, today: date) -> tuple[str, str]:
    """Say why and till when a reader is wanted."""
    if order is None:
        return "", ""
    late = " (overdue)" if order.overdue(today) else ""
    return _safe(order.about.reason), f"{order.about.due.isoformat()}{late}"


def _pages(tx: Transaction, route: str | None) -> Iterator[Sequence[ServicePoint]]:
    after = ""
    while page := tx.billing.service_points(route=route, after=after, limit=_PAGE):
        yield page
        after = page[-1].id


def _cells(
    tx: Transaction, point: ServicePoint, hung: Installation, register: Register, zone: ZoneInfo
) -> list[str]:
    last = next((one for one in tx.readings.latest(hung.meter) if one.register == register), None)
    value = format(last.value, "f") if last else ""
    seen = last.measured_at.astimezone(zone).isoformat(timespec="minutes") if last else ""
    return [_safe(point.id), _safe(point.address), str(hung.meter), value, seen]


def _safe(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
