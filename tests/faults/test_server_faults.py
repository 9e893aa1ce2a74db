"""Broker, database, disk and clock fail under `nurt ingest`; the books then agree with the gateways'."""

from __future__ import annotations

import itertools
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deployment import Deployment, came, compare, until
from gateways import Town
from postgresql import PROGRAMS, PostgreSQL

pytestmark = pytest.mark.servers

ROUNDS = int(os.environ.get("NURT_FAULT_ROUNDS", "1"))
"""How often each fault happens."""
SEED = int(os.environ.get("NURT_SEED", "20"))

Deploy = Callable[..., Deployment]
Capture = pytest.CaptureFixture[str]


def say(capsys: Capture, fault: str, sums: dict[str, int], times: int = ROUNDS) -> None:
    with capsys.disabled():
        print(f"\n{fault}, {times} times, seed {SEED}: {sums}")


def test_the_broker_is_stopped_and_started(
    mosquitto: Callable[..., object], deploy: Deploy, capsys: Capture
) -> None:
    dice, broker = random.Random(SEED), mosquitto()
    deployment = deploy(broker.port)
    deployment.register()
    deployment.start()
    deployment.await_listening(1)
    with Town(broker.port) as town:
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(0.2, 1.5))
            broker.stop()
            time.sleep(dice.uniform(0.0, 1.5))
            broker.start()
    say(capsys, "Mosquitto stopped and started", compare(deployment, town))
    assert deployment.told("broker.disconnected") > 0
    assert deployment.stop() < 5


@pytest.fixture
def on_postgresql(
    mosquitto: Callable[..., object], deploy: Deploy, postgresql: PostgreSQL
) -> Iterator[tuple[Deployment, int]]:
    """Two workers on PostgreSQL, listening."""
    broker = mosquitto()
    deployment = deploy(broker.port, postgresql.database())
    deployment.register()
    deployment.start("--workers", "2")
    deployment.await_listening(2)
    yield deployment, broker.port
    deployment.kill()


def test_postgresql_is_stopped_killed_and_restarted(
    on_postgresql: tuple[Deployment, int], postgresql: PostgreSQL, capsys: Capture
) -> None:
    """In order, without a checkpoint, by kill -9 of all its processes, and by kill -9 of one of them."""
    dice, (deployment, port) = random.Random(SEED), on_postgresql

    def ours() -> list[int]:
        found = postgresql.ask("SELECT pid FROM pg_stat_activity WHERE datname LIKE 'town%'")
        return [int(str(row[0])) for row in found]

    def kill_one() -> None:
        until(lambda: bool(ours()), "a worker is connected")
        os.kill(dice.choice(ours()), signal.SIGKILL)
        until(postgresql.answers, "the server has recovered by itself")

    def ended(end: Callable[[], None]) -> Callable[[], None]:
        def fault() -> None:
            end()
            time.sleep(dice.uniform(0, 1))
            postgresql.start()

        return fault

    faults = [
        ended(postgresql.stop),
        ended(lambda: postgresql.stop(signal.SIGQUIT)),
        ended(postgresql.kill),
        kill_one,
    ]
    with Town(port) as town:
        for _ in range(ROUNDS):
            for fault in faults:
                time.sleep(dice.uniform(0.1, 1))
                fault()
    say(
        capsys,
        "PostgreSQL stopped, stopped at once, killed, one process of it killed",
        compare(deployment, town),
    )
    assert deployment.told("store.unavailable") > 0, "that it was away is told"
    assert deployment.told("store.available") > 0


def test_postgresql_is_killed_in_a_commit_that_is_durable_but_not_answered(
    on_postgresql: tuple[Deployment, int], postgresql: PostgreSQL, capsys: Capture
) -> None:
    """The batch is tried again though it is stored: each of its items is a repetition then, told as such."""
    deployment, port = on_postgresql
    with Town(port) as town:
        for _ in range(ROUNDS):
            time.sleep(0.5)
            postgresql.hold_commits(hold=True)
            until(lambda: bool(postgresql.in_commit()), "a commit hangs")
            postgresql.kill()
            postgresql.start()
            postgresql.hold_commits(hold=False)
            time.sleep(0.5)
    sums = compare(deployment, town)
    say(capsys, "PostgreSQL killed in a commit", sums)
    assert sums["of them delivered again"] > 0, "what was durable came again and was recognised"


