"""Tables of billing: who is billed for what, what is deducted, what is engraved on meters, protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from metering.billing_customers import (
    Contract,
    Customer,
    Deductible,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
)
from metering.ports import Transaction
from service.imports.billing_logs import take_logs
from service.imports.billing_tables import What
from service.imports.cells import IDENTITY_COLUMNS, count, exact_number, identity, text, when
from service.imports.table import Faults, Row, read_table

__all__ = ["import_billing"]

T = TypeVar("T")

_LANGUAGES = ("pl", "ro", "en")


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a table is read.

    Attributes:
        columns: names a header may have.
        needed: those it must have, in one of these sets.
        take: stores the rows; gives how many there were.
    """

    columns: Sequence[str]
    needed: Sequence[Sequence[str]]
    take: Callable[[Transaction, Sequence[Row], ZoneInfo, Faults], int]


def import_billing(tx: Transaction, what: What, raw: bytes, source: str, zone: ZoneInfo) -> int:
    """Take a table in: all rows or none; the same table again changes nothing. Gives the number of rows.

    Raises:
        ImportRefused: with every fault, by row.
    """
    faults = Faults(source)
    reader = _READERS[what]
    rows = read_table(raw, reader.columns, faults, needed=reader.needed)
    taken = reader.take(tx, rows, zone, faults)
    faults.refuse_if_any()
    return taken


# --- tenancies -----------------------------------------------------------------------------------


def _tenancies(tx: Transaction, rows: Sequence[Row], zone: ZoneInfo, faults: Faults) -> int:
    _demand_points(tx, rows, ("service_point",), faults)
    customers: dict[str, Customer] = {}
    contracts: dict[str, Contract] = {}
    tenancies: dict[tuple[str, str, datetime], Tenancy] = {}
    for row in rows:
        span = _span(row, zone, faults)
        customer, contract = _customer(row, faults), _contract(row, faults)
        _once(customers, customer.code, customer, row, "customer", faults)
        _once(contracts, contract.number, contract, row, "contract", faults)
        if span is not None:
            key = (contract.number, row["service_point"], span[0])
            _once(tenancies, key, Tenancy(*key, span[1]), row, "valid_from", faults)
    _demand_apart(tx, list(tenancies.values()), rows, faults)
    if not faults.found:
        tx.customers.put_customers(list(customers.values()))
        tx.customers.put_contracts(list(contracts.values()))
        tx.customers.put_tenancies(list(tenancies.values()))
    return len(rows)


def _customer(row: Row, faults: Faults) -> Customer:
    language = row["language"] or "en"
    if language not in _LANGUAGES:
        faults.add(row.number, "language", f"{language[:20]!r} is none of {', '.join(_LANGUAGES)}")
    return Customer(
        _needed(row, "customer", faults),
        text(row, "name", faults),
        text(row, "class", faults),
        language,
        text(row, "email", faults),
    )


def _contract(row: Row, faults: Faults) -> Contract:
    return Contract(_needed(row, "contract", faults), row["customer"], text(row, "tariff", faults))


def _demand_apart(tx: Transaction, new: Sequence[Tenancy], rows: Sequence[Row], faults: Faults) -> None:
    """Refuse two tenancies at one service point at the same time: nobody could say who is billed."""
    known = tx.customers.tenancies_at({one.service_point for one in new})
    merged = {
        (one.contract, one.service_point, one.valid_from): one
        for one in [*(old for point in known.values() for old in point), *new]
    }
    number_of = {(row["contract"], row["service_point"]): row.number for row in rows}
    by_point: dict[str, list[Tenancy]] = {}
    for one in sorted(merged.values(), key=lambda one: one.valid_from):
        earlier = by_point.setdefault(one.service_point, [])
        if earlier and (earlier[-1].valid_to is None or earlier[-1].valid_to > one.valid_from):
            number = number_of.get((one.contract, one.service_point)) or number_of.get(
                (earlier[-1].contract, one.service_point), 1
            )
            sentence = f"{one.service_point} is {earlier[-1].contract}'s then already: end that one first"
            faults.add(number, "valid_from", sentence)
        earlier.append(one)


# --- the others ----------------------------------------------------------------------------------


def _deductions(tx: Transaction, rows: Sequence[Row], zone: ZoneInfo, faults: Faults) -> int:
    _demand_points(tx, rows, ("service_point", "sub"), faults)
    found: dict[tuple[str, str, datetime], Deductible] = {}
    for row in rows:
        span = _span(row, zone, faults)
        if row["service_point"] == row["sub"]:
            faults.add(row.number, "sub", "a service point cannot be behind itself")
        if span is not None:
            key = (row["service_point"], row["sub"], span[0])
            _once(found, key, Deductible(*key, span[1]), row, "sub", faults)
    if not faults.found:
        tx.customers.put_deductibles(list(found.values()))
    return len(rows)


