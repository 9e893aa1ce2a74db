"""The gateway agent at fifty telegrams a second: processor time and memory; framings and spool beside it.

An emulated iM871A on a pseudo-terminal speaks to `nurt gateway run`, which publishes to a real Mosquitto with
a subscriber. The agent's processor time is read from the kernel before and after.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_ingest import peak_mb, subscribe
from figures import Figure, best_seconds
from servers import MOSQUITTO, broker

from gateway_firmware_config.agent.envelope import item_of
from gateway_firmware_config.agent.framings import RECEIVERS
from gateway_firmware_config.agent.framings.checksums import crc16_x25
from gateway_firmware_config.agent.moment import Moment
from gateway_firmware_config.agent.received import Frame
from gateway_firmware_config.agent.spool import Spool
from metering.uplink import ClockSource

PER_SECOND = 50
SECONDS = 20
WARM_UP_S = 5
FRAMES = 5_000


def figures() -> Iterator[Figure]:
    """Measure; the agent itself only if Mosquitto is installed."""
    yield framing()
    yield spool()
    if not Path(MOSQUITTO).exists():
        yield Figure("Gateway agent", float("nan"), "%", "Mosquitto is not installed")
        return
    with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as port:
        subscribe("bench", port)
        share, memory, waiting = agent(Path(folder), port)
        most = "gzip = true\n[orders]\npublic_key = '" + "00" * 32 + "'\n"
        packed, obedient, _ = agent(Path(folder), port, most)
    yield Figure(
        "Gateway agent, processor time",
        share * 100,
        "% of a core",
        f"{PER_SECOND} telegrams/s from an iM871A to Mosquitto, each on disk before it is published",
    )
    yield Figure("  peak memory of the process", memory, "MB", f"{waiting} telegrams waiting in the end")
    yield Figure("  processor time, messages packed, orders obeyed", packed * 100, "% of a core", "")
    yield Figure("  peak memory, messages packed, orders obeyed", obedient, "MB", "")


def telegram(number: int) -> bytes:
    """An iM871A message with a telegram of sixty bytes, checksum and signal strength."""
    frame = (
        bytes.fromhex("442d2c") + number.to_bytes(4, "little") + bytes.fromhex("01077a2a000000") + bytes(46)
    )
    message = bytes((0xC2, 0x03, len(frame))) + frame + b"\x65"
    return b"\xa5" + message + crc16_x25(message).to_bytes(2, "little")


def framing() -> Figure:
    """Bytes of an iM871A in portions of sixty-four -> frames."""
    stream = b"".join(telegram(number) for number in range(FRAMES))

    def read() -> None:
        reader = RECEIVERS["im871a"].reader(None)
        found = sum(len(reader.feed(stream[at : at + 64])) for at in range(0, len(stream), 64))
        assert found == FRAMES

    return Figure("iM871A framing", FRAMES / best_seconds(read), "telegrams/s")


def spool() -> Figure:
    """Groups of ten, each on the disk before the next."""
    now = Moment(0, 0, "bench", ClockSource.NTP)
    group = [item_of(Frame(telegram(number)[4:]), now) for number in range(10)]
    with tempfile.TemporaryDirectory() as folder:
        kept = Spool(Path(folder) / "spool.db", "be4c0001")
        seconds = best_seconds(lambda: [kept.add(group) for _ in range(20)])
        kept.close()
    return Figure("Spool, groups of ten, each synced to disk", 200 / seconds, "telegrams/s")


def agent(folder: Path, port: int, more: str = "") -> tuple[float, float, int]:
    """Give the share of a core, peak memory in MB, and what waits in the spool in the end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    config = folder / "agent.toml"
    config.write_text(
        f"[gateway]\nname = 'bench'\ndata = '{folder}/agent'\n"
        f"[broker]\nhost = '127.0.0.1'\nport = {port}\n{more}"
        f"[clock]\nsource = 'ntp'\n[logs]\nlevel = 'error'\n"
        f"[[receiver]]\nname = 'bench'\nkind = 'im871a'\nport = '{os.ttyname(slave)}'\n"
    )
    with running(config) as process:
        time.sleep(WARM_UP_S)
        speak(master, 2)
        before, began = processor_s(process.pid), time.monotonic()
        speak(master, SECONDS)
        share = (processor_s(process.pid) - before) / (time.monotonic() - began)
        memory = peak_mb(process.pid)
        time.sleep(3)
    with sqlite3.connect(folder / "agent" / "spool.db") as db:
        [[kept]] = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'")
        [[waiting]] = db.execute("SELECT count(*) FROM entries")
    db.close()
    shutil.rmtree(folder / "agent")
    if kept != (SECONDS + 2) * PER_SECOND:
        raise SystemExit(f"bench: {(SECONDS + 2) * PER_SECOND} telegrams said, {kept} spooled")
    return share, memory, waiting


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    nurt = shutil.which("nurt", path=str(Path(sys.executable).parent))
    process = subprocess.Popen([str(nurt), "gateway", "run", "--config", str(config)])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def speak(master: int, seconds: int) -> None:
    began = time.monotonic()
    for number in range(seconds * PER_SECOND):
        time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        os.write(master, telegram(number))


def processor_s(pid: int) -> float:
    """Seconds of processor time a process has had, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
