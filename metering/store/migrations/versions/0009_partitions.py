"""Telegrams, receptions and readings are partitioned by month (UTC) on PostgreSQL; one index fewer on both.

A month's partition is made before the first row of that month is written. What is dated before 2010 lies in
one partition. The partitioned tables keep no foreign keys: each would be checked row by row while telegrams
come in, and one to telegrams cannot be, since their number is unique only together with their month.

The index of telegrams by state held all that are stored, who never are looked for so.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FIRST = datetime(2010, 1, 1, tzinfo=UTC)

REFERENCES = """
SELECT c.conrelid::regclass::text AS owner, c.conname AS name FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.confrelid = 'telegrams'::regclass
"""

MONTHS = """
SELECT DISTINCT date_trunc('month', {moment} AT TIME ZONE 'UTC') AS month FROM {table}_whole
WHERE {moment} >= '2010-01-01 00:00:00+00' ORDER BY month
"""

KEYS = {
    "telegrams": ("heard_at", "id, heard_at"),
    "receptions": ("heard_at", "id, heard_at"),
    "readings": ("measured_at", "meter, register, measured_at, value"),
}

# What a reading says besides its key stands in the index too: a year of one register is read there, where it
# lies together, and not row by row out of a table that is in the order of arrival.
INCLUDED = {"readings": " INCLUDE (received_at, telegram, origin)"}

INDEXES = (
    "CREATE INDEX ix_telegrams_fingerprint_heard_at ON telegrams (fingerprint, heard_at)",
    "CREATE INDEX ix_telegrams_meter_id ON telegrams (meter, id)",
    "CREATE INDEX ix_telegrams_waiting ON telegrams (state, id) WHERE state <> 'stored'",
    "CREATE INDEX ix_telegrams_held ON telegrams (meter) WHERE state = 'held'",
    "CREATE INDEX ix_telegrams_foreign ON telegrams (heard_at) WHERE state = 'foreign'",
    "CREATE INDEX ix_receptions_telegram ON receptions (telegram)",
    (
        "CREATE UNIQUE INDEX uq_receptions_sequence ON receptions (gateway, boot, seq, heard_at)"
        " WHERE boot IS NOT NULL"
    ),
    "CREATE INDEX ix_readings_telegram ON readings (telegram)",
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        op.drop_index("ix_telegrams_state_id", "telegrams")
        waiting = sa.text("state != 'stored'")
        op.create_index("ix_telegrams_waiting", "telegrams", ["state", "id"], sqlite_where=waiting)
        return
    for owner, name in connection.execute(sa.text(REFERENCES)).all():
        connection.exec_driver_sql(f'ALTER TABLE {owner} DROP CONSTRAINT "{name}"')
    for table, (moment, key) in KEYS.items():
        _partition(connection, table, moment, key)
    for index in INDEXES:
        connection.exec_driver_sql(index)
    connection.exec_driver_sql("ALTER SEQUENCE receptions_id_seq OWNED BY receptions.id")
    for table in KEYS:
        connection.exec_driver_sql(f"DROP TABLE {table}_whole")


def _partition(connection: sa.Connection, table: str, moment: str, key: str) -> None:
    run = connection.exec_driver_sql
    run(f"ALTER TABLE {table} RENAME TO {table}_whole")
    run(f"ALTER TABLE {table}_whole RENAME CONSTRAINT pk_{table} TO pk_{table}_whole")
    for (index,) in run(
        f"SELECT indexname FROM pg_indexes WHERE tablename = '{table}_whole' AND indexname NOT LIKE 'pk_%%'"  # noqa: S608  names of ours
    ).all():
        run(f'DROP INDEX "{index}"')
    run(f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS) PARTITION BY RANGE ({moment})")
    run(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key}){INCLUDED.get(table, '')}")
    run(
        f"CREATE TABLE {table}_old PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO ('{FIRST.isoformat()}')"
    )
    for (month,) in run(MONTHS.format(moment=moment, table=table)).all():
        _month(connection, table, month.replace(tzinfo=UTC))
    run(f"INSERT INTO {table} SELECT * FROM {table}_whole")  # noqa: S608  names of ours


def _month(connection: sa.Connection, table: str, first: datetime) -> None:
    last = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    connection.exec_driver_sql(
        f"CREATE TABLE {table}_{first:%Y_%m} PARTITION OF {table}"
        f" FOR VALUES FROM ('{first.isoformat()}') TO ('{last.isoformat()}')"
    )
