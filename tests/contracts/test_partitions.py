"""PostgreSQL keeps telegrams, receptions and readings by month; which month it is makes no difference."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from metering.clock import FixedClock
from metering.errors import StoreUnavailable
from metering.store import SqlStore, upgrade
from metering.store.sql import versions
from metering.store.sql.engine import Database
from metering.store.sql.looking_after import check, old_dates
from metering.store.sql.partitions import Month, partitions
from metering.store.sql.schema import SCHEMA

pytestmark = pytest.mark.servers

DAY = 86_400.0


@pytest.fixture
def on_postgresql(postgresql, clock):
    store = SqlStore(postgresql(), clock, lambda: bytes(range(32)))
    yield store
    store.close()


@pytest.fixture
def new_database(postgresql):
    """Make a database on the same server; gives its URL."""
    url = postgresql()
    made = url.replace("/postgres?", "/older?")

    def run(statement: str) -> None:
        engine = sa.create_engine(
            url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    run("CREATE DATABASE older")
    yield made
    run("DROP DATABASE older WITH (FORCE)")


def names(store: SqlStore, table: str) -> list[str]:
    with store.database.transaction(write=False) as connection:
        return [one.name for one in partitions(connection) if one.table == table]


def rows(store: SqlStore, table: str) -> int:
    with store.database.transaction(write=False) as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def test_months_follow_each_other_over_the_year_s_end():
    december = Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert (str(december), str(december.next), december.next.begin) == (
        "2026_12",
        "2027_01",
        datetime(2027, 1, 1, tzinfo=UTC),
    )


def test_a_month_is_made_with_its_first_row_and_the_next_one_with_it(on_postgresql, make):
    store = on_postgresql
    with store.writing() as tx:
        tx.readings.add([make.reading("1", -400 * DAY), make.reading("2", 0)])
    made = names(store, "readings")
    assert {"readings_2025_01", "readings_2025_02", "readings_2026_03", "readings_2026_04"} <= set(made)
    assert [rows(store, one) for one in ("readings_2025_01", "readings_2026_03", "readings_2026_04")] == [
        1,
        1,
        0,
    ]


def test_what_is_dated_before_all_months_lies_in_one_partition(on_postgresql, make):
    store = on_postgresql
    with store.writing() as tx:
        tx.readings.add([make.reading("1", -40 * 366 * DAY), make.reading("2", -30 * 366 * DAY)])
    assert rows(store, "readings_old") == 2
    with store.reading() as tx:
        found = tx.readings.series(make.meter, make.volume, make.at(-50 * 366 * DAY), make.noon)
    assert [str(one.value) for one in found] == ["1", "2"]


def test_a_month_whose_first_transaction_fails_is_made_by_the_next(on_postgresql, make):
    store = on_postgresql
    with pytest.raises(StoreUnavailable), store.writing() as tx:  # noqa: PT012  the transaction is what fails
        tx.readings.add([make.reading("1", -700 * DAY)])
        raise StoreUnavailable("away")
    with store.writing() as tx:
        tx.readings.add([make.reading("1", -700 * DAY)])
    assert rows(store, "readings") == 1


def test_a_month_that_was_dropped_meanwhile_is_made_again_when_the_batch_is_tried_again(on_postgresql, make):
    store = on_postgresql
    with store.writing() as tx:
        tx.readings.add([make.reading("1", -1000 * DAY)])
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("DROP TABLE readings_2023_06")
    other = SqlStore(store.database.engine.url.render_as_string(hide_password=False), FixedClock(make.noon))
    with other.writing() as tx:
        tx.readings.add([make.reading("2", -1000 * DAY)])
    other.close()
    assert rows(store, "readings") == 1


def test_a_telegram_heard_earlier_by_another_gateway_moves_to_the_month_before(on_postgresql, make):
    store, midnight = on_postgresql, 30.5 * DAY  # to April
    with store.writing() as tx:
        [number] = tx.archive.add([make.telegram(b"\x2a", make.reception("roof", midnight + 1, 1))])
        tx.readings.add([make.reading("1", midnight + 1, telegram=number)])
        tx.archive.add_receptions([(number, make.reception("cellar", midnight - 1, 1), None)])
    assert [rows(store, one) for one in ("telegrams_2026_03", "telegrams_2026_04")] == [1, 0]
    assert [rows(store, one) for one in ("readings_2026_03", "readings_2026_04")] == [1, 0]
    assert [rows(store, one) for one in ("receptions_2026_03", "receptions_2026_04")] == [1, 1]
    with store.reading() as tx:
        assert tx.archive.telegram(number).heard_at == make.at(midnight - 1)


def test_check_tells_what_is_dated_before_all_months_and_what_is_missing(on_postgresql, make):
    store = on_postgresql
    with store.writing() as tx:
        [number] = tx.archive.add([make.telegram(b"\x2a", make.reception("roof", 0, 1))])
        tx.readings.add([make.reading("1", -40 * 366 * DAY, telegram=number)])
    assert check(store.database) == []
    assert old_dates(store.database) == ["1 rows of readings are dated before 2010, in readings_old"]
    with store.database.transaction(write=True) as connection:
        connection.exec_driver_sql("DELETE FROM telegrams")
        connection.exec_driver_sql("UPDATE counters SET value = 0 WHERE name = 'telegram'")
    assert check(store.database) == [
        "a reception is of a telegram that is not there",
        "a reading names a telegram that never was",
    ]


def test_a_text_that_copy_would_take_for_its_own_signs_comes_back_as_it_was(on_postgresql, make):
    strange = 'a\tb\nc\\N\\.\r"{},NULL'
    with on_postgresql.writing() as tx:
        heard = make.reception(strange, 1, None)
        tx.archive.add([make.telegram(bytes(range(256)), heard)])
    with on_postgresql.reading() as tx:
        (kept,) = tx.archive.telegrams()
    assert (kept.frame, kept.receptions[0][0].gateway) == (bytes(range(256)), strange)


def test_rows_of_an_unpartitioned_database_are_in_their_months_after_the_upgrade(new_database):
    database = Database(new_database, upgrading=True)
    config = Config()
    config.set_main_option("script_location", str(Path(versions.__file__).parents[1] / "migrations"))
    with database.transaction(write=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for statement in OLD_ROWS:
            connection.exec_driver_sql(statement)
    database.close()
    assert upgrade(new_database) == (8, SCHEMA)
    store = SqlStore(new_database, FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
    store.check()
    assert [
        rows(store, one) for one in ("readings", "readings_2025_12", "readings_2026_01", "readings_old")
    ] == [
        3,
        1,
        1,
        1,
    ]
    with store.writing() as tx:
        (kept,) = tx.archive.telegrams()
        tx.archive.add_receptions([(1, kept.receptions[0][0].__class__(**_second(kept)), None)])
        readings, details = tx.readings.of_telegram(1)
    assert (kept.id, kept.frame, len(readings), len(details)) == (1, b"\x01", 3, 1)
    assert rows(store, "receptions") == 2
    store.close()


def _second(kept):
    first = kept.receptions[0][0]
    return {"gateway": "other", "heard_at": first.heard_at, "received_at": first.received_at}


OLD_ROWS = (
    "INSERT INTO identities (name) VALUES ('KAM-76348799-1b-16')",
    "INSERT INTO registers (key) VALUES ('volume')",
    "INSERT INTO gateways (name) VALUES ('roof')",
    (
        "INSERT INTO origins (unit, way, quality, gateway, model, decoder)"
        " VALUES ('m3', 'radio', '2.0.0', 'roof', '', '1')"
    ),
    "INSERT INTO counters VALUES ('telegram', 1)",
    "INSERT INTO telegrams VALUES (1, 1, '\\x01', '\\x02', 'stored', '', '2026-01-01 00:00:00+00')",
    (
        "INSERT INTO receptions (telegram, gateway, heard_at, received_at, clock, history)"
        " VALUES (1, 1, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', 'ntp', false)"
    ),
    (
        "INSERT INTO readings VALUES (1, 1, '2026-01-01 00:00:00+00', 3, '2026-01-01 00:00:00+00', 1, 1),"
        " (1, 1, '2025-12-31 23:59:59.999999+00', 2, '2026-01-01 00:00:00+00', 1, 1),"
        " (1, 1, '1999-12-31 23:00:00+00', 1, '2026-01-01 00:00:00+00', 1, 1)"
    ),
    (
        "INSERT INTO details (meter, register, measured_at, text, telegram)"
        " VALUES (1, 1, '2026-01-01 00:00:00+00', 'x', 1)"
    ),
)
