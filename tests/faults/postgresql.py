"""A PostgreSQL server of our own that can be stopped, killed and made to hang in a commit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp

import psycopg

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class PostgreSQL:
    """One server on a socket in a temporary folder; it syncs as a real one does."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="nurt-fault-pg-"))
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
        self._databases = 0
        if self._user:
            subprocess.run(["chown", self._user, self.folder], check=True)
        self._run("initdb", "-U", "nurt", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c max_connections=40"
        self._run("pg_ctl", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """End it: ``fast`` in order, ``immediate`` without a checkpoint."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill -9 the server and all its processes at once, as a power cut for it would be."""
        server = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in (server, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        while any(
            Path(f"/proc/{pid}/cmdline").exists() and _runs(pid) for pid in (server, *map(int, children))
        ):
            time.sleep(0.01)

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
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(PROGRAMS[-1].with_name(program)), *arguments, "-D", str(self.folder / "data")]
        subprocess.run(command, check=True, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
