"""The corpus of real telegrams, which lies outside the project and may be absent."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2].parent / "shared" / "telegrams"


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], list[dict]]:
    """Give the rows of one file of the corpus: ``corpus("wmbus")``."""
    folder = Path(os.environ.get("NURT_TELEGRAMS", _BESIDE))  # noqa: TID251  tests find the corpus by it

    def rows(name: str) -> list[dict]:
        file = folder / f"{name}.jsonl"
        if not file.exists():
            pytest.skip(f"no corpus of real telegrams at {folder}; NURT_TELEGRAMS says where it lies")
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    return rows
