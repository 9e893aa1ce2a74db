"""The database of the settings: made if it is new, refused if it is old, opened with its keys checked."""

from __future__ import annotations

from sqlalchemy.engine import make_url

from metering.errors import KeyringError, SchemaTooOld, StoreUnavailable
from metering.ports import Clock
from metering.store import SqlStore, load_master_key, upgrade
from metering.store.sql.engine import Database
from metering.store.sql.versions import schema_version
from service.settings_model import StoreSettings

__all__ = [
    "demand_database",
    "existing_store",
    "next_master_key",
    "open_store",
    "prepared_store",
    "version_of",
]


def open_store(settings: StoreSettings, clock: Clock) -> SqlStore:
    """Open the store as it is; nothing is looked at before the first transaction."""
    return SqlStore(
        settings.database, clock, lambda: _master_key(settings), lambda: next_master_key(settings)
    )


def prepared_store(settings: StoreSettings, clock: Clock, *, upgrade_old: bool = False) -> SqlStore:
    """Open the store, ready to work: writable, of this release's schema, its meter keys readable.

    A database that is not there yet is made. An older one is upgraded only if told so.

    Raises:
        SchemaTooOld: needs an upgrade.
        SchemaTooNew: written by a newer release.
        StoreUnavailable: cannot be opened or written.
        KeyringError: holds meter keys the master key does not open.
    """
    if version_of(settings) == 0 or upgrade_old:
        upgrade(settings.database)
    store = open_store(settings, clock)
    try:
        _check(store)
    except BaseException:
        store.close()
        raise
    return store


def existing_store(settings: StoreSettings, clock: Clock) -> SqlStore:
    """Open the store, ready to work, if there is one: who only looks makes no database.

    Raises:
        StoreUnavailable: there is none yet, perhaps because this is another folder.
        SchemaTooOld: and so on, as :func:`prepared_store`.
    """
    demand_database(settings)
    return prepared_store(settings, clock)


def demand_database(settings: StoreSettings) -> None:
    """Refuse to go on where there is no database.

    Raises:
        StoreUnavailable: there is none yet.
    """
    if version_of(settings) == 0:
        where = make_url(settings.database).render_as_string(hide_password=True)
        raise StoreUnavailable(
            f"there is no database at {where} yet; is it another folder or another --config?"
            " Else `nurt db upgrade` makes one"
        )


def version_of(settings: StoreSettings) -> int:
    """Give the number of the database's schema; 0 = there is none yet."""
    database = Database(settings.database)
    try:
        if database.path is not None and not database.path.exists():
            return 0
        with database.transaction(write=False) as connection:
            return schema_version(connection)
    finally:
        database.close()


def _check(store: SqlStore) -> None:
    try:
        store.check()
    except SchemaTooOld as old:
        raise SchemaTooOld(f"{old}, or start with --upgrade") from None
    with store.reading() as transaction:
        transaction.keyring.check()


def next_master_key(settings: StoreSettings) -> bytes | None:
    """Give the master key a rotation moves to; ``None`` if none is under way."""
    path = settings.next_master_key
    return load_master_key(path) if path.exists() else None


def _master_key(settings: StoreSettings) -> bytes:
    if not settings.master_key.exists():
        raise KeyringError(
            f"the master key {settings.master_key} is missing; put it back if keys were imported before,"
            " or make a new one with `nurt keys init`"
        )
    return load_master_key(settings.master_key)
