"""JSON over HTTPS: a CloudEvents 1.0 envelope, an Idempotency-Key, a Standard Webhooks signature.

The receiver answers 2xx with ``{"key": ..., "sha256": ..., "receipt": ...}``. The key must be the one that
was sent; digest (of the body's ``data``, as sent, in hexadecimal) and receipt may be left out.

==========================  =======================================
2xx                         accepted, if the answer says which key
409, 429, 5xx, no answer    tried again, no sooner than Retry-After
410                         the target is paused
3xx and other 4xx           refused: redirects are not followed
==========================  =======================================

Source: draft-ietf-httpapi-idempotency-key-header-07; Standard Webhooks 1.0.0; CloudEvents 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import create_default_context
from urllib.parse import urlsplit

from billing_bridge.export.signature import Secret, sign
from billing_bridge.outbox import Accepted, Answer, Gone, Refused, TryLater
from metering.errors import InvalidValue
from metering.outbox import OutboxItem
from metering.ports import Clock

__all__ = ["JsonHttpTarget", "Url", "answer_of", "envelope", "headers_of"]

_TIMEOUT = 20.0
"""Seconds (Standard Webhooks: 15 to 30)."""

_MOST = 64 * 1024
"""What is read of an answer, bytes."""

_NO_ANSWER = "no answer"

_TYPE = "nurt.billing-read.v1"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Url:
    """Where reads are sent: HTTPS, or plain HTTP on this machine only."""

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Url:
        """Read a URL.

        Raises:
            InvalidValue: not one reads may be sent to. A password in it is refused and not repeated.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise InvalidValue("that is not a URL") from None
        if parts.username is not None or parts.password is not None:
            raise InvalidValue("a URL carries no user and password: reads are signed")
        secure = parts.scheme == "https"
        if not host or not (secure or (parts.scheme == "http" and host in _LOOPBACK)):
            raise InvalidValue("reads are sent to https://..., or to http:// on this machine")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, host, port or (443 if secure else 80), path)


def envelope(item: OutboxItem) -> bytes:
    """Give the CloudEvents envelope; ``data`` are the bytes of the read as they are."""
    about = {
        "specversion": "1.0",
        "type": _TYPE,
        "source": "nurt",
        "id": item.key,
        "subject": item.aggregate,
        "time": item.put_at.isoformat(),
        "datacontenttype": "application/json",
    }
    head = json.dumps(about, separators=(",", ":"), ensure_ascii=False)
    return head[:-1].encode() + b',"data":' + item.payload + b"}"


def headers_of(item: OutboxItem, body: bytes, secrets: Sequence[Secret], now: datetime) -> dict[str, str]:
    """Give the headers: the identity stays the same over attempts, the timestamp does not."""
    return {
        "Content-Type": "application/cloudevents+json",
        "Idempotency-Key": f'"{item.key}"',
        "webhook-id": item.key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(secrets, item.key, now, body),
    }


def answer_of(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Say what an answer means. Header names in lower case."""
    if 200 <= status < 300:
        return _acknowledged(status, body)
    if status == 410:
        return Gone("410: gone")
    if status in {408, 409, 425, 429} or status >= 500:
        return TryLater(str(status), _retry_after(headers))
    return Refused(f"{status}: {_words(body)}".rstrip(": "))


class JsonHttpTarget:
    """Sends to one URL; redirects are not followed."""

    def __init__(self, *, name: str, url: Url, secrets: Sequence[Secret], clock: Clock) -> None:
        """Prepare; nothing is opened.

        Args:
            name: of the target.
            url: where to.
            secrets: newest first; each signs, so that the receiver may know any of them.
            clock: the present.

        Raises:
            InvalidValue: no secret.
        """
        if not secrets:
            raise InvalidValue(f"target {name} has no secret to sign with")
        self._name = name
        self._url = url
        self._secrets = tuple(secrets)
        self._clock = clock
        self._idle: list[HTTPConnection] = []

    @property
    def name(self) -> str:
        """Under which messages are put for it."""
        return self._name

    def send(self, item: OutboxItem) -> Answer:
        """Send one message and give the answer."""
        body = envelope(item)
        headers = headers_of(item, body, self._secrets, self._clock.now())
        if self._idle:
            answer = self._over(self._idle.pop(), body, headers)
            if not isinstance(answer, TryLater) or not answer.told.startswith(_NO_ANSWER):
                return answer
        # A connection kept open may have been closed over there meanwhile: that says nothing of the message.
        return self._over(self._connection(), body, headers)

    def _over(self, connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send over a connection, which is kept if the receiver lets it."""
        try:
            connection.request("POST", self._url.path, body, dict(headers))
            response = connection.getresponse()
            answer = _read(response)
        except (OSError, HTTPException) as fault:
            connection.close()
            return TryLater(f"{_NO_ANSWER}: {type(fault).__name__}")
        if response.isclosed() and connection.sock is not None:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Let go of the connections that were kept open."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> HTTPConnection:
        if self._url.secure:
            context = create_default_context()
            return HTTPSConnection(self._url.host, self._url.port, timeout=_TIMEOUT, context=context)
        return HTTPConnection(self._url.host, self._url.port, timeout=_TIMEOUT)


def _read(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return answer_of(response.status, headers, response.read(_MOST))


def _acknowledged(status: int, body: bytes) -> Answer:
    try:
        said = json.loads(body)
        key, digest, receipt = (said.get(name) for name in ("key", "sha256", "receipt"))
        sha256 = bytes.fromhex(digest) if digest is not None else None
    except (ValueError, AttributeError, TypeError, RecursionError):
        return TryLater(f"{status}, but the answer does not say what was accepted")
    return Accepted(str(key), sha256, "" if receipt is None else str(receipt)[:200], str(status))


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Seconds only: a date would need their clock; at most a day."""
    text = headers.get("retry-after", "")
    return (
        timedelta(seconds=min(int(text), 86_400))
        if text.isascii() and text.isdigit() and len(text) < 9
        else None
    )


def _words(body: bytes) -> str:
    return " ".join(body[:200].decode("utf-8", "replace").split())
