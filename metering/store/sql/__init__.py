"""The ports in SQL: one schema, one contract suite, SQLite and PostgreSQL."""

from metering.store.sql.store import SqlStore
from metering.store.sql.versions import upgrade

__all__ = ["SqlStore", "upgrade"]
