"""Looking after what is stored, from the command line: replay, keys, backups, copies."""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from decoders.build import build
from decoders.wmbus.encode import record
from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.routes import Route, Router
from metering.clock import FixedClock, SystemClock
from metering.errors import KeyringError, StoreError
from metering.meter import Meter, MeterId
from metering.ports import KeyPeriod, TelegramState
from metering.store import SqlStore, load_master_key, upgrade
from metering.store.sql import looking_after, rotation
from metering.store.sql.copying import copy, sums
from metering.store.sql.engine import Database
from service import cli, key_rotation
from service.database import next_master_key, open_store
from service.settings_model import StoreSettings

KAM = MeterId.parse("KAM-76348799-1b-16")
OTHER = MeterId.parse("KAM-00000001-1b-16")
KEY = "5d0f8a61c3b7429e90e4a2d1f8367bc5"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = StoreSettings()


@pytest.fixture(autouse=True)
def _place(monkeypatch, tmp_path):
    """An empty working directory and no settings from the machine."""
    for name in [name for name in os.environ if name.startswith("NURT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nurt(capsys):
    """Run one command in this process: exit code, what it said, what it complained."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def deployment(nurt):
    """A database with a readable meter, and a telegram of another that waits for its key."""
    nurt("keys", "init")
    nurt("db", "upgrade")
    store = open_store(SETTINGS, SystemClock())
    with store.writing() as tx:
        tx.registry.put_meters([Meter(KAM), Meter(OTHER)])
        tx.keyring.put([(KAM, bytes.fromhex(KEY))])
    volume = record(b"\x13", Decimal("7.704"), field=4)
    frames = [build(KAM, volume), build(OTHER, volume, mode=5, key=bytes.fromhex(KEY))]
    router = Router([Route("wmbus/+/telegram", "hex")])
    sent = [Delivery("wmbus/roof/telegram", frame.hex().encode(), NOON) for frame in frames]
    Pipeline(store, router=router).accept(sent)
    yield store
    store.close()


def held(store) -> int:
    with store.reading() as view:
        return view.archive.count(TelegramState.HELD)


# --- replay --------------------------------------------------------------------------------------


def test_an_imported_key_reads_what_waited_and_says_so(nurt, deployment):
    assert held(deployment) == 1
    Path("keys.csv").write_text(f"meter_id,key\n{OTHER},{KEY}\n")
    assert nurt("keys", "import", "keys.csv", "--dry-run")[1].endswith("(dry run: nothing stored)\n")
    assert held(deployment) == 1
    code, out, _ = nurt("keys", "import", "keys.csv")
    assert (code, out.splitlines()[-1]) == (0, "1 telegrams that waited are read now.")
    assert held(deployment) == 0


@pytest.mark.usefixtures("deployment")
def test_replay_says_nothing_changes_where_nothing_does(nurt):
    assert nurt("replay", "--dry-run")[:2] == (
        0,
        "2 telegrams looked at, 0 would be healed.\nNothing to change.\n",
    )
    assert nurt("replay")[:2] == (0, "2 telegrams looked at, 0 healed.\nNothing changed.\n")


@pytest.mark.usefixtures("deployment")
def test_replay_shows_the_difference_and_why_before_it_writes(nurt):
    with sqlite3.connect("data/nurt.db") as connection:
        connection.execute("UPDATE readings SET value = '9.9'")
    code, out, _ = nurt("replay", "--dry-run", "--meter", str(KAM), "--since", "2026-03-01")
    assert code == 0
    assert "changed: 1 readings" in out
    assert "1 x value 9.9 -> 7.704" in out
    assert f"{KAM} volume 7.704 m3 at 2026-03-02 12:00:00Z" in out
    assert nurt("replay")[0] == 0
    assert "Nothing to change." in nurt("replay", "--dry-run")[1]


# --- keys ----------------------------------------------------------------------------------------


def test_a_rotated_master_key_opens_every_key_and_the_old_one_none(nurt, deployment):
    old = load_master_key(Path("data/master.key"))
    code, out, _ = nurt("keys", "rotate-master")
    assert (code, out.startswith("1 meter keys are encrypted")) == (0, True)
    assert load_master_key(Path("data/master.key")) != old == load_master_key(Path("data/master.key.before"))
    assert not Path("data/master.key.next").exists()
    again = open_store(SETTINGS, SystemClock())
    with again.reading() as tx:
        assert tx.keyring.keys([KAM])[KAM] == [bytes.fromhex(KEY)]
    again.close()
    stale = SqlStore(SETTINGS.database, SystemClock(), lambda: old)
    with stale.reading() as tx, pytest.raises(KeyringError, match="not the master key"):
        tx.keyring.keys([KAM])
    stale.close()
    with deployment.writing() as tx:  # a service that ran beside it all the time
        assert tx.keyring.keys([KAM])[KAM] == [bytes.fromhex(KEY)]
        assert tx.keyring.put([(KAM, bytes(range(1, 17)))]) == 1


def test_a_rotation_may_be_interrupted_anywhere(deployment, monkeypatch):
    meters = [MeterId("KAM", f"{number:08d}", "1b", "16") for number in range(5)]
    with deployment.writing() as tx:
        tx.keyring.put((meter, bytes.fromhex(KEY)) for meter in meters)
    monkeypatch.setattr(rotation, "_CHUNK", 2)

    def interrupt(_keys: int) -> None:
        raise StoreError("the lights went out")

    with pytest.raises(StoreError):
        key_rotation.rotate(SETTINGS, interrupt)
    assert next_master_key(SETTINGS) is not None
    with deployment.reading() as tx:
        assert len(tx.keyring.keys(meters)) == 5
    assert key_rotation.rotate(SETTINGS) == 4
    fresh = open_store(SETTINGS, SystemClock())
    with fresh.reading() as tx:
        assert len(tx.keyring.keys(meters)) == 5
    fresh.close()


def test_doubtful_keys_in_the_store_are_told_without_showing_any(nurt, deployment):
    with deployment.writing() as tx:
        tx.keyring.put([(OTHER, bytes(16)), (MeterId.parse("KAM-00000002-1b-16"), bytes.fromhex(KEY))])
    code, out, _ = nurt("keys", "check")
    assert code == 0
    assert "3 meters have keys, and each can be opened." in out
    assert f"1 meter ({OTHER}): the key is all zeros" in out
    assert "2 meters (KAM-" in out
    assert ") share one key" in out
    assert KEY not in out


def test_keys_are_listed_with_their_validity_and_without_showing_any(nurt, deployment):
    since = datetime(2026, 3, 1, tzinfo=UTC)
    with deployment.writing() as tx:
        tx.keyring.put_periods([(OTHER, KeyPeriod(bytes(8))), (OTHER, KeyPeriod(bytes.fromhex(KEY), since))])
    code, out, _ = nurt("keys", "list", "--meter", str(OTHER))
    assert code == 0
    _, newest, older = (" ".join(line.split()) for line in out.splitlines())
    assert newest == f"{OTHER} 1 of 2 128 2026-03-01 00:00 UTC further notice yes"
    assert older == f"{OTHER} 2 of 2 64 ever further notice yes"
    assert out.splitlines()[0] in nurt("keys", "list")[1]
    assert KEY not in out
    assert nurt("keys", "list", "--meter", "KAM-99999999-1b-16")[1] == "KAM-99999999-1b-16 has no key.\n"


def test_meters_that_wait_for_a_key_are_listed(nurt, deployment):
    assert nurt("keys", "list", "--waiting")[1].splitlines()[1] == f"{OTHER}  no key is known"
    with deployment.writing() as tx:
        tx.keyring.put([(OTHER, bytes(16))])
    Replay(deployment).mend(OTHER)
    assert nurt("keys", "list", "--waiting")[1].splitlines()[1] == f"{OTHER}  no known key fits"
    with deployment.writing() as tx:
        tx.keyring.put([(OTHER, bytes.fromhex(KEY))])
    Replay(deployment).mend(OTHER)
    assert nurt("keys", "list", "--waiting")[1] == "No telegram waits for a key.\n"


# --- soundness and backups -----------------------------------------------------------------------


@pytest.mark.usefixtures("deployment")
def test_a_sound_database_passes_its_check(nurt):
    assert nurt("db", "check")[0] == 0


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("DELETE FROM receptions", "heard by nobody"),
        ("UPDATE telegrams SET state = 'held'", "held or foreign telegram has readings"),
        ("UPDATE latest SET measured_at = 5", "newest time of a register"),
        ("DELETE FROM meters; DELETE FROM identities", "refer to rows that are not there"),
    ],
)
def test_contradictions_are_found(nurt, harm, sentence):
    with sqlite3.connect("data/nurt.db") as connection:
        connection.executescript(harm)
    code, _, err = nurt("db", "check")
    assert code == 1
    assert sentence in err


def test_a_backup_is_one_moment_while_somebody_writes(deployment, monkeypatch):
    monkeypatch.setattr(looking_after, "_PAGES", 1)
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with deployment.writing() as tx:
                tx.ledger.count("roof", 2, {"stored": 2}, NOON)
                tx.archive.remember_sequences([("roof", "b", number)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        size = looking_after.back_up(deployment.database, Path("backup.db"))
    finally:
        ended.set()
        writer.join()
    assert size == Path("backup.db").stat().st_size > 0
    assert Path("backup.db").stat().st_mode & 0o077 == 0
    copied = Database("sqlite:///backup.db")
    assert looking_after.check(copied) == []
    copied.close()


@pytest.mark.usefixtures("deployment")
def test_a_backup_never_overwrites(nurt):
    Path("backup.db").write_text("precious")
    assert nurt("db", "backup", "backup.db")[0] == 1
    assert Path("backup.db").read_text() == "precious"


def test_a_backup_under_an_older_master_key_is_put_back_and_told(nurt, deployment):
    with deployment.writing() as tx:
        tx.keyring.put([(OTHER, bytes.fromhex(KEY))])
    deployment.close()
    assert nurt("db", "backup", "backup.db")[0] == 0
    assert nurt("keys", "rotate-master")[0] == 0
    code, out, err = nurt("db", "restore", "backup.db")
    assert (code, "data/nurt.db holds what backup.db holds; what was there is kept as" in out) == (0, True)
    assert "it cannot be used yet: this is not the master key" in err


def test_a_backup_put_back_holds_what_it_held(nurt, deployment):
    assert nurt("db", "backup", "backup.db")[0] == 0
    with deployment.writing() as tx:
        tx.registry.put_meters([Meter(MeterId.parse("KAM-00000009-1b-16"))])
    deployment.close()
    assert nurt("db", "restore", "backup.db")[0] == 0
    assert Path("data/nurt.db.before").exists()
    with deployment.reading() as tx:
        assert tx.registry.overview()[1] == 2
    deployment.check()


def test_what_is_no_backup_is_not_put_back(nurt, deployment):
    deployment.close()
    before = Path("data/nurt.db").read_bytes()
    Path("nonsense.db").write_bytes(b"nonsense" * 1000)
    assert nurt("db", "restore", "nonsense.db")[0] == 1
    assert nurt("db", "restore", "gone.db")[0] == 1
    assert Path("data/nurt.db").read_bytes() == before


def test_a_database_in_use_is_not_replaced(nurt, deployment):
    nurt("db", "backup", "backup.db")
    with deployment.reading() as tx:
        tx.registry.overview()
        code, _, err = nurt("db", "restore", "backup.db")
    assert code == 1
    assert "in use" in err


def test_retention_tells_first_and_then_forgets(nurt, deployment):
    router = Router([Route("wmbus/+/telegram", "hex")])
    frame = build(MeterId.parse("KAM-00000055-1b-16"), record(b"\x13", Decimal(1), field=4))
    Pipeline(deployment, router=router).accept([Delivery("wmbus/roof/telegram", frame.hex().encode(), NOON)])
    assert nurt("db", "retention", "--dry-run")[1].startswith("1 foreign telegrams, and 0 counter states")
    assert nurt("db", "retention")[1].startswith("1 foreign telegrams, and 0 counter states")
    assert "registered, went.\nNo months go" in nurt("db", "retention")[1]
    assert nurt("db", "retention")[1].startswith("0 foreign telegrams, and 0 counter")


@pytest.mark.usefixtures("deployment")
def test_months_past_their_time_are_told_first_and_then_go(nurt, monkeypatch):
    """The telegrams of the deployment are of a month long ago."""
    monkeypatch.setenv("NURT_STORE__TELEGRAMS_MONTHS", "1")
    monkeypatch.setenv("NURT_STORE__READINGS_MONTHS", "1")
    would = nurt("db", "retention", "--dry-run")[1].splitlines()[1:]
    assert [line.partition(" before")[0] for line in would] == [
        "2 rows of telegrams",
        "2 rows of receptions",
        "1 rows of readings",
    ]
    assert all(line.endswith("would go (dry run: nothing deleted).") for line in would)
    went = nurt("db", "retention")[1].splitlines()[1:]
    assert [line.partition(" before")[0] for line in went] == [line.partition(" before")[0] for line in would]
    assert nurt("db", "retention")[1].count("0 rows of") == 3
    assert nurt("db", "check")[0] == 0


@pytest.mark.usefixtures("deployment")
def test_telegrams_kept_longer_than_their_readings_are_refused(nurt, monkeypatch):
    monkeypatch.setenv("NURT_STORE__READINGS_MONTHS", "12")
    code, _, err = nurt("db", "retention")
    assert (code, "readings_months needs telegrams_months" in err) == (1, True)


# --- copies --------------------------------------------------------------------------------------


def test_a_copy_holds_the_same(nurt, deployment, tmp_path):
    code, out, _ = nurt("db", "copy", f"sqlite:///{tmp_path}/other.db")
    assert code == 0
    assert out.splitlines()[-1].endswith("other.db holds the same.")
    other = SqlStore(
        f"sqlite:///{tmp_path}/other.db", FixedClock(NOON), lambda: load_master_key(SETTINGS.master_key)
    )
    with other.reading() as tx, deployment.reading() as here:
        assert tx.archive.telegrams() == here.archive.telegrams()
        assert tx.keyring.keys([KAM]) == here.keyring.keys([KAM])
        assert tx.readings.latest(KAM) == here.readings.latest(KAM)
    other.close()


@pytest.mark.usefixtures("deployment")
def test_a_copy_goes_into_an_empty_database_only(nurt, tmp_path):
    target = f"sqlite:///{tmp_path}/other.db"
    nurt("db", "copy", target)
    code, _, err = nurt("db", "copy", target)
    assert code == 1
    assert "already" in err


def test_a_checksum_shows_a_value_that_differs_and_no_order(deployment, tmp_path):
    upgrade(f"sqlite:///{tmp_path}/other.db")
    other = Database(f"sqlite:///{tmp_path}/other.db")
    copied = {one.table: one for one in copy(deployment.database, other)}
    with other.transaction(write=True) as connection:
        connection.exec_driver_sql("UPDATE readings SET value = '7.7040001'")
        changed = {one.table: one for one in sums(connection)}
    assert {name for name in copied if copied[name] != changed[name]} == {"readings"}
    other.close()


@pytest.mark.usefixtures("deployment")
def test_coverage_says_who_was_read(nurt):
    code, out, _ = nurt("coverage")
    assert code == 0
    assert "of 2 meters read within 3 days" in out


# --- no database ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["coverage"],
        ["replay", "--dry-run"],
        ["keys", "list"],
        ["keys", "check"],
        ["workers", "list"],
        ["db", "check"],
        ["db", "backup", "b.db"],
        ["db", "retention", "--dry-run"],
        ["db", "copy", "sqlite:///other.db"],
    ],
)
def test_who_only_looks_makes_no_database(nurt, tmp_path, command):
    code, _, err = nurt(*command)
    assert (code, "there is no database at sqlite:///data/nurt.db yet" in err) == (1, True)
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "other.db").exists()
