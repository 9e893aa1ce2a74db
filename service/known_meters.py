"""Which meters the database of the settings knows."""

from __future__ import annotations

from collections.abc import Collection

from metering.meter import MeterId
from metering.store.sql.engine import Database
from metering.store.sql.identities import identities_of
from service.database import version_of
from service.settings_model import StoreSettings

__all__ = ["known_meters"]


def known_meters(settings: StoreSettings, manufacturers: Collection[str]) -> list[MeterId]:
    """Give every meter of some manufacturers that is registered or was heard; none without a database.

    Raises:
        StoreError: it cannot be read.
    """
    if version_of(settings) == 0:
        return []
    database = Database(settings.database)
    try:
        return identities_of(database, manufacturers)
    finally:
        database.close()
