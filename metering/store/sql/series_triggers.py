"""The triggers that note changes of readings: there only where a series store is to have them."""

from __future__ import annotations

import sqlalchemy as sa

from metering.store.sql.engine import Database
from metering.store.sql.schema import series_queue

__all__ = ["disable", "enable", "enabled"]

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS series_{event} AFTER {event} ON readings BEGIN
    INSERT INTO series_queue (meter, register, measured_at, gone) {rows};
END
"""

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION series_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO series_queue (meter, register, measured_at, gone)
        VALUES (OLD.meter, OLD.register, OLD.measured_at, TRUE);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO series_queue (meter, register, measured_at, gone)
        VALUES (NEW.meter, NEW.register, NEW.measured_at, FALSE);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER series_note AFTER INSERT OR UPDATE OR DELETE ON readings
    FOR EACH ROW EXECUTE FUNCTION series_note()
"""


def enable(database: Database) -> bool:
    """Note changes of readings from now on; false if that was so already."""
    if enabled(database):
        return False
    with database.transaction(write=True) as connection:
        if _notes(connection):
            return False
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_POSTGRESQL)
        else:
            for event, rows in _sqlite_rows().items():
                connection.exec_driver_sql(_SQLITE.format(event=event, rows=rows))
    return True


def disable(database: Database) -> None:
    """Note no changes any more, and drop what was noted."""
    with database.transaction(write=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS series_note ON readings")
        else:
            for event in _sqlite_rows():
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS series_{event}")
        connection.execute(sa.delete(series_queue))


def enabled(database: Database) -> bool:
    """Whether changes of readings are noted."""
    with database.transaction(write=False) as connection:
        return _notes(connection)


def _notes(connection: sa.Connection) -> bool:
    if connection.dialect.name == "postgresql":
        found = "SELECT 1 FROM pg_trigger WHERE tgname = 'series_note' AND tgrelid = 'readings'::regclass"
    else:
        found = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'series_delete'"
    return connection.exec_driver_sql(found).first() is not None


def _sqlite_rows() -> dict[str, str]:
    new, old = (f"{row}.meter, {row}.register, {row}.measured_at" for row in ("NEW", "OLD"))
    return {
        "insert": f"VALUES ({new}, 0)",
        "update": f"VALUES ({old}, 1), ({new}, 0)",
        "delete": f"VALUES ({old}, 1)",
    }
