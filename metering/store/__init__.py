"""Everything that is kept: SQLAlchemy Core on SQLite (embedded default) and PostgreSQL.

Only the front door imports this; the other rooms know :mod:`metering.ports`.
"""

from metering.store.master_key import create_master_key, load_master_key
from metering.store.memory import memory_store
from metering.store.sql import SqlStore, upgrade

__all__ = ["SqlStore", "create_master_key", "load_master_key", "memory_store", "upgrade"]
