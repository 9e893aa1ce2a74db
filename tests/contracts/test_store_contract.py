"""What every store promises: transactions, threads, errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from metering.errors import SchemaTooNew, StoreError, StoreUnavailable, TelemetryError
from metering.meter import Meter, MeterId
from metering.ports import Outcome, Store
from metering.store.sql.engine import Database
from metering.store.sql.partitions import PARTITIONED, partitions
from metering.store.sql.schema import SCHEMA, metadata


def test_the_sql_store_is_a_store(store):
    """Checked by the type checker in the service; here for its methods."""
    typed: Store = store
    typed.check()
    typed.check()


def test_a_transaction_that_raises_leaves_nothing(store, make):
    """Nor does the store remember numbers that were given inside it."""
    with suppress(ZeroDivisionError), store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
        tx.readings.add([make.reading()])
        raise ZeroDivisionError
    with store.writing() as tx:
        assert dict(tx.registry.meters([make.meter])) == {}
        tx.registry.put_meters([Meter(make.other)])
        tx.readings.add([make.reading("5", meter=make.other)])
        tx.registry.put_meters([Meter(make.meter)])
    with store.reading() as tx:
        assert list(tx.readings.latest(make.meter)) == []
        assert [str(one.value) for one in tx.readings.latest(make.other)] == ["5"]


def test_a_reading_transaction_cannot_write(store, make):
    with pytest.raises(StoreError), store.reading() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    with store.writing() as tx:
        tx.registry.put_meters([Meter(make.meter)])
    with store.reading() as tx:
        assert make.meter in tx.registry.meters([make.meter])


def test_a_number_beyond_64_bits_is_refused_as_ours(store):
    """Whatever the driver calls it, nobody outside has to know the driver."""
    with pytest.raises(TelemetryError), store.writing() as tx:
        tx.archive.remember_sequences([("roof", "b", 2**80)])


def test_a_constraint_is_refused_as_ours(store, make):
    with store.writing() as tx:
        tx.ledger.count("roof", 1, {Outcome.STORED: 1}, make.noon)
    with pytest.raises(StoreError), store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("UPDATE accounts SET received = 2")


def test_threads_share_a_store(store):
    """Twenty threads write and read at once; nothing is lost, nobody is told to come again."""

    def work(n: int) -> int:
        mine = MeterId("KAM", f"{n:08d}", "1b", "16")
        with store.writing() as tx:
            tx.registry.put_meters([Meter(mine), Meter(MeterId("KAM", "99999999", "1b", "16"))])
        with store.reading() as tx:
            assert mine in tx.registry.meters([mine])
            return tx.registry.overview()[1]

    with ThreadPoolExecutor(20) as pool:
        counts = list(pool.map(work, range(60)))
    with store.reading() as tx:
        assert tx.registry.overview()[1] == 61
    assert max(counts) <= 61


def test_somebody_who_keeps_writing_is_told(store, url):
    """By another connection, as another process would; in memory by the same."""
    hasty = store.database if url == "sqlite://" else Database(url, patience=0.2)
    hasty._patience = 0.2
    with store.writing(), pytest.raises(StoreUnavailable, match="busy"), hasty.transaction(write=True):
        pytest.fail("two writers at a time")
    with hasty.transaction(write=True):
        pass
    hasty.close()


def test_the_tables_are_those_the_program_knows(store):
    """What migrations make and what the code describes differ in nothing Alembic can see.

    But for what PostgreSQL cannot have in partitioned tables: the partitions themselves, references to and
    from them, and a unique index without the time.
    """
    with store.database.transaction(write=False) as connection:
        parts = {one.name for one in partitions(connection)}

        def known(thing: Any, name: str | None, kind: str, _reflected: object, _other: object) -> bool:
            if kind == "table":
                return name not in parts
            if kind == "foreign_key_constraint":
                told = {thing.table.name, thing.elements[0].target_fullname.partition(".")[0]}
                return not parts or not told & PARTITIONED.keys()
            return not parts or name != "uq_receptions_sequence"

        context = MigrationContext.configure(connection, opts={"include_object": known})
        assert compare_metadata(context, metadata) == []


def test_a_newer_schema_is_refused(store):
    with store.database.transaction(write=True) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(SchemaTooNew, match=rf"newer release \(schema 99, this one knows {SCHEMA}\)"):
        store.check()
    assert store.schema() == 99
