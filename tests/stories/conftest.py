"""What stories are told with: a store on SQLite and on PostgreSQL, a street of houses, a billing system."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from metering.clock import FixedClock
from metering.store import SqlStore, upgrade


def _contracts():
    """The contracts' own PostgreSQL server: one way to start it is enough."""
    name = "contracts_conftest"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).parents[1] / "contracts" / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


postgresql = _contracts().postgresql


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/nurt.db"
    emptied: Callable[[], str] = request.getfixturevalue("postgresql")
    return emptied()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of this release's schema, to be copied: made once, not once a story."""
    path = tmp_path_factory.mktemp("empty") / "nurt.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(url: str, clock: FixedClock, made_once: Path, tmp_path: Path) -> Iterator[SqlStore]:
    if url.startswith("sqlite"):
        shutil.copyfile(made_once, tmp_path / "nurt.db")
    else:
        upgrade(url)
    opened = SqlStore(url, clock, lambda: bytes(range(32)))
    yield opened
    opened.close()
