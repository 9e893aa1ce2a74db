"""Room in the pages of what every batch updates, on PostgreSQL.

An updated row that finds room in its page needs no new entries in the indexes (PostgreSQL manual, 73.7,
heap-only tuples). New pages are filled by half from now on; full ones stay as they are until their rows move.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UPDATED = ("accounts", "counters", "hearings", "identities", "latest", "spans")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in UPDATED:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")
