"""Gateways as processes, and meters on wires; all end with their test."""

from __future__ import annotations

import contextlib
import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from gateway_street import METERS
from rendered_broker import RenderedBroker
from service_process import NurtService, csv_file
from typer.testing import CliRunner
from wired_bus import Bus, serve

from gateway_firmware_config.fleet import BrokerPlan, Fleet, GatewayPlan
from service.cli import app


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    """Make gateways: ``gateway(broker, receivers)``, settings as TOML; all end with the test."""
    made: list[AgentProcess] = []

    def make(broker: str, receivers: str, more: str = "", **how: Any) -> AgentProcess:
        made.append(AgentProcess(how.pop("folder", tmp_path / "gateway"), broker, receivers, more, **how))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def pseudo_terminal() -> Iterator[Callable[[Bus], str]]:
    """A meter on a pseudo-terminal; gives the port's name."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def attach(bus: Bus) -> str:
        master, port = os.openpty()
        tty.setraw(port)
        threads.append(threading.Thread(target=serve, args=(bus, master, port, ended)))
        threads[-1].start()
        return os.ttyname(port)

    yield attach
    ended.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def broker(mosquitto: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> RenderedBroker:
    """A broker with TLS as rendered for the gateway of the roof."""
    fleet = Fleet(broker=BrokerPlan(host="127.0.0.1"), gateway={"roof": GatewayPlan(profile="agent")})
    return RenderedBroker(fleet, mosquitto, tmp_path_factory.mktemp("rendered"))


@pytest.fixture
def service(broker: RenderedBroker, tmp_path: Path) -> Iterator[NurtService]:
    """The running service behind that broker, the street's meters registered."""
    (tmp_path / "service").mkdir()
    login = "host = '127.0.0.1'\n" + broker.login("nurt").replace(f"port = {broker.port}\n", "")
    nurt = NurtService(tmp_path / "service", broker.port, topics=login)
    csv_file(nurt.folder / "meters.csv", "meter_id", [[str(meter)] for meter in METERS])
    with contextlib.chdir(nurt.folder):
        assert CliRunner().invoke(app, ["meters", "import", "meters.csv"]).exit_code == 0
    try:
        nurt.start()
        yield nurt
    finally:
        nurt.kill()
