"""Gateways as processes that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    """Make gateways: ``gateway(broker, receivers)``, settings as TOML; all end with the test."""
    made: list[AgentProcess] = []

    def make(broker: str, receivers: str, more: str = "") -> AgentProcess:
        made.append(AgentProcess(tmp_path / "gateway", broker, receivers, more))
        return made[-1]

    yield make
    for one in made:
        one.kill()
