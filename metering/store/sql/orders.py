"""Reading orders, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from metering.orders import NewOrder, OrderState, ReadingOrder
from metering.store.sql.among import among
from metering.store.sql.schema import reading_orders
from metering.store.sql.statements import Row, insert_once

__all__ = ["SqlOrders"]

_OPEN = reading_orders.c.state == OrderState.OPEN.value


class SqlOrders:
    """:class:`metering.orders.Orders` on one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def place(self, orders: Sequence[NewOrder], now: datetime) -> int:
        """Order; where one is open already it stays as it is. Gives how many were new."""
        rows: list[Row] = [
            {
                "service_point": one.service_point,
                "question": one.question,
                "due": one.due,
                "reason": one.reason,
                "by": one.by,
                "state": OrderState.OPEN.value,
                "ordered_at": now,
                "settled_by": "",
                "outcome": "",
            }
            for one in orders
        ]
        return insert_once(self._connection, reading_orders, rows)

    def order(self, number: int) -> ReadingOrder | None:
        """Give one order."""
        return next(iter(self._found(reading_orders.c.id == number, 1)), None)

    def open_at(self, service_points: Collection[str]) -> Mapping[str, ReadingOrder]:
        """Give the open order of each service point that has one."""
        return {
            one.about.service_point: one
            for these in among(self._connection, reading_orders.c.service_point, service_points)
            for one in self._found(_OPEN & these, None)
        }

    def at(self, service_point: str) -> Sequence[ReadingOrder]:
        """Give all orders of a service point, by number."""
        return self._found(reading_orders.c.service_point == service_point, None)

    def orders(
        self, states: Collection[OrderState], *, after: int = 0, limit: int = 50
    ) -> Sequence[ReadingOrder]:
        """Give orders by number, behind ``after``."""
        asked = reading_orders.c.state.in_([one.value for one in states])
        return self._found(asked & (reading_orders.c.id > after), limit)

    def counts(self, today: date) -> tuple[int, int]:
        """Count the open orders, and those of them that are overdue."""
        late = sa.func.count().filter(reading_orders.c.due < today)
        row = self._connection.execute(sa.select(sa.func.count(), late).where(_OPEN)).one()
        return int(row[0]), int(row[1])

    def settle(self, number: int, state: OrderState, at: datetime, by: str, outcome: str) -> bool:
        """Close an order. Gives whether it was open."""
        this = (reading_orders.c.id == number) & _OPEN
        said = {"state": state.value, "settled_at": at, "settled_by": by, "outcome": outcome}
        return self._connection.execute(sa.update(reading_orders).where(this).values(said)).rowcount == 1

    def _found(self, wanted: sa.ColumnElement[bool], limit: int | None) -> list[ReadingOrder]:
        statement = sa.select(reading_orders).where(wanted).order_by(reading_orders.c.id).limit(limit)
        return [_order(row) for row in self._connection.execute(statement)]


def _order(row: sa.Row[Any]) -> ReadingOrder:
    about = NewOrder(row.service_point, row.due, row.reason, row.by, row.question)
    return ReadingOrder(
        row.id, about, OrderState(row.state), row.ordered_at, row.settled_at, row.settled_by, row.outcome
    )
