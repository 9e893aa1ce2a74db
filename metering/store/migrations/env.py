"""Alembic's entrance: runs migrations on the connection, and in the transaction, it is given."""

from __future__ import annotations

from alembic import context

from metering.store.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters tables by rebuilding them
)
with context.begin_transaction():
    context.run_migrations()
