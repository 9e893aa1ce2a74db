"""Deployments and servers that end with their test."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deployment import Deployment
from postgresql import PROGRAMS, PostgreSQL

LONG = "NURT_FAULT_ROUNDS" in os.environ
"""Whether this is the long form, `make faults`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to the long form what says so."""
    left = [item for item in items if item.get_closest_marker("long") and not LONG]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """One server for all tests here: each gets a database of its own, and leaves the server running."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    server = PostgreSQL()
    yield server
    server.remove()


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Make deployments; a process that is left over is killed."""
    made: list[Deployment] = []

    def make(broker_port: int, url: str | None = None, machine: str = "box", **more: int) -> Deployment:
        made.append(Deployment(tmp_path / machine, broker_port, url, machine=machine, **more))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def free_port() -> int:
    """A TCP port nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
