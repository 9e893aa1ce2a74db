"""Reading one message with one adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.adapters import ADAPTERS, Options
from ingest.items import Delivery, Item, Unreadable
from ingest.routes import Route, Router

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FRAME = bytes.fromhex("144443047856341201077a0100000004131e1e0000")


class Reader:
    """``read(payload)``: what an adapter finds; ``read.reasons(payload)``: why it could not."""

    now = NOW
    frame = FRAME

    def __init__(self, adapter: str) -> None:
        self.card = ADAPTERS[adapter]

    def items(
        self, payload: Any, topic: str = "", gateway: str = "roof", *, retained: bool = False, **options: Any
    ) -> list[Item]:
        raw = payload if isinstance(payload, bytes) else payload.encode() if isinstance(payload, str) else b""
        raw = raw or (b"" if isinstance(payload, str | bytes) else json.dumps(payload).encode())
        topic = topic or self.card.example[0]
        said = Options(**options) if options else self.card.sample
        router = Router([Route(topic.replace("#", "_"), self.card.name, gateway, said)])
        return list(router.read(Delivery(topic, raw, NOW, retained=retained)))

    def __call__(self, payload: Any, *where: str, **options: Any) -> list[Any]:
        return [item.said for item in self.items(payload, *where, **options)]

    def one(self, payload: Any, *where: str, **options: Any) -> Any:
        (said,) = self(payload, *where, **options)
        assert not isinstance(said, Unreadable), said
        return said

    def reasons(self, payload: Any, *where: str, **options: Any) -> list[str]:
        said = self(payload, *where, **options)
        return [one.reason if isinstance(one, Unreadable) else "" for one in said]


@pytest.fixture(scope="session")
def reader() -> Callable[[str], Reader]:
    """Make a reader: ``reader("tasmota")``."""
    return Reader
