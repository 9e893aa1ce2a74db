"""The agent as a whole ends rather than run on deaf, and its command refuses in one sentence."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway_firmware_config.agent.agent import run_agent
from gateway_firmware_config.agent.listening import Listener
from gateway_firmware_config.agent.settings import AgentSettings
from metering.clock import SystemClock
from metering.errors import StoreUnavailable, TelemetryError
from service.cli import app

pytestmark = pytest.mark.servers


def settings(folder: Path, publish_every_s: float = 0.05) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "gateway": {"name": "roof", "data": str(folder)},
            "broker": {"host": "127.0.0.1", "port": 9, "publish_every_s": publish_every_s},
            "receiver": [{"name": "attic", "kind": "cul", "port": "/dev/nowhere"}],
        }
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_a_receivers_thread_dies_the_agent_ends_so_that_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def die(_self: Listener) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Listener, "_run", die)
    with pytest.raises(TelemetryError, match="attic has stopped working"):
        run_agent(settings(tmp_path), SystemClock(), threading.Event())


def test_a_spool_that_cannot_be_made_ends_the_agent_at_once(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        run_agent(settings(tmp_path / "file"), SystemClock(), threading.Event())


def test_an_agent_that_is_told_to_end_ends_though_neither_dongle_nor_broker_is_there(tmp_path: Path):
    ended = threading.Event()
    threading.Timer(0.3, ended.set).start()
    run_agent(settings(tmp_path), SystemClock(), ended)
    assert (tmp_path / "spool.db").exists()


def test_an_agent_that_publishes_once_an_hour_ends_when_it_is_told_to(tmp_path: Path):
    ended = threading.Event()
    threading.Timer(0.3, ended.set).start()
    began = time.monotonic()
    run_agent(settings(tmp_path, publish_every_s=3600), SystemClock(), ended)
    assert time.monotonic() - began < 10


def test_a_port_that_is_not_there_makes_probe_say_so(tmp_path: Path):
    done = CliRunner().invoke(app, ["gateway", "probe", str(tmp_path / "ttyUSB9"), "--listen", "0"])
    assert done.exit_code == 1
    assert "ttyUSB9 cannot be opened: No such file or directory" in done.output
