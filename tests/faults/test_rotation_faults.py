"""The rotation of the master key, killed again and again: every meter key can be opened all the time."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from service_process import NURT

from metering.clock import SystemClock
from metering.meter import MeterId
from metering.store import SqlStore, create_master_key, load_master_key, upgrade

pytestmark = pytest.mark.servers

KEYS = 3000
KILLS = 2
SEED = 20


def test_a_rotation_killed_in_mid_stream_goes_on_and_loses_no_key(tmp_path: Path, capsys) -> None:
    """`kill -9` while keys are being sealed anew; a process that runs with the old key goes on reading."""
    dice, folder = random.Random(SEED), tmp_path / "data"
    url = f"sqlite:///{folder}/nurt.db"
    upgrade(url)
    create_master_key(folder / "master.key")
    old = load_master_key(folder / "master.key")
    keys = {MeterId("SEN", f"{number:08d}", "68", "07"): os.urandom(16) for number in range(KEYS)}
    store = SqlStore(url, SystemClock(), lambda: old)
    with store.writing() as tx:
        tx.keyring.put(keys.items())
    store.close()
    under_way = 0
    for _ in range(KILLS):
        rotation = subprocess.Popen([NURT, "keys", "rotate-master"], cwd=tmp_path, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (folder / "master.key.next").exists() and rotation.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.15))
        rotation.kill()
        rotation.wait(10)
        under_way += (folder / "master.key.next").exists()
        assert f"{KEYS} meters have keys, and each can be opened." in run(tmp_path, "keys", "check")
    run(tmp_path, "keys", "rotate-master")
    new = load_master_key(folder / "master.key")
    assert new != old
    assert not (folder / "master.key.next").exists()
    store = SqlStore(url, SystemClock(), lambda: new)
    with store.reading() as view:
        assert {meter: (key,) for meter, key in keys.items()} == {
            meter: tuple(found) for meter, found in view.keyring.keys(list(keys)).items()
        }
    store.close()
    with capsys.disabled():
        print(f"\nrotation: {KILLS} kills, {under_way} of them with keys under both master keys")


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [NURT, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
