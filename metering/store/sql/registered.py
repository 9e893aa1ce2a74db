"""Which of many meters are registered: asked for every batch, of those the process does not remember.

One statement finds number and registration together. It is put to the driver as it stands, and in the order
of the names: what lies together in the index is asked for together. So it takes about as long among a million
meters as among a thousand: what differs is that each one's pages are read for it alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from metering.meter import Meter, MeterId
from metering.store.sql.schema import identities
from metering.store.sql.symbols import Names
from metering.store.sql.wire import arrays

__all__ = ["registered"]

_FOUND = """
SELECT asked.{value}, identities.id, meters.meter, meters.medium, meters.label, meters.model
FROM {asked} CROSS JOIN identities LEFT JOIN meters ON meters.meter = identities.id
WHERE identities.name = asked.{value}
"""
_ASKED = {
    "sqlite": {"asked": "json_each(?) AS asked", "value": "value"},
    "postgresql": {"asked": "unnest(%s::text[]) AS asked (name)", "value": "name"},
}


def registered(connection: sa.Connection, names: Names, ids: Collection[MeterId]) -> dict[MeterId, Meter]:
    """Give those of the ids that are registered; numbers of all that are known are remembered."""
    asked = {str(meter): meter for meter in ids}
    numbers: dict[MeterId, int] = {}
    found: dict[MeterId, Meter] = {}
    if asked:
        for name, number, known, medium, label, model in _rows(connection, sorted(asked)):
            meter = asked[name]
            numbers[meter] = number
            if known is not None:
                found[meter] = Meter(meter, medium, label, model)
    names.meters.learn(numbers)
    return found


def _rows(connection: sa.Connection, asked: list[str]) -> Sequence[Any]:
    dialect = connection.dialect.name
    one = json.dumps(asked) if dialect == "sqlite" else arrays([identities.c.name], [asked])[0]
    cursor = connection.exec_driver_sql(_FOUND.format(**_ASKED[dialect]), (one,))
    return cursor.all()
