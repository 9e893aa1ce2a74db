"""Schema versions: made, upgraded from any earlier one, refused if newer; all in one transaction."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from metering.clock import FixedClock
from metering.errors import SchemaTooNew, SchemaTooOld, StoreError, StoreUnavailable
from metering.meter import Meter, MeterId
from metering.ports import Outcome, TelegramState
from metering.reading import Register
from metering.store import SqlStore, memory_store, upgrade
from metering.store.sql import versions
from metering.store.sql.engine import Database
from metering.store.sql.schema import SCHEMA, metadata

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
METER = MeterId.parse("KAM-76348799-1b-16")
OLD = sorted(
    (Path(__file__).parents[1] / "databases").glob("schema_*.sql"),
    key=lambda script: int(script.stem.removeprefix("schema_")),
)


def opened(path: Path) -> SqlStore:
    return SqlStore(f"sqlite:///{path}", FixedClock(NOON), lambda: bytes(range(32)))


def from_text(script: Path, folder: Path) -> Path:
    path = folder / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(script.read_text("utf-8"))
    connection.close()
    return path


def tables_of(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: re.sub(r"\s+|\"", " ", sql) for name, sql in rows}


def test_an_empty_file_gets_this_release_s_schema_and_its_folder(tmp_path):
    path = tmp_path / "var lib" / "nurt ż.db"
    assert upgrade(f"sqlite:///{path}") == (0, SCHEMA)
    assert upgrade(f"sqlite:///{path}") == (SCHEMA, SCHEMA)
    store = opened(path)
    store.check()
    assert store.schema() == SCHEMA
    store.close()


def test_the_tables_are_those_the_program_would_make(tmp_path):
    """In what Alembic does not see as well: checks, partial indexes, WITHOUT ROWID."""
    upgrade(f"sqlite:///{tmp_path}/new.db")
    made = sa.create_engine(f"sqlite:///{tmp_path}/made.db")
    metadata.create_all(made)
    made.dispose()
    ours = tables_of(tmp_path / "new.db")
    assert ours.pop("alembic_version")
    wanted = tables_of(tmp_path / "made.db")
    assert ours.keys() == wanted.keys()
    for name, text in ours.items():
        parts, wanted_parts = (sorted(re.split(r", |[()]", one)) for one in (text, wanted[name]))
        assert [part.strip() for part in parts] == [part.strip() for part in wanted_parts], name


def test_the_schema_s_number_is_that_of_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(Path(versions.__file__).parents[1] / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [f"{SCHEMA:04}"]
    numbers = [revision.revision for revision in script.walk_revisions()]
    assert numbers == [f"{number:04}" for number in range(SCHEMA, 0, -1)]


def test_there_is_an_old_database_for_every_schema():
    assert [script.name for script in OLD] == [f"schema_{number}.sql" for number in range(1, SCHEMA + 1)]


@pytest.mark.parametrize("script", OLD, ids=lambda script: script.stem)
def test_what_an_earlier_release_wrote_is_read(tmp_path, script):
    """Everything in it, sealed keys included."""
    path = from_text(script, tmp_path)
    assert upgrade(f"sqlite:///{path}") == (int(script.stem.removeprefix("schema_")), SCHEMA)
    store = opened(path)
    store.check()
    with store.reading() as tx:
        ((row,), found) = tx.registry.overview(search="łąkowa")
        _, (installation,) = tx.registry.details_of(METER)
        (pulses,) = tx.registry.pulse_inputs([("roof", "1")])[("roof", "1")]
        telegrams = tx.archive.telegrams()
        readings, (detail,) = tx.readings.of_telegram(1)
        keys = tx.keyring.keys([METER])[METER]
        cellar, roof = tx.ledger.gateways()
        (item,) = tx.ledger.quarantined()
        known = tx.archive.known_sequences([("roof", "9f3a11c2", n) for n in range(9)])
    store.close()
    assert (row.meter, found, row.held) == (Meter(METER, "cold water", "Garden", "kamstrup-mc21"), 1, 1)
    assert (row.service_point.address, row.last_heard) == ("ul. Łąkowa 1", NOON + timedelta(minutes=1))
    assert (row.last_reading.value, row.last_reading.register) == (Decimal("7.71"), Register("volume"))
    assert (installation.service_point, installation.valid_to) == ("P-1", None)
    assert pulses.index_m3(104) == Decimal("7.51")
    assert [one.state for one in telegrams] == [
        TelegramState.FOREIGN,
        TelegramState.HELD,
        TelegramState.STORED,
    ]
    assert [(heard.gateway, raw) for heard, raw in telegrams[2].receptions] == [
        ("roof", None),
        ("cellar", b"raw"),
    ]
    assert [(r.register.key, str(r.value), r.unit) for r in readings] == [
        ("volume", "7.704", "m3"),
        ("volume/s1", "7.5", "m3"),
        ("volume_flow:maximum", "0.01", "m3/h"),
    ]
    assert detail.text == "2026-03-01"
    assert list(keys) == [bytes(range(16))]
    assert (roof.received, roof.outcomes[Outcome.HELD], cellar.received) == (5, 1, 1)
    assert (item.payload, len(known)) == (b"{", 4)


@pytest.mark.parametrize("script", OLD, ids=lambda script: script.stem)
def test_a_migration_once_released_is_never_edited(tmp_path, script):
    """A schema as it was written then, and as the migrations up to it write it now, are the same."""
    then = tables_of(from_text(script, tmp_path))
    database = Database(f"sqlite:///{tmp_path}/now.db", upgrading=True)
    with database.transaction(write=True) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(versions.__file__).parents[1] / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, f"{int(script.stem.removeprefix('schema_')):04}")
    database.close()
    assert tables_of(tmp_path / "now.db") == then


def test_numbers_and_receptions_of_schema_1_become_spans_and_hearings(tmp_path):
    path = from_text(OLD[0], tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO sequences VALUES (1, '9f3a11c2', 7), (1, '9f3a11c2', 8)")
    connection.close()
    upgrade(f"sqlite:///{path}")
    store = opened(path)
    with store.reading() as tx:
        (gap,) = tx.ledger.gaps("roof")
        (boot,) = tx.ledger.boots("roof")
        (signal, *_) = tx.coverage.signal(METER, NOON, NOON)
    store.close()
    assert (gap.first, gap.last, gap.missing) == (5, 6, 2)
    assert (boot.first, boot.last, boot.came, boot.missing) == (1, 8, 6, 2)
    assert (signal.gateway, signal.heard, signal.mean_rssi_dbm) == ("cellar", 1, -71)


def test_a_newer_database_is_refused_and_not_touched(tmp_path):
    path = from_text(OLD[0], tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0042'")
    connection.close()
    before = path.read_bytes()
    store = opened(path)
    for attempt in (store.check, lambda: upgrade(f"sqlite:///{path}")):
        with pytest.raises(SchemaTooNew, match=r"schema 42, this one knows \d+.*nothing was changed"):
            attempt()
    store.close()
    assert path.read_bytes()[100:] == before[100:]  # the header tells that the file was opened


def test_an_older_database_asks_for_the_upgrade(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    store = opened(path)
    with pytest.raises(SchemaTooOld, match="nurt db upgrade"):
        store.check()
    with pytest.raises(SchemaTooOld, match="nurt db upgrade"), store.reading() as tx:
        tx.ledger.gateways()
    store.close()


def test_another_program_s_database_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('a1b2c3d4')")
    connection.close()
    with pytest.raises(StoreError, match="belongs to another program"):
        upgrade(f"sqlite:///{path}")


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path):
    """All or nothing: here the last table of the first migration is there already."""
    path = tmp_path / "half.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE quarantine (id INTEGER)")
    connection.close()
    with pytest.raises(StoreError, match="quarantine already exists"):
        upgrade(f"sqlite:///{path}")
    assert tables_of(path).keys() == {"quarantine"}


def test_broken_references_undo_an_upgrade(tmp_path, monkeypatch):
    """Foreign keys are off while tables are rebuilt, so they are checked before the commit."""

    def careless(connection):
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE many (one INTEGER REFERENCES one (id))")
        connection.exec_driver_sql("INSERT INTO many VALUES (1)")

    monkeypatch.setattr(versions, "_migrate", careless)
    with pytest.raises(StoreError, match="1 broken rows; nothing was changed"):
        upgrade(f"sqlite:///{tmp_path}/new.db")
    assert tables_of(tmp_path / "new.db") == {}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"folder .* cannot be made"):
        upgrade(f"sqlite:///{tmp_path}/file/below/nurt.db")


def test_a_store_in_memory_is_made_by_the_migrations_and_shares_nothing():
    one, other = (memory_store(FixedClock(NOON)) for _ in range(2))
    one.check()
    with one.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
    with other.reading() as tx:
        assert tx.registry.overview() == ([], 0)
    assert one.schema() == SCHEMA


def test_a_closed_store_opens_again(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/nurt.db")
    store = opened(tmp_path / "nurt.db")
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nurt.db"]
    with store.reading() as tx:
        assert METER in tx.registry.meters([METER])
    store.close()
