"""``nurt demo`` as people and scripts run it: a process that ends cleanly and whose account balances."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from metering.clock import SystemClock
from metering.ports import TelegramState
from metering.store import SqlStore, load_master_key

pytestmark = pytest.mark.servers

DEMO = [sys.executable, "-m", "service.cli", "demo", "--no-browser"]
ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1", "NURT_STORE__URL": "sqlite:////nonexistent/real.db"}
CLOSING = re.compile(
    r"published ([\d,]+), received ([\d,]+) = stored ([\d,]+) \+ duplicate ([\d,]+) \+ held ([\d,]+)"
    r" \+ foreign ([\d,]+) \+ quarantined ([\d,]+): the account balances"
)


def run(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=ENVIRONMENT,
    )


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*DEMO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def numbers(output: str) -> list[int]:
    closing = CLOSING.search(output)
    assert closing, output
    return [int(number.replace(",", "")) for number in closing.groups()]


def test_it_ends_by_itself_with_a_balanced_account():
    """Also proves that a database named in the environment is left alone."""
    began = time.monotonic()
    done = run("--for", "8s", "--port", "0")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(r"Nurt runs at http://127\.0\.0\.1:\d+/", done.stdout)
    published, received, *outcomes = numbers(done.stdout)
    assert published == received == sum(outcomes) > 0
    assert time.monotonic() - began < 30


def test_the_data_are_kept_where_asked_with_the_stories_in_them(tmp_path: Path):
    folder = tmp_path / "town"
    done = run("--for", "8s", "--port", "0", "--data", str(folder))
    assert done.returncode == 0, done.stderr
    store = SqlStore(
        f"sqlite:///{folder / 'nurt.db'}", SystemClock(), lambda: load_master_key(folder / "master.key")
    )
    with store.reading() as transaction:
        _, meters = transaction.registry.overview()
        held = transaction.archive.telegrams(state=TelegramState.HELD)
        foreign = transaction.archive.telegrams(state=TelegramState.FOREIGN)
        gateways = transaction.ledger.gateways()
    store.close()
    assert meters == 200 + 2, "the households', and those at the borders of the two districts"
    assert {telegram.reason for telegram in held} == {"wrong_key"}
    assert len({telegram.meter for telegram in foreign}) == 1
    assert {gateway.name: gateway.online for gateway in gateways} == {"gw-dolny": False, "gw-gorny": False}

    again = run("--for", "8s", "--port", "0", "--data", str(folder))
    assert again.returncode == 1
    assert "already holds a database" in again.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_pages_answer_at_once_and_a_signal_ends_it_within_three_seconds(ending: signal.Signals):
    process = start("--port", "0")
    try:
        assert process.stdout is not None
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url
        with urllib.request.urlopen(url[0], timeout=10) as page:
            assert page.status == 200
        time.sleep(1)
        told = time.monotonic()
        process.send_signal(ending)
        output, errors = process.communicate(timeout=20)
        assert time.monotonic() - told < 6  # three seconds on a machine with nothing else to do
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert errors == ""
    published, received, *outcomes = numbers(output)
    assert published == received == sum(outcomes)


def test_a_taken_port_is_told_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--for", "5s", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert "Traceback" not in done.stderr