def mount(folder: Path, size_mb: int) -> bool:
    """Mount a file system of its own, where we may."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and not subprocess.run(command, check=False, capture_output=True).returncode


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 24 MB of its own, where we may."""
    folder.mkdir(parents=True)
    mounted = mount(folder, 24)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_the_disk_is_full_for_a_while(
    mosquitto: Callable[..., object], deploy: Deploy, tmp_path: Path, capsys: Capture
) -> None:
    """A disk of its own that a file fills; where we may not mount one, a limit on the size of files."""
    broker = mosquitto()
    with small_disk(tmp_path / "box" / "data"):
        deployment = deploy(broker.port)
        deployment.register()
        deployment.start()
        deployment.await_listening(1)
        with Town(broker.port) as town:
            for number in range(1, ROUNDS + 1):
                time.sleep(0.5)
                with full(deployment):
                    until(lambda n=number: deployment.told("store.unavailable") == n, "the full disk is told")
                    time.sleep(0.5)
                until(lambda n=number: deployment.told("store.available") == n, "it goes on")
        say(capsys, "The disk full", compare(deployment, town))
        assert deployment.stop() < 5


@contextmanager
def full(deployment: Deployment) -> Iterator[None]:
    """Let nothing more be written."""
    data = deployment.folder / "data"
    if os.path.ismount(data):
        fill_disk(data / "filler")
        yield
        (data / "filler").unlink()
    else:
        before = resource.prlimit(deployment.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(deployment.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        yield
        resource.prlimit(deployment.pid, resource.RLIMIT_FSIZE, before)


def fill_disk(filler: Path) -> None:
    """Write to a file until nothing more can be written."""
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096):
            fill(file.fileno(), size)


def fill(file: int, size: int) -> None:
    try:
        while os.write(file, b"\0" * size):
            pass
    except OSError:
        return


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[PostgreSQL]:
    """PostgreSQL whose data and log of transactions lie on a file system of 112 MB of its own."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    if not mount(tmp_path, 1):
        pytest.skip("a file system can be mounted by root only")
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    server = PostgreSQL(disk_mb=112)
    yield server
    server.remove()


def test_the_disk_of_postgresql_is_full_for_a_while(
    mosquitto: Callable[..., object], deploy: Deploy, small_server: PostgreSQL, capsys: Capture
) -> None:
    """Tables cannot grow, or the server stops for want of room for its log; with room again it goes on."""
    broker = mosquitto()
    deployment = deploy(broker.port, small_server.database())
    deployment.register()
    deployment.start("--workers", "2")
    deployment.await_listening(2)
    filler = small_server.folder / "filler"
    stopped = 0

    def told_again(before: int) -> bool:
        fill_disk(filler)  # what the server gave up meanwhile
        return deployment.told("store.unavailable") > before

    with Town(broker.port, messages_per_s=100) as town:
        for _ in range(ROUNDS):
            time.sleep(0.5)
            known, back = deployment.told("store.unavailable"), deployment.told("store.available")
            until(lambda n=known: told_again(n), "the full disk is told")
            time.sleep(0.5)
            filler.unlink()
            stopped += not small_server.answers()
            small_server.start()
            until(lambda n=back: deployment.told("store.available") > n, "it goes on")
    say(
        capsys,
        f"The disk of PostgreSQL full ({stopped} times the server stopped)",
        compare(deployment, town),
    )
    assert deployment.stop() < 5


def test_the_clock_is_stepped(mosquitto: Callable[..., object], deploy: Deploy, capsys: Capture) -> None:
    """A day forward, three back, two forward: what gateways say counts, not what we believe the time is."""
    broker = mosquitto()
    deployment = deploy(broker.port)
    deployment.register()
    program = (sys.executable, str(Path(__file__).with_name("stepped.py")))
    deployment.start(program=program)
    deployment.await_listening(1)
    offset = deployment.folder / "clock-offset"
    with Town(broker.port) as town:
        for _ in range(ROUNDS):
            for hours in (24, -48, 1):
                beside = offset.with_name("new")
                beside.write_text(str(hours * 3600))
                beside.replace(offset)
                time.sleep(0.7)
    say(capsys, "The clock stepped by +24 h, -72 h, +49 h", compare(deployment, town))
    assert deployment.stop() < 5


@pytest.mark.long
def test_a_worker_that_freezes_in_mid_transaction_does_not_stop_the_others(
    on_postgresql: tuple[Deployment, int], postgresql: PostgreSQL, capsys: Capture
) -> None:
    """Its machine was cut off, say: the server gives its transaction up; when it is back, nothing is lost."""
    deployment, port = on_postgresql
    store = deployment.store()
    with store.database.transaction(write=True) as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1min"
    with Town(port) as town:
        frozen, session = frozen_writer(deployment, postgresql)
        postgresql.ask(f"SELECT pg_terminate_backend({session})")  # the minute is over
        before = sum(came(store).values())
        until(lambda: sum(came(store).values()) > before + 100, "the other goes on")
        os.kill(frozen, signal.SIGCONT)
    store.close()
    say(capsys, "A worker frozen in a transaction", compare(deployment, town), times=1)
    assert deployment.stop() < 5


def frozen_writer(deployment: Deployment, postgresql: PostgreSQL) -> tuple[int, int]:
    """Stop a worker in its tracks while it has the writer's lock; give its process and its session."""
    holding = (
        "SELECT a.pid, a.xact_start FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid "
        "WHERE l.locktype = 'advisory' AND l.granted AND a.state LIKE 'idle in transaction%'"
    )
    for worker in itertools.islice(itertools.cycle(deployment.workers), 2000):
        os.kill(worker, signal.SIGSTOP)
        if first := postgresql.ask(holding):
            time.sleep(0.3)
            if postgresql.ask(holding) == first:
                return worker, int(str(first[0][0]))
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("no worker was met in a transaction")


@pytest.mark.long
def test_a_database_that_is_away_slows_the_broker_and_memory_stays_bounded(
    mosquitto: Callable[..., object], deploy: Deploy, postgresql: PostgreSQL, capsys: Capture
) -> None:
    """Much is published meanwhile: it waits at the broker, not with us; that it waits long is told."""
    broker = mosquitto()
    deployment = deploy(broker.port, postgresql.database(), receive_maximum=50)
    deployment.register()
    deployment.start("--workers", "2")
    deployment.await_listening(2)
    store = deployment.store()
    with Town(broker.port) as town:
        until(lambda: sum(came(store).values()) > 0, "something is stored")
        before = max(map(resident_mb, deployment.workers))
        postgresql.stop()
        already = published(town)
        town.hurry(1000)
        until(lambda: deployment.told("ingest.lagging") == 2, "both workers tell that something waits")
        until(lambda: published(town) > already + 5 * 10 * 2 * 50, "ten times what both may have on the way")
        town.hurry(10)
        assert max(map(resident_mb, deployment.workers)) < before + 50
        waiting = [
            int(one) for one in re.findall(r'"waiting": (\d+), "event": "ingest.lagging"', deployment.log())
        ]
        assert max(waiting) <= 50, waiting
        postgresql.start()
    say(capsys, "PostgreSQL away under load", compare(deployment, town), times=1)
    until(lambda: deployment.told("ingest.caught_up") == 2, "both tell that nothing waits any more")
    store.close()
    assert deployment.stop() < 5


def published(town: Town) -> int:
    """How many items both gateways published so far."""
    return sum(map(len, town.published.values()))


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM, MB."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
