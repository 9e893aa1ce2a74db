"""Servers the benches start themselves: Mosquitto, and PostgreSQL that syncs as a real one does."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
_SETTINGS = {  # those docs/operating.md gives for a machine of this size
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
}


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """Run Mosquitto; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        "max_queued_bytes 0\nmax_inflight_messages 1000\n"
    )
    process = subprocess.Popen(
        [MOSQUITTO, "-c", str(folder / "mosquitto.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """Run PostgreSQL on a socket in a temporary folder; gives the URL of its empty database."""
    folder = Path(mkdtemp(prefix="nurt-bench-pg-", dir="/var/tmp"))
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
    if user:
        subprocess.run(["chown", user, folder], check=True)

    def run(program: str, *arguments: str) -> None:
        command = [str(POSTGRESQL[-1].with_name(program)), *arguments, "-D", str(folder / "data")]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    try:
        run("initdb", "-U", "nurt", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"{options} -k {folder}", "start")
        yield f"postgresql://nurt@/postgres?host={folder}"
        run("pg_ctl", "-m", "fast", "stop")
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)
