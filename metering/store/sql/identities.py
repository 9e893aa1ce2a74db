"""Which meters are known, registered or only heard, by manufacturer."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from metering.meter import MeterId
from metering.store.sql.engine import Database
from metering.store.sql.schema import identities
from metering.store.sql.symbols import meter_of

__all__ = ["identities_of"]


def identities_of(database: Database, manufacturers: Collection[str]) -> list[MeterId]:
    """Give every meter of some manufacturers that is registered or was ever heard."""
    of_them = (identities.c.name.startswith(f"{one}-", autoescape=True) for one in manufacturers)
    with database.transaction(write=False) as connection:
        return [
            meter_of(name)
            for name in connection.scalars(sa.select(identities.c.name).where(sa.or_(*of_them)))
        ]
