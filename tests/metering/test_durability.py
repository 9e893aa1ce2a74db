"""What is committed survives kill -9: a process writes and tells, and is killed in mid-sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from metering.store import upgrade

WRITER = """
import sys
from datetime import UTC, datetime
from metering.clock import SystemClock
from metering.meter import MeterId
from metering.ports import NewTelegram, TelegramState
from metering.store import SqlStore
from metering.uplink import Reception

store = SqlStore(sys.argv[1], SystemClock())
meter = MeterId.parse("KAM-76348799-1b-16")
now = datetime(2026, 3, 1, tzinfo=UTC)
for batch in range(1_000_000):
    new = [
        NewTelegram(meter, b"f", b"f" * 16, TelegramState.STORED, "",
                    [(Reception("roof", now, now, boot="b", seq=batch * 10 + n), None)])
        for n in range(10)
    ]
    with store.writing() as tx:
        tx.archive.add(new)
    print(batch, flush=True)
"""


@pytest.mark.servers
@pytest.mark.parametrize("lines", [1, 7, 40])
def test_everything_told_is_there_after_kill_9(tmp_path, lines):
    """Whole batches, and only whole batches; the file is sound."""
    url = f"sqlite:///{tmp_path}/nurt.db"
    upgrade(url)
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:
        told = [int(process.stdout.readline()) for _ in range(lines)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split()]
    with sqlite3.connect(tmp_path / "nurt.db") as connection:
        found = [seq for (seq,) in connection.execute("SELECT seq FROM receptions ORDER BY seq")]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    assert found == list(range(len(found)))
    assert len(found) % 10 == 0
    assert len(found) >= 10 * (max(told) + 1)
