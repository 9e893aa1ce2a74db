"""A PostgreSQL server of our own that can be stopped, killed and made to hang in a commit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp

import psycopg

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class PostgreSQL:
    """One server on a socket in a temporary folder; it syncs as a real one does.

    Args:
        disk_mb: put it on a file system of its own of so many MB; 0 = on the temporary folder's.
    """

    def __init__(self, disk_mb: int = 0) -> None:
        self.folder = Path(mkdtemp(prefix="nurt-fault-pg-"))
        self._disk = bool(disk_mb)
        if disk_mb:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={disk_mb}m", "tmpfs", str(self.folder)]
            subprocess.run(mount, check=True)
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
        self._databases = 0
        if self._user:
            subprocess.run(["chown", self._user, self.folder], check=True)
        small = ("--wal-segsize=1",) if disk_mb else ()
        self._run("initdb", "-U", "nurt", "-A", "trust", "-E", "UTF8", "--no-sync", *small)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, as its parent: who else would notice at once that it died?"""
        options = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "max_connections=40",
            "recovery_init_sync_method=syncfs",
            *(("max_wal_size=8MB", "min_wal_size=2MB") if self._disk else ()),
        )
        command = [str(PROGRAMS[-1].with_name("postgres")), "-D", str(self.folder / "data")]
        command += [part for option in options for part in ("-c", option)]
        end = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < end, (self.folder / "log").read_text()[-2000:]
            # a process of the last one may take a moment to die, and keeps it from starting
            if self._process is None or self._process.poll() is not None:
                with (self.folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(
                        command, user=self._user, cwd=self.folder, stdout=log, stderr=log
                    )
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes connections now."""
        try:
            return bool(self.ask("SELECT 1"))
        except psycopg.Error:
            return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in order, SIGQUIT without a checkpoint."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(60)

    def kill(self) -> None:
        """Kill -9 the server and all its processes at once, as a power cut for it would be."""
        assert self._process is not None
        server = self._process.pid
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in (server, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)

    def database(self) -> str:
        """Make an empty database and give its URL."""
        self._databases += 1
        name = f"town{self._databases}"
        self.ask(f"CREATE DATABASE {name}")
        return f"postgresql://nurt@/{name}?host={self.folder}"

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Execute a statement as the administrator."""
        with psycopg.connect(host=str(self.folder), user="nurt", dbname="postgres", autocommit=True) as admin:
            cursor = admin.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def hold_commits(self, *, hold: bool) -> None:
        """Make commits hang after they are durable: they wait for a standby that is not there."""
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{'nobody' if hold else ''}'")
        self.ask("SELECT pg_reload_conf()")

    def in_commit(self) -> list[int]:
        """Give the server processes that hang in a commit which is durable already."""
        found = self.ask("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        return [int(str(row[0])) for row in found]

    def remove(self) -> None:
        """End it and delete everything."""
        self.stop(signal.SIGQUIT)
        if self._disk:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(PROGRAMS[-1].with_name(program)), *arguments, "-D", str(self.folder / "data")]
        subprocess.run(command, check=True, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL)
