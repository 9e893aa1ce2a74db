"""Meter keys move from one master key to another, some at a time: it may be interrupted and begun again."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from metering.store.master_key import MasterKey
from metering.store.sql.editions import new_edition
from metering.store.sql.engine import Database
from metering.store.sql.masters import Masters
from metering.store.sql.schema import identities, meter_keys
from metering.store.sql.symbols import meter_of

__all__ = ["rotate"]

_CHUNK = 500
"""Meter keys sealed anew per transaction."""

_RESEALED = (
    sa.update(meter_keys)
    .where(meter_keys.c.id == sa.bindparam("which"))
    .values(sealed=sa.bindparam("sealed"), master=sa.bindparam("master"))
)


def rotate(
    database: Database, masters: Masters, new: MasterKey, told: Callable[[int], None] = lambda _keys: None
) -> int:
    """Seal every stored meter key under a new master key; gives how many were sealed anew.

    Args:
        database: of the store.
        masters: the master keys at hand, the old one among them.
        new: seals from now on.
        told: given the number of keys done, after each transaction.

    Raises:
        KeyringError: a stored key does not open; those done before stay done.
    """
    with database.transaction(write=True) as connection:
        number = masters.add(connection, new)
    done = 0
    while moved := _some(database, masters, new, number):
        done += moved
        told(moved)
    return done


def _some(database: Database, masters: Masters, new: MasterKey, number: int) -> int:
    wanted = (
        sa.select(meter_keys.c.id, meter_keys.c.sealed, meter_keys.c.master, identities.c.name)
        .join(identities, identities.c.id == meter_keys.c.meter)
        .where(meter_keys.c.master != number)
        .order_by(meter_keys.c.id)
        .limit(_CHUNK)
    )
    with database.transaction(write=True) as connection:
        rows = connection.execute(wanted).all()
        for row in rows:
            meter = meter_of(row.name)
            key = masters.opening(connection, row.master).open(meter, row.sealed)
            again = {"which": row.id, "sealed": new.seal(meter, key), "master": number}
            connection.execute(_RESEALED, again)
        if rows:
            new_edition(connection)
    return len(rows)
