"""Importing meters and keys, the database and the settings, from the command line."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from metering.clock import SystemClock
from metering.errors import KeyringError, SchemaTooOld
from metering.meter import MeterId
from metering.store import SqlStore, load_master_key
from service import cli
from service.database import prepared_store
from service.settings_model import StoreSettings

KAM = MeterId.parse("KAM-76348799-1b-16")
KEY = "5d0f8a61c3b7429e90e4a2d1f8367bc5"


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


def meters_file(*ids: object) -> str:
    Path("meters.csv").write_text("\n".join(["meter_id", *map(str, ids)]), encoding="utf-8")
    return "meters.csv"


def keys_file(*rows: tuple[object, str]) -> str:
    lines = [f"{meter},{key}" for meter, key in rows]
    Path("keys.csv").write_text("\n".join(["meter_id,key", *lines]), encoding="utf-8")
    return "keys.csv"


def stored() -> SqlStore:
    return SqlStore("sqlite:///data/nurt.db", SystemClock(), lambda: load_master_key(Path("data/master.key")))


def test_meters_are_imported_once_and_a_dry_run_leaves_no_trace(nurt):
    file = meters_file(KAM, "KAM-00000001-1b-16")
    dry = "meters.csv: 2 new, 0 changed, 0 as before (dry run: nothing stored)\n"
    assert nurt("meters", "import", file, "--dry-run") == (0, dry, "")
    assert not Path("data").exists()
    assert nurt("meters", "import", file) == (0, "meters.csv: 2 new, 0 changed, 0 as before\n", "")
    assert nurt("meters", "import", file) == (0, "meters.csv: 0 new, 0 changed, 2 as before\n", "")
    more = meters_file(KAM, "KAM-00000002-1b-16")
    nurt("meters", "import", more, "--dry-run")
    with stored().reading() as transaction:
        assert transaction.registry.overview()[1] == 2


def test_a_faulty_file_changes_nothing(nurt):
    code, out, err = nurt("meters", "import", meters_file(KAM, "nonsense"))
    assert (code, out) == (1, "")
    assert "row 3, column meter_id: 'nonsense' is not a meter id" in err
    assert not Path("data").exists()
    assert nurt("meters", "import", "gone.csv")[2].endswith(
        "the file cannot be read: No such file or directory\n"
    )


def test_the_master_key_is_made_once_and_for_its_owner_only(nurt):
    assert nurt("keys", "init")[0] == 0
    path = Path("data/master.key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    code, out, err = nurt("keys", "init")
    assert (code, out) == (1, "")
    assert "exists already and was not touched" in err
    assert path.read_bytes() == before


def test_keys_are_stored_and_never_said(nurt):
    nurt("keys", "init")
    file = keys_file((KAM, KEY), ("KAM-00000001-1b-16", "0" * 32))
    said = [
        nurt("keys", "import", file, "--dry-run"),
        nurt("keys", "import", file),
        nurt("keys", "import", file),
    ]
    assert [out for _, out, _ in said] == [
        "keys.csv: 2 new, 0 known already (dry run: nothing stored)\n",
        "keys.csv: 2 new, 0 known already\n",
        "keys.csv: 0 new, 2 known already\n",
    ]
    assert all(
        err == "nurt: keys.csv: row 3: the key is all zeros; is it a placeholder?\n" for _, _, err in said
    )
    assert KEY not in str(said)
    with stored().reading() as transaction:
        assert transaction.keyring.keys([KAM])[KAM] == [bytes.fromhex(KEY)]
    assert bytes.fromhex(KEY) not in Path("data/nurt.db").read_bytes()


def test_without_a_master_key_keys_are_refused_with_what_to_do(nurt):
    code, _, err = nurt("keys", "import", keys_file((KAM, KEY)))
    assert code == 1
    assert "`nurt keys init`" in err
    assert KEY not in err


def test_a_lost_master_key_stops_the_service_before_it_starts(nurt):
    nurt("keys", "init")
    nurt("keys", "import", keys_file((KAM, KEY)))
    Path("data/master.key").unlink()
    with pytest.raises(KeyringError, match=r"master key data/master\.key is missing; put it back"):
        prepared_store(StoreSettings(), SystemClock())
    nurt("keys", "init")
    with pytest.raises(KeyringError, match="not the master key the stored meter keys were encrypted under"):
        prepared_store(StoreSettings(), SystemClock())


def test_the_database_is_made_and_its_version_told(nurt):
    assert nurt("db", "version") == (0, "0\n", "")
    assert not Path("data").exists()
    code, out, _ = nurt("db", "upgrade")
    assert code == 0
    assert out.endswith(": made.\n")
    assert nurt("db", "upgrade")[1].endswith(": nothing to do.\n")
    assert int(nurt("db", "version")[1]) >= 1


def test_a_database_of_a_newer_release_is_refused(nurt):
    nurt("db", "upgrade")
    with sqlite3.connect("data/nurt.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (("db", "upgrade"), ("meters", "import", meters_file(KAM))):
        code, _, err = nurt(*command)
        assert code == 1
        assert "was written by a newer release (schema 9999" in err


def test_an_older_database_is_refused_with_both_ways_out(nurt, monkeypatch):
    nurt("db", "upgrade")
    monkeypatch.setattr("metering.store.sql.versions.SCHEMA", 99)
    with pytest.raises(SchemaTooOld, match="run `nurt db upgrade`, or start with --upgrade"):
        prepared_store(StoreSettings(), SystemClock())


def test_a_file_that_is_no_database_is_told(nurt):
    Path("data").mkdir()
    Path("data/nurt.db").write_text("not a database, but long enough to be looked at " * 40, encoding="utf-8")
    code, _, err = nurt("meters", "import", meters_file(KAM))
    assert code == 1
    assert "is not a SQLite database" in err


def test_settings_are_shown_and_checked(nurt):
    assert nurt("config", "check") == (0, "The defaults: good\n", "")
    Path("nurt.toml").write_text('[mqtt]\npassword_file = "gone"\n', encoding="utf-8")
    assert nurt("config", "check") == (
        1,
        "",
        "nurt: mqtt.password_file gone cannot be read: No such file or directory\n",
    )
    assert 'password_file = "gone"' in nurt("config", "show")[1]
    Path("nurt.toml").write_text("[mqtt]\nhots = 1\n", encoding="utf-8")
    assert nurt("config", "show")[2] == "nurt: nurt.toml:2: unknown setting mqtt.hots; did you mean host?\n"
