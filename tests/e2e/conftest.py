"""Deployments that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service_process import NurtService


@pytest.fixture
def nurt_service(tmp_path: Path) -> Iterator[Callable[..., NurtService]]:
    """Make a deployment in the test's folder; a process that is left over is killed."""
    made: list[NurtService] = []

    def make(broker_port: int, settings: str = "", topics: str = "") -> NurtService:
        made.append(NurtService(tmp_path, broker_port, settings, topics))
        return made[-1]

    yield make
    for service in made:
        service.kill()
