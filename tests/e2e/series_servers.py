"""Series stores of our own on free ports: InfluxDB 1.x and VictoriaMetrics as Debian has them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = {auth}
log-enabled = false
[monitor]
store-enabled = false
"""


class SeriesServer:
    """A server that can be killed and started again on the same port and data."""

    def __init__(self, command: list[str], port: int, folder: Path, health: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command, self._folder, self._health = command, folder, health
        self._process: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=5)

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        for _ in range(300):
            try:
                if self._http.request("GET", self.url + self._health).status < 300:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """Kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)
        self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, but keep its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def ask(self, query: str, login: tuple[str, str] | None = None) -> bytes:
        """Ask InfluxQL of InfluxDB."""
        headers = urllib3.make_headers(basic_auth=":".join(login)) if login else {}
        answer = self._http.request(
            "POST", f"{self.url}/query", fields={"q": query}, encode_multipart=False, headers=headers
        )
        assert answer.status == 200, answer.data
        return answer.data

    def get(self, path: str) -> bytes:
        answer = self._http.request("GET", self.url + path)
        assert answer.status == 200, answer.data
        return answer.data


@contextmanager
def influxdb(folder: Path, *, auth: bool = False) -> Iterator[SeriesServer]:
    program = shutil.which("influxd") or pytest.skip("InfluxDB is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port, rpc = free_port(), free_port()
    text = _CONFIG.format(folder=folder, port=port, rpc=rpc, auth=str(auth).lower())
    (folder / "influxd.conf").write_text(text)
    server = SeriesServer([program, "run", "-config", str(folder / "influxd.conf")], port, folder, "/ping")
    yield from _running(server)


@contextmanager
def victoria(folder: Path) -> Iterator[SeriesServer]:
    program = shutil.which("victoria-metrics") or pytest.skip("VictoriaMetrics is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        program,
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        "-dedup.minScrapeInterval=1ms",
        "-memory.allowedBytes=64MB",
    ]
    yield from _running(SeriesServer(command, port, folder, "/health"))


def _running(server: SeriesServer) -> Iterator[SeriesServer]:
    server.start()
    try:
        yield server
    finally:
        if server._process is not None:
            server.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
