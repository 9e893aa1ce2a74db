"""Whom, for what, from when, and what people told, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from metering.billing_customers import (
    Contract,
    Customer,
    CutMade,
    Deductible,
    Event,
    MeterFacts,
    ProtocolIndex,
    Tenancy,
    ToldState,
)
from metering.meter import MeterId
from metering.store.sql import schema as tables
from metering.store.sql.among import among
from metering.store.sql.statements import Row, insert_once, replace
from metering.store.sql.symbols import Names

__all__ = ["SqlCustomers"]

T = TypeVar("T")


class SqlCustomers:
    """:class:`metering.billing_customers.Customers` on one transaction."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def put_customers(self, customers: Sequence[Customer]) -> None:
        """Enter customers or replace what is said of them."""
        rows: list[Row] = [
            {
                "code": one.code,
                "name": one.name,
                "class": one.customer_class,
                "language": one.language,
                "email": one.email,
            }
            for one in customers
        ]
        replace(self._connection, tables.customers, rows)

    def put_contracts(self, contracts: Sequence[Contract]) -> None:
        """Enter contracts or replace what is said of them."""
        rows: list[Row] = [
            {"number": one.number, "customer": one.customer, "tariff": one.tariff} for one in contracts
        ]
        replace(self._connection, tables.contracts, rows)

    def put_tenancies(self, tenancies: Sequence[Tenancy]) -> None:
        """Enter tenancies; the same contract, service point and begin replaces."""
        rows: list[Row] = [
            {
                "contract": one.contract,
                "service_point": one.service_point,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
            }
            for one in tenancies
        ]
        replace(self._connection, tables.tenancies, rows)

    def put_deductibles(self, deductibles: Sequence[Deductible]) -> None:
        """Enter who is deducted from whom; the same pair and begin replaces."""
        rows: list[Row] = [
            {
                "service_point": one.service_point,
                "sub": one.sub,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
            }
            for one in deductibles
        ]
        replace(self._connection, tables.deductions, rows)

    def put_meter_facts(self, facts: Sequence[MeterFacts]) -> None:
        """Enter what is engraved on meters, or replace it."""
        number = self._names.meters.ensure(one.meter for one in facts)
        rows: list[Row] = [
            {
                "meter": number[one.meter],
                "digits": one.digits,
                "q3_m3h": one.q3_m3h,
                "legal_until": one.legal_until,
            }
            for one in facts
        ]
        replace(self._connection, tables.billing_meters, rows)

    def put_protocols(self, protocols: Sequence[ProtocolIndex]) -> None:
        """Enter indices of protocols; the same meter, place, time and event replaces."""
        number = self._names.meters.ensure(one.meter for one in protocols)
        rows: list[Row] = [
            {
                "meter": number[one.meter],
                "service_point": one.service_point,
                "at": one.at,
                "event": one.event.value,
                "value": one.value,
                "by": one.by,
                "reference": one.reference,
            }
            for one in protocols
        ]
        replace(self._connection, tables.protocols, rows)

    def put_cuts(self, cuts: Sequence[CutMade]) -> None:
        """Enter cuts; one that is there stays as it is."""
        rows: list[Row] = [
            {
                "service_point": one.service_point,
                "at": one.at,
                "cause": one.cause,
                "reason": one.reason,
                "by": one.by,
                "entered_at": one.entered_at,
            }
            for one in cuts
        ]
        insert_once(self._connection, tables.billing_cuts, rows)

    def customers(self, codes: Collection[str]) -> Mapping[str, Customer]:
        """Give those of the customers that are known."""
        rows = self._among(sa.select(tables.customers), tables.customers.c.code, codes)
        return {row[0]: Customer(row[0], row[1], *row[2:]) for row in rows}

    def contracts(self, numbers: Collection[str]) -> Mapping[str, Contract]:
        """Give those of the contracts that are known."""
        rows = self._among(sa.select(tables.contracts), tables.contracts.c.number, numbers)
        return {row[0]: Contract(*row) for row in rows}

    def contracts_of(self, customer: str) -> Sequence[Contract]:
        """Give the contracts of a customer, by number."""
        table = tables.contracts
        wanted = sa.select(table).where(table.c.customer == customer).order_by(table.c.number)
        return [Contract(*tuple(row)) for row in self._connection.execute(wanted)]

    def tenancies_of(self, contracts: Collection[str]) -> Sequence[Tenancy]:
        """Give the tenancies of contracts, by begin."""
        rows = self._among(sa.select(tables.tenancies), tables.tenancies.c.contract, contracts)
        return sorted((Tenancy(*row) for row in rows), key=_begin)

    def tenancies_at(self, service_points: Collection[str]) -> Mapping[str, Sequence[Tenancy]]:
        """Give the tenancies at service points, by begin; nothing for those without."""
        rows = self._among(sa.select(tables.tenancies), tables.tenancies.c.service_point, service_points)
        return _grouped(sorted((Tenancy(*row) for row in rows), key=_begin), lambda one: one.service_point)

    def any_tenancy(self) -> bool:
        """Whether tenancies are kept here at all."""
        one = sa.select(tables.tenancies.c.contract).limit(1)
        return self._connection.execute(one).first() is not None

    def deductibles(self, service_points: Collection[str]) -> Mapping[str, Sequence[Deductible]]:
        """Give what is deducted from service points, by sub-meter's service point."""
        table = tables.deductions
        rows = self._among(sa.select(table), table.c.service_point, service_points)
        found = sorted((Deductible(*row) for row in rows), key=lambda one: (one.sub, one.valid_from))
        return _grouped(found, lambda one: one.service_point)

    def meter_facts(self, meters: Collection[MeterId]) -> Mapping[MeterId, MeterFacts]:
        """Give what is known of meters."""
        return {
            meter: MeterFacts(meter, *row[1:])
            for meter, row in self._of_meters(
                sa.select(tables.billing_meters), tables.billing_meters.c.meter, meters
            )
        }

    def protocols(self, meters: Collection[MeterId]) -> Mapping[MeterId, Sequence[ProtocolIndex]]:
        """Give the indices of protocols, by time."""
        rows = self._of_meters(sa.select(tables.protocols), tables.protocols.c.meter, meters)
        found = [ProtocolIndex(meter, row[1], row[2], Event(row[3]), *row[4:]) for meter, row in rows]
        return _grouped(sorted(found, key=lambda one: (one.at, one.event)), lambda one: one.meter)

    def cuts(self, service_points: Collection[str]) -> Mapping[str, Sequence[CutMade]]:
        """Give the cuts at service points, by time."""
        table = tables.billing_cuts
        rows = self._among(sa.select(table), table.c.service_point, service_points)
        found = sorted((CutMade(*row) for row in rows), key=lambda one: one.at)
        return _grouped(found, lambda one: one.service_point)

    def add_states(self, states: Sequence[ToldState]) -> Sequence[int]:
        """Keep states people told; gives their numbers."""
        meter = self._names.meters.ensure(one.meter for one in states)
        add = sa.insert(tables.states).returning(tables.states.c.id)
        return [
            int(self._connection.execute(add.values(_state_row(one, meter[one.meter]))).scalar_one())
            for one in states
        ]

    def accept_state(self, number: int, at: datetime) -> bool:
        """Take a state over, so that it counts. Gives whether it was received and not taken over yet."""
        table = tables.states
        waits = (table.c.id == number) & (table.c.answer == "received") & table.c.accepted_at.is_(None)
        return self._connection.execute(sa.update(table).where(waits).values(accepted_at=at)).rowcount == 1

    def accepted_states(
        self, meters: Collection[MeterId], register: str, since: datetime, until: datetime
    ) -> Mapping[MeterId, Sequence[ToldState]]:
        """Give states that were taken over, read within ``since <= t <= until``, by time."""
        table = tables.states
        wanted = sa.select(table).where(
            table.c.accepted_at.is_not(None),
            table.c.register == register,
            table.c.read_at >= since,
            table.c.read_at <= until,
        )
        found = [_state(meter, row) for meter, row in self._of_meters(wanted, table.c.meter, meters)]
        return _grouped(sorted(found, key=lambda one: (one.read_at, one.number)), lambda one: one.meter)

    def states_at(self, service_point: str, window: str | None = None) -> Sequence[ToldState]:
        """Give all states told at a service point, of one window if named, by number."""
        table = tables.states
        wanted = sa.select(table).where(table.c.service_point == service_point)
        if window is not None:
            wanted = wanted.where(table.c.window == window)
        return self._states(wanted.order_by(table.c.id))

    def waiting_states(self, limit: int = 500) -> Sequence[ToldState]:
        """Give states that were received and not taken over yet, by number."""
        table = tables.states
        wanted = sa.select(table).where(table.c.answer == "received", table.c.accepted_at.is_(None))
        return self._states(wanted.order_by(table.c.id).limit(limit))

    def _states(self, wanted: sa.Select[Any]) -> list[ToldState]:
        rows = self._connection.execute(wanted).all()
        meters = self._names.meters.things(row.meter for row in rows)
        return [_state(meters[row.meter], row) for row in rows]

    def _among(
        self, wanted: sa.Select[Any], column: sa.ColumnElement[Any], values: Collection[Any]
    ) -> list[Any]:
        return [
            row
            for these in among(self._connection, column, values)
            for row in self._connection.execute(wanted.where(these))
        ]

    def _of_meters(
        self, wanted: sa.Select[Any], column: sa.ColumnElement[Any], meters: Collection[MeterId]
    ) -> list[tuple[MeterId, Any]]:
        meter_of = {number: meter for meter, number in self._names.meters.find(meters).items()}
        return [(meter_of[row.meter], row) for row in self._among(wanted, column, list(meter_of))]


def _begin(tenancy: Tenancy) -> tuple[datetime, str]:
    return tenancy.valid_from, tenancy.contract


def _grouped(things: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    found: dict[Any, list[T]] = {}
    for one in things:
        found.setdefault(key(one), []).append(one)
    return found


def _state_row(one: ToldState, meter: int) -> Row:
    return {
        "meter": meter,
        "service_point": one.service_point,
        "register": one.register,
        "read_at": one.read_at,
        "value": one.value,
        "typed": one.typed,
        "channel": one.channel,
        "by": one.by,
        "reference": one.reference,
        "entered_at": one.entered_at,
        "answer": one.answer,
        "told": one.told,
        "window": one.window,
        "accepted_at": one.accepted_at,
    }


def _state(meter: MeterId, row: sa.Row[Any]) -> ToldState:
    return ToldState(
        meter=meter,
        service_point=row.service_point,
        register=row.register,
        read_at=row.read_at,
        value=row.value,
        typed=row.typed,
        channel=row.channel,
        by=row.by,
        reference=row.reference,
        entered_at=row.entered_at,
        answer=row.answer,
        told=row.told,
        window=row.window,
        accepted_at=row.accepted_at,
        number=row.id,
    )
