"""Files over a real OpenSSH server: left whole, found again, strangers refused."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest
from billing_payloads import NOW, WARSAW, reads

from billing_bridge.export.batch_relay import BatchRelay
from billing_bridge.export.columns import shipped_template
from billing_bridge.export.csv_form import CsvForm
from billing_bridge.export.drop import DropUnavailable
from billing_bridge.export.sftp import SftpDrop, SftpPlace, host_key
from billing_bridge.outbox import enter
from metering.clock import FixedClock
from metering.errors import InvalidValue
from metering.outbox import OutboxState
from metering.store import memory_store

SSHD = Path("/usr/sbin/sshd")

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not SSHD.exists(), reason="OpenSSH server is not installed"),
]


@dataclass
class Server:
    """An sshd of our own, and how to reach it."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")], stderr=log
            )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "sshd.log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    @property
    def place(self) -> SftpPlace:
        return SftpPlace(
            host="127.0.0.1",
            port=self.port,
            user=getpass.getuser(),
            known_key=(self.folder / "host.pub").read_text(),
            key_file=self.folder / "client",
            outgoing=PurePosixPath(self.folder / "out"),
            incoming=PurePosixPath(self.folder / "out"),
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for name in ("host", "client", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    shutil.copy(tmp_path / "client.pub", tmp_path / "authorized")
    (tmp_path / "out").mkdir()
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd, as root, locks its unprivileged half in
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {tmp_path}/authorized\nStrictModes no\nPasswordAuthentication no\n"
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    made = Server(tmp_path, port)
    made.start()
    yield made
    made.stop()


def test_a_file_is_left_whole_and_found_again(server):
    drop = SftpDrop(server.place)
    content = os.urandom(300_000)
    drop.put("a.csv", b"before")
    drop.put("a.csv", content)
    assert (drop.names(), drop.get("a.csv")) == (["a.csv"], content)
    drop.close()


def test_batches_go_over_sftp_and_come_back_answered(server):
    store, clock = memory_store(FixedClock(NOW)), FixedClock(NOW)
    enter(store, reads(1), "cis", NOW)
    drop = SftpDrop(server.place)
    relay = BatchRelay(
        store=store,
        target="cis",
        form=CsvForm(shipped_template("plain"), WARSAW),
        drop=drop,
        clock=clock,
        every=timedelta(0),
    )
    server.stop()
    with pytest.raises(DropUnavailable, match=rf"{server.place.user}@127.0.0.1:\d+: Connection refused"):
        relay.run_once()
    server.start()
    for number in (1, 2, 3):
        relay.run_once()
        (key,) = batch_keys(store, number)
        answer = server.folder / "out" / f"nurt-cis-{number:08d}.ack.csv"
        answer.write_text(f"key;result;receipt;reason\n{key};accepted;{number};\n")
    relay.run_once()
    with store.reading() as tx:
        assert {item.state for item in tx.outbox.items("cis")} == {OutboxState.DELIVERED}
    drop.close()


def batch_keys(store, number: int) -> tuple[str, ...]:
    with store.reading() as tx:
        batch = tx.batches.batch("cis", number)
        assert batch is not None
        return batch.keys


def test_a_connection_that_broke_is_opened_again(server):
    drop = SftpDrop(server.place)
    drop.put("a.csv", b"1")
    assert server.process is not None
    sessions = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, check=True)
    server.stop()
    for session in sessions.stdout.split():
        os.kill(int(session), signal.SIGKILL)
    with pytest.raises(DropUnavailable):
        drop.put("b.csv", b"2")
    server.start()
    drop.put("b.csv", b"2")
    assert "b.csv" in drop.names()
    drop.close()


def test_a_server_with_another_host_key_gets_nothing(server):
    stranger = replace(server.place, known_key=(server.folder / "stranger.pub").read_text())
    with pytest.raises(DropUnavailable, match="another host key than the one written down; nothing was sent"):
        SftpDrop(stranger).put("a.csv", b"secret")
    assert list((server.folder / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key_file": "stranger"}, "does not let us in"),
        ({"key_file": "nowhere"}, "the key file .*nowhere cannot be used: FileNotFoundError"),
        ({"key_file": "host.pub"}, "the key file .*host.pub cannot be used"),
        ({"key_file": None, "password": "wrong-word"}, "does not let us in"),
    ],
)
def test_who_is_not_let_in_is_told_why_and_no_secret(server, change, told):
    file = change.get("key_file")
    place = replace(server.place, **{**change, "key_file": server.folder / file if file else None})
    with pytest.raises(DropUnavailable, match=told) as fault:
        SftpDrop(place).put("a.csv", b"")
    assert "wrong-word" not in f"{fault.value} {place}"


def test_a_locked_key_is_told(server):
    locked = server.folder / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "abcdef", "-f", str(locked)], check=True)
    with pytest.raises(DropUnavailable, match="wants a passphrase"):
        SftpDrop(replace(server.place, key_file=locked)).names()


def test_what_cannot_be_a_place_is_refused(server):
    assert host_key("[h]:22 ssh-ed25519 AAAA x") == host_key("ssh-ed25519 AAAA") == ("ssh-ed25519", "AAAA")
    with pytest.raises(InvalidValue, match="ssh-keyscan"):
        SftpDrop(replace(server.place, known_key="AAAA"))
    with pytest.raises(InvalidValue, match="neither a key file nor a password"):
        SftpDrop(replace(server.place, key_file=None))


def test_a_folder_that_is_not_there_is_told(server):
    with pytest.raises(DropUnavailable, match="No such file"):
        SftpDrop(replace(server.place, outgoing=PurePosixPath("/nowhere"))).put("a.csv", b"")
