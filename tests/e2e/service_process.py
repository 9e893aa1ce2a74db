"""`nurt run` as a process, the way an operator starts it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from metering.clock import SystemClock
from metering.store import SqlStore

NURT = str(Path(sys.executable).with_name("nurt"))


class NurtService:
    """One deployment: a folder with settings, database and keys, and the process while it runs."""

    def __init__(self, folder: Path, broker_port: int, settings: str = "", topics: str = "") -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._log = folder / "nurt.log"
        (folder / "nurt.toml").write_text(
            f"[store]\ndata = {str(folder / 'data')!r}\n"
            f"[mqtt]\nport = {broker_port}\n{topics}"
            "[web]\nport = 0\n"
            f"{settings}"
        )
        self.command("db", "upgrade")

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run a `nurt` command on this deployment and give what it printed."""
        done = subprocess.run(
            [NURT, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self) -> None:
        """Start `nurt run` and wait until it is ready: store writable, broker connected."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [NURT, "run"], cwd=self.folder, stdout=log, stderr=log, text=True, start_new_session=True
            )
        self._await_ready()

    def _await_ready(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            try:
                if self.get("readyz", timeout=1)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s:\n{self._log.read_text()}")

    @property
    def url(self) -> str:
        """Where its pages are, as it last printed."""
        found = re.findall(r"http://[\d.]+:\d+/", self._log.read_text())
        if not found:
            raise OSError("not announced yet")
        return str(found[-1])

    def get(self, path: str, timeout: float = 10) -> tuple[int, str]:
        """Fetch a page or an API answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def kill(self) -> None:
        """Kill -9: no goodbye, no flush, no handler."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)

    def stop(self) -> float:
        """End it in order; gives the seconds that took."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(10) == 0, self._log.read_text()
        return time.monotonic() - began

    def store(self) -> SqlStore:
        """Open its database beside the process."""
        return SqlStore(f"sqlite:///{self.folder / 'data' / 'nurt.db'}", SystemClock())

    def account(self) -> dict[str, dict[str, int]]:
        """Per gateway: received and the five outcomes."""
        store = self.store()
        try:
            with store.reading() as view:
                return {
                    row.name: {"received": row.received, **{str(k): v for k, v in row.outcomes.items()}}
                    for row in view.ledger.gateways()
                }
        finally:
            store.close()

    def await_booked(
        self, items: int, what: str = "received", seconds: float = 60
    ) -> dict[str, dict[str, int]]:
        """Wait until so many items are booked over all gateways as `what`, and give the account."""
        end = time.monotonic() + seconds
        while True:
            account = self.account()
            if sum(row[what] for row in account.values()) >= items:
                return account
            assert time.monotonic() < end, f"{account}\n{self._log.read_text()[-3000:]}"
            time.sleep(0.1)

    def log(self) -> str:
        """What it said while running."""
        return self._log.read_text()


def csv_file(path: Path, header: str, rows: Sequence[Sequence[str]]) -> Path:
    """Write a file as an operator would."""
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return path


def as_json(text: str) -> object:
    """Read an API answer."""
    return json.loads(text)
