"""`nurt gateway run` as a process, the way systemd starts it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

NURT = str(Path(sys.executable).with_name("nurt"))


class AgentProcess:
    """One gateway: a folder with settings and spool, and the process while it runs."""

    def __init__(
        self,
        folder: Path,
        broker: str,
        receivers: str,
        more: str = "",
        *,
        program: tuple[str, ...] = (NURT, "gateway", "run"),
        clock: str = "ntp",
    ) -> None:
        folder.mkdir(exist_ok=True)
        self._program = program
        self.folder = folder
        self.config = folder / "agent.toml"
        self._log = folder / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.config.write_text(
            f"[gateway]\nname = 'roof'\ndata = '{folder}/data'\n"
            f"[broker]\nhost = '127.0.0.1'\nreconnect_max_s = 1\npublish_every_s = 0.2\n{broker}\n"
            f"[clock]\nsource = '{clock}'\n[logs]\nformat = 'json'\n{more}\n{receivers}\n"
        )

    def start(self) -> None:
        """Start; returns at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._program, "--config", str(self.config)], stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill -9: no goodbye, no flush."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)

    def stop(self) -> None:
        """End it in order, as systemd does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(15) == 0, self.log()

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def told(self, event: str, **keys: object) -> int:
        """How often it has told an event with these keys."""
        lines = (line for line in self.log().splitlines() if line.startswith("{"))
        said = (json.loads(line) for line in lines)
        return sum(one["event"] == event and keys.items() <= one.items() for one in said)

    def await_told(self, event: str, times: int = 1, seconds: float = 30, **keys: object) -> None:
        """Wait until it has told an event so often."""
        self.await_(lambda: self.told(event, **keys) >= times, seconds, f"{event} {keys}")

    def await_(self, true: Callable[[], bool], seconds: float = 30, what: str = "") -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not true():
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, f"{what}\n{self.log()[-3000:]}"
            time.sleep(0.05)

    def await_spooled(self, frames: Iterable[bytes]) -> None:
        """Wait until telegrams are in its spool: what is in a line when it hangs up is lost with it."""
        wanted = {frame.hex() for frame in frames}
        self.await_(lambda: wanted <= set(self.spooled()), what=f"{len(wanted)} telegrams in the spool")

    def spooled(self) -> list[str]:
        """The telegrams in its spool, in hex; of pulses nothing."""
        with sqlite3.connect(self.folder / "data" / "spool.db") as db:
            rows = db.execute("SELECT body FROM entries ORDER BY id").fetchall()
        db.close()
        return [entry["hex"] for entry in map(json.loads, (body for (body,) in rows)) if "hex" in entry]
