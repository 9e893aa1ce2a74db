"""Several workers on one database: killed, added, removed in mid-stream; nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import pytest
from deployment import Deployment, compare, until
from gateways import KEY, KEYLESS, Town
from postgresql import PostgreSQL

from metering.ports import TelegramState

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("NURT_FAULT_KILLS", "2"))
LONG = "NURT_FAULT_KILLS" in os.environ
SEED = int(os.environ.get("NURT_SEED", "20"))

Deploy = Callable[..., Deployment]


def database(request: pytest.FixtureRequest, name: str) -> str | None:
    """Give the URL of an empty database; ``None`` = SQLite in the deployment's folder."""
    if name == "sqlite":
        return None
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.database()


@pytest.mark.parametrize("name", ["sqlite", "postgresql"] if LONG else ["postgresql"])
def test_workers_are_killed_one_by_one_and_all_at_once(
    mosquitto: Callable[..., object],
    deploy: Deploy,
    name: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Under load, every second time one worker, which its parent starts again, else the whole crew."""
    dice, broker = random.Random(SEED), mosquitto()
    deployment = deploy(broker.port, database(request, name))
    deployment.register()
    deployment.start("--workers", "2")
    deployment.await_listening(2)
    logins = 2
    with Town(broker.port) as town:
        for kill in range(KILLS):
            until(lambda n=logins: deployment.told("broker.connected") >= n, "all workers are at it again")
            time.sleep(dice.uniform(0.0, 0.7))
            if kill % 2:
                os.kill(dice.choice(deployment.workers), signal.SIGKILL)
                logins += 1
            else:
                deployment.kill()
                deployment.start("--workers", "2")
                logins += 2
    sums = compare(deployment, town)
    assert deployment.stop() < 5
    assert deployment.told("worker.died") == KILLS // 2
    with capsys.disabled():
        print(f"\n{KILLS} kills, seed {SEED}, {name}: {sums}")


@pytest.mark.parametrize("name", ["sqlite", "postgresql"] if LONG else ["sqlite"])
def test_workers_are_added_and_removed_in_mid_stream(
    mosquitto: Callable[..., object],
    deploy: Deploy,
    name: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A second machine comes and goes for good; then the first goes on with one worker instead of two."""
    broker = mosquitto()
    here = deploy(broker.port, database(request, name))
    here.register()
    there = deploy(broker.port, here.url, machine="annex")
    here.start("--workers", "2")
    here.await_listening(2)
    with Town(broker.port, messages_per_s=15) as town:
        there.start("--workers", "1")
        here.await_listening(3)
        refused = here.command("workers", "retire", "nurt-ingest-annex-1", code=1)
        assert "still runs" in refused
        assert there.stop() < 5
        time.sleep(1)  # the broker keeps the share of the one that is gone
        retired = here.command("workers", "retire", "nurt-ingest-annex-1")
        assert int(retired.split()[1]) > 0, "its share waited for it"
        assert here.stop() < 5
        here.start("--workers", "1")
        until(lambda: here.told("worker.retired") == 1, "the second worker's session is given up")
    sums = compare(here, town)
    heal(here)
    assert here.stop() < 5
    with capsys.disabled():
        print(f"\nadded and removed, {name}: {sums}")


def heal(deployment: Deployment) -> None:
    """Import the keys that were missing: the worker that leads reads what was held."""
    deployment.command("keys", "init")
    rows = ["meter_id,key", *(f"{meter},{KEY.hex()}" for meter in KEYLESS)]
    (deployment.folder / "keys.csv").write_text("\n".join(rows) + "\n")
    deployment.command("keys", "import", "keys.csv")

    def held() -> int:
        store = deployment.store()
        try:
            with store.reading() as view:
                return view.archive.count(TelegramState.HELD)
        finally:
            store.close()

    until(lambda: held() == 0, "what was held is read")
