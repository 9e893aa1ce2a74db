"""Fixtures of all rooms: no sockets in unit tests, the shared telegrams, a real broker."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_socket
import structlog

hypothesis.settings.register_profile("nurt", deadline=None, print_blob=True)
hypothesis.settings.load_profile("nurt")

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
IN_CI = bool(os.environ.get("CI"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Only tests that say they start servers may open sockets; event loops need their Unix pair."""
    if item.get_closest_marker("servers") is None:
        pytest_socket.disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    pytest_socket.enable_socket()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI everything a test needs is there: a skip is a failure that says what was missing."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo what a command run inside the test set up for logs of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared_telegrams() -> Path:
    """The folder of real telegrams beside the checkout, or NURT_TELEGRAMS."""
    default = Path(__file__).parents[1] / "../shared/telegrams"
    folder = Path(os.environ.get("NURT_TELEGRAMS", default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"the shared telegrams are not at {folder} (NURT_TELEGRAMS)")
    return folder


class Mosquitto:
    """A real broker on a free port of this machine, with a persistent store of its own."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self._folder = folder
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n"
            "persistence true\n"
            f"persistence_location {self._folder}/\n"
            "max_queued_messages 100000\n"
            "sys_interval 1\n"
            + ("user root\n" if os.geteuid() == 0 else "")  # else it could not read our folder
            + ("" if "allow_anonymous" in self._extra else "allow_anonymous true\n")
            + self._extra
        )
        log = (self._folder / "mosquitto.log").open("ab")
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=log, stderr=log)
        log.close()
        _await_port(self.port)

    def log(self) -> str:
        """What it said so far."""
        return (self._folder / "mosquitto.log").read_text()

    def stop(self) -> None:
        """End it in order: it saves its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()


def _await_port(port: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Mosquitto]]:
    """Make brokers: ``mosquitto()`` starts one; all end with the test."""
    if not Path(MOSQUITTO).exists():
        pytest.skip(f"Mosquitto is not installed ({MOSQUITTO})")
    brokers: list[Mosquitto] = []

    def make(extra: str = "") -> Mosquitto:
        brokers.append(Mosquitto(tmp_path_factory.mktemp("mosquitto"), extra))
        brokers[-1].start()
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.stop()
