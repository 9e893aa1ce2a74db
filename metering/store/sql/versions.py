"""Schema versions: whole numbers, upgraded by Alembic in one transaction or not at all."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from metering.errors import SchemaTooNew, SchemaTooOld, StoreError, StoreUnavailable
from metering.store.sql.engine import Database
from metering.store.sql.schema import SCHEMA

__all__ = ["demand_current", "schema_version", "upgrade", "upgrade_database"]

_MIGRATIONS = Path(__file__).parents[1] / "migrations"


def upgrade(url: str) -> tuple[int, int]:
    """Bring a database to this release's schema; an empty or missing SQLite file is made, with its folder.

    Returns:
        The schema before (0 = none) and after.

    Raises:
        SchemaTooNew: written by a newer release; nothing was changed.
        StoreUnavailable: cannot be opened or written; nothing was changed.
    """
    database = Database(url, upgrading=True)
    try:
        if database.path is not None:
            _make_folder(database.path.parent)
        return upgrade_database(database)
    finally:
        database.close()


def upgrade_database(database: Database) -> tuple[int, int]:
    """Bring an opened database to this release's schema, see :func:`upgrade`."""
    with database.transaction(write=True) as connection:
        before = schema_version(connection)
        if before > SCHEMA:
            raise _too_new(before, database.where)
        if before < SCHEMA:
            _migrate(connection)
            _demand_whole(connection, database.where)
        return before, SCHEMA


def schema_version(connection: sa.Connection) -> int:
    """Read the schema's number; 0 = no tables of ours.

    Raises:
        StoreError: another program's database.
    """
    if not sa.inspect(connection).has_table("alembic_version"):
        return 0
    version = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or 0)
    if not version.isdecimal():
        raise StoreError("this database belongs to another program; name another one, nothing was changed")
    return int(version)


def demand_current(connection: sa.Connection, where: str) -> None:
    """Let only this release's schema pass.

    Raises:
        SchemaTooOld: run ``nurt db upgrade``.
        SchemaTooNew: written by a newer release.
    """
    version = schema_version(connection)
    if version > SCHEMA:
        raise _too_new(version, where)
    if version < SCHEMA:
        raise SchemaTooOld(
            f"{where} has schema {version}, this release needs {SCHEMA}; run `nurt db upgrade`"
        )


def _too_new(version: int, where: str) -> SchemaTooNew:
    return SchemaTooNew(
        f"{where} was written by a newer release (schema {version}, this one knows {SCHEMA});"
        " upgrade the program, nothing was changed"
    )


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _demand_whole(connection: sa.Connection, where: str) -> None:
    """Rows that lost what they refer to while tables were rebuilt undo the upgrade."""
    if connection.dialect.name != "sqlite":
        return
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise StoreError(f"{where}: the upgrade would leave {len(broken)} broken rows; nothing was changed")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreUnavailable(f"the folder {folder} cannot be made: {fault.strerror}") from None
