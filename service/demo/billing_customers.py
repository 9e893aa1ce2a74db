"""Who is billed, as the reference receiver knows it: by the tenancies kept here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from metering.ports import Store
from metering.reading import utc

__all__ = ["customer_at"]


def customer_at(store: Store) -> Callable[[Mapping[str, Any]], str | None]:
    """Give what says the customer's code for a read: of the first tenancy within its period."""

    def ask(read: Mapping[str, Any]) -> str | None:
        point = read["service_point"]
        start, end = (utc(datetime.fromisoformat(read["period"][name])) for name in ("start", "end"))
        with store.reading() as tx:
            held = [
                one
                for one in tx.customers.tenancies_at([point]).get(point, ())
                if one.valid_from < end and (one.valid_to is None or one.valid_to > start)
            ]
            known = tx.customers.contracts([held[0].contract]) if held else {}
        return known[held[0].contract].customer if known else None

    return ask
