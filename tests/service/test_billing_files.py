"""Hand-over by files, as its settings say and its commands do it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from billing_payloads import reads

from billing_bridge.outbox import enter
from metering.clock import SystemClock
from metering.store import SqlStore
from service import cli

NOW = datetime(2026, 4, 2, tzinfo=UTC)


@pytest.fixture
def nurt(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    said('outgoing = "out"\nevery = "0 s"\n')

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["billing", *arguments])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def said(files: str) -> None:
    Path("nurt.toml").write_text(f'[billing_files]\n{files}[logs]\nlevel = "error"\n')


def outbox_filled() -> list[str]:
    (path,) = Path().rglob("*.db")
    store = SqlStore(f"sqlite:///{path}", SystemClock())
    made = reads(1)
    enter(store, made, "cis", NOW)
    store.close()
    return [read.key for read in made]


def test_reads_leave_as_files_and_answers_are_taken(nurt):
    assert nurt("batches")[1] == "No file waits for an answer.\n"
    january, *_ = outbox_filled()
    code, out, _ = nurt("send")
    assert (code, out.splitlines()[0]) == (0, "0 answers settled, 0 documents fetched")
    assert sorted(file.name for file in Path("out").iterdir()) == [
        "nurt-cis-00000001.csv",
        "nurt-cis-00000001.manifest.json",
    ]
    assert "nurt-cis-00000001.csv  1" in nurt("batches")[1]
    Path("out/nurt-cis-00000001.ack.csv").write_text(f"key;result;receipt;reason\n{january};accepted;R-1;\n")
    assert nurt("send")[1].startswith("1 answers settled")
    assert Path("out/nurt-cis-00000002.csv").exists()


def test_a_file_that_got_lost_is_left_again_as_it_was(nurt):
    nurt("batches")
    outbox_filled()
    nurt("send")
    file = Path("out/nurt-cis-00000001.csv")
    before = file.read_bytes()
    file.unlink()
    assert nurt("batches", "--again", "1")[0] == 0
    assert file.read_bytes() == before
    code, _, err = nurt("batches", "--again", "9")
    assert (code, "there is no batch 9 for cis" in err) == (1, True)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ('outgoing = "nowhere"\n', "nowhere: No such file or directory"),
        ('outgoing = "out"\ntemplate = "mine.toml"\n', "billing_files.template mine.toml cannot be read"),
        ('outgoing = "out"\nform = "xls"\n', "billing_files.form"),
        ('outgoing = "out"\nevery = "often"\n', "'often' is not a length of time"),
        ('outgoing = "out"\nhost = "h"\nhost_key = "AAAA"\n', "ssh-keyscan"),
        ('outgoing = "out"\nhost = "h"\nhost_key = "ssh-ed25519 AAAA"\n', "host needs key_file or"),
        ('outgoin = "out"\n', "outgoin"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_told(nurt, files, told):
    nurt("batches")
    outbox_filled()
    said(files)
    code, _, err = nurt("send")
    assert code == 1
    assert told in err
    assert "Traceback" not in err


def test_a_template_of_one_s_own_is_read_from_its_file(nurt):
    nurt("batches")
    outbox_filled()
    Path("mine.toml").write_text('[[column]]\nname = "LICZNIK"\nfield = "meter.serial"\n')
    said('outgoing = "out"\ntemplate = "mine.toml"\n')
    nurt("send")
    assert Path("out/nurt-cis-00000001.csv").read_text().split() == ["LICZNIK", "76348799"]