def _meters(tx: Transaction, rows: Sequence[Row], _zone: ZoneInfo, faults: Faults) -> int:
    found: dict[Any, MeterFacts] = {}
    for row in rows:
        meter = identity(row, faults)
        digits = count(row, "digits", faults) if row["digits"] else None
        q3 = exact_number(row, "q3_m3h", faults) if row["q3_m3h"] else None
        legal = _day(row, "legal_until", faults)
        if digits is not None and not 3 <= digits <= 9:
            faults.add(row.number, "digits", f"{digits} whole digits: a dial has 3 to 9")
        if q3 is not None and not Decimal("0.1") <= q3 <= 10_000:
            faults.add(row.number, "q3_m3h", f"{q3} m3/h is no permanent flow rate of a meter")
        if meter is not None:
            _once(found, meter, MeterFacts(meter, digits, q3, legal), row, "meter_id", faults)
    unknown = found.keys() - tx.registry.meters(list(found)).keys()
    for row in rows:
        if (meter := identity(row, Faults(""))) in unknown:
            faults.add(
                row.number, "meter_id", f"{meter} is not in the registry; nurt meters import comes first"
            )
    if not faults.found:
        tx.customers.put_meter_facts(list(found.values()))
    return len(rows)


def _protocols(tx: Transaction, rows: Sequence[Row], zone: ZoneInfo, faults: Faults) -> int:
    found: dict[Any, ProtocolIndex] = {}
    hung = tx.registry.installations([one for row in rows if (one := identity(row, Faults("")))])
    for row in rows:
        meter, at = identity(row, faults), when(row, "at", zone, faults)
        value = exact_number(row, "index_m3", faults)
        event = next((one for one in Event if one.value == row["event"]), None)
        if event is None:
            faults.add(row.number, "event", f"{row['event'][:20]!r} is neither installed nor removed")
        if not row["at"]:
            faults.add(row.number, "at", "missing")
        if meter is None or at is None or value is None or event is None:
            continue
        ends = {
            one.valid_from if event is Event.INSTALLED else one.valid_to
            for one in hung.get(meter, ())
            if one.service_point == row["service_point"]
        }
        if at not in ends:
            faults.add(
                row.number, "at", f"{meter} was not {event.value} at {row['service_point'][:60]!r} then"
            )
        written = ProtocolIndex(
            meter,
            row["service_point"],
            at,
            event,
            value,
            text(row, "by", faults),
            text(row, "reference", faults),
        )
        _once(found, (meter, at, event), written, row, "at", faults)
    if not faults.found:
        tx.customers.put_protocols(list(found.values()))
    return len(rows)


# --- cells ---------------------------------------------------------------------------------------


def _needed(row: Row, column: str, faults: Faults) -> str:
    said = text(row, column, faults)
    if not said:
        faults.add(row.number, column, "missing")
    return said


def _span(row: Row, zone: ZoneInfo, faults: Faults) -> tuple[datetime, datetime | None] | None:
    since, until = when(row, "valid_from", zone, faults), when(row, "valid_to", zone, faults)
    if since is None:
        if not row["valid_from"]:
            faults.add(row.number, "valid_from", "missing")
        return None
    if until is not None and until <= since:
        faults.add(row.number, "valid_to", "is not after valid_from")
    return since, until


def _day(row: Row, column: str, faults: Faults) -> date | None:
    if not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        faults.add(row.number, column, f"{row[column][:40]!r} is not a day like 2029-12-31")
        return None


def _once(  # noqa: PLR0913, PLR0917  where it is kept, and where it stands
    found: dict[Any, T], key: Any, one: T, row: Row, column: str, faults: Faults
) -> None:
    if key in found and found[key] != one:
        faults.add(row.number, column, "contradicts an earlier row of this file")
    found[key] = one


def _demand_points(tx: Transaction, rows: Sequence[Row], columns: Sequence[str], faults: Faults) -> None:
    known = tx.registry.service_points({row[column] for row in rows for column in columns})
    for row in rows:
        for column in columns:
            if row[column] not in known:
                faults.add(row.number, column, f"there is no service point {row[column][:60]!r}")


_READERS: Mapping[What, _Reader] = {
    What.TENANCIES: _Reader(
        (
            "customer",
            "contract",
            "service_point",
            "valid_from",
            "valid_to",
            "name",
            "class",
            "language",
            "email",
            "tariff",
        ),
        [("customer", "contract", "service_point", "valid_from")],
        _tenancies,
    ),
    What.DEDUCTIONS: _Reader(
        ("service_point", "sub", "valid_from", "valid_to"),
        [("service_point", "sub", "valid_from")],
        _deductions,
    ),
    What.METERS: _Reader(
        (*IDENTITY_COLUMNS, "digits", "q3_m3h", "legal_until"),
        [("meter_id",), IDENTITY_COLUMNS[1:]],
        _meters,
    ),
    What.PROTOCOLS: _Reader(
        (*IDENTITY_COLUMNS, "service_point", "event", "at", "index_m3", "by", "reference"),
        [("meter_id", "service_point", "event", "at", "index_m3")],
        _protocols,
    ),
    What.LOGS: _Reader((*IDENTITY_COLUMNS, "at", "index_m3"), [("at", "index_m3")], take_logs),
}
