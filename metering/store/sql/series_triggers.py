"""The triggers that note changes of readings: there only where a series store is to have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from metering.store.sql.engine import Database
from metering.store.sql.schema import series_queue

__all__ = ["disable", "enable", "enabled", "unnoted"]

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
        VALUES (OLD.meter, OLD.register, OLD.measured_at, TG_OP = 'DELETE' OR {differs});
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
            connection.exec_driver_sql(_POSTGRESQL.format(differs=_differs("IS DISTINCT FROM")))
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


@contextmanager
def unnoted(connection: sa.Connection) -> Iterator[None]:
    """Note nothing of what is changed inside, in a writing transaction: it stays in the series store."""
    newest = sa.select(sa.func.max(series_queue.c.id))
    before = connection.execute(newest).scalar() or 0
    yield
    connection.execute(sa.delete(series_queue).where(series_queue.c.id > before))


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
        "update": f"VALUES ({old}, {_differs('IS NOT')}), ({new}, 0)",
        "delete": f"VALUES ({old}, 1)",
    }


def _differs(unlike: str) -> str:
    """Say that what stood there has to go: a change of the telegram alone only writes over it."""
    names = ("meter", "register", "measured_at", "value", "origin")
    return "(" + " OR ".join(f"OLD.{name} {unlike} NEW.{name}" for name in names) + ")"
