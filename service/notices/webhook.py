"""Notices to programs: a signed POST (Standard Webhooks 1.0.0)."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import orjson

from billing_bridge.export.signature import Secret, sign
from metering.ports import Clock
from service.notices.port import Message, NotSent

__all__ = ["WebhookChannel"]

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """An address that findings are posted to.

    Attributes:
        url: the address; may hold a token: never logged.
        secret: the posts are signed with.
        clock: the present, for the timestamp that is signed.
        transport: for tests; ``None`` = the network.
    """

    url: str = field(repr=False)
    secret: Secret
    clock: Clock
    transport: httpx.BaseTransport | None = None

    @property
    def name(self) -> str:
        """Name of the channel."""
        return "webhook"

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            NotSent: nobody answered with 2xx.
        """
        body = orjson.dumps(dict(message.body))
        now = self.clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": message.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign([self.secret], message.key, now, body),
        }
        try:
            with httpx.Client(timeout=TIMEOUT_S, transport=self.transport) as client:
                answer = client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as wrong:
            raise NotSent(f"the receiver cannot be reached ({type(wrong).__name__})") from None
        if not answer.is_success:
            raise NotSent(f"the receiver answered {answer.status_code}")
