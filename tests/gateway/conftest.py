"""Gateways as processes, and meters on wires; all end with their test."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from wired_bus import Bus, serve


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
