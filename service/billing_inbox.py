"""What comes back from the billing system: pages of documents, fetched from where the last one ended.

The other side answers ``GET <inbox_url>?after=CURSOR&since=TIME`` with ``{"messages": [...], "next": CURSOR,
"complete_until": TIME}``; ``since`` is the high-water mark, and no cursor begins there. A message is
``{"id", "kind", "number", "as_of", "customer", ...}``, each identity once for ever; numbers are texts. The
request is signed as the reads are (Standard Webhooks 1.0.0).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import create_default_context
from typing import Any
from urllib.parse import urlencode

import orjson

from billing_bridge.export.json_http import Url
from billing_bridge.export.signature import Secret, sign
from metering.billing_accounts import Document, DocumentKind
from metering.errors import TelemetryError
from metering.ports import Clock, Store
from metering.reading import utc
from service.billing_settings import BillingSettings

__all__ = ["BadAnswer", "Inbox", "Page", "document_of", "fetch_held", "page_of", "signed_request"]

_TIMEOUT = 20.0
_MOST = 256 * 1024 * 1024
"""What is read of one answer, bytes."""
_PAGES = 1000


class BadAnswer(TelemetryError):
    """The billing system answered what is not documents."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer.

    Attributes:
        messages: as they came.
        following: where the next page begins; empty = there is none yet.
        complete_until: up to when documents are complete, UTC.
    """

    messages: Sequence[Mapping[str, Any]]
    following: str
    complete_until: datetime | None


class Inbox:
    """Fetches documents; each message is taken in once, with its documents, in one transaction a page."""

    def __init__(self, store: Store, *, source: str, url: Url, secret: Secret, clock: Clock) -> None:
        """Prepare; nothing is opened."""
        self._store = store
        self._source = source
        self._url = url
        self._secret = secret
        self._clock = clock
        self._after = ""

    def fetch(self) -> int:
        """Fetch what is new; gives how many documents were.

        Raises:
            BadAnswer: no answer, or one that is not documents; nothing of that page was stored.
            MessageReused: a message came again with another content.
        """
        new = 0
        with self._store.reading() as tx:
            since = tx.accounts.mark(self._source, "documents")
        for _ in range(_PAGES):
            page = page_of(self._get(self._after, since))
            new += self._take(page)
            if not page.following or page.following == self._after:
                break
            self._after = page.following
        return new

    def _take(self, page: Page) -> int:
        now = self._clock.now()
        documents = [(one, document_of(self._source, one)) for one in page.messages]
        with self._store.writing() as tx:
            fresh = [
                document
                for said, document in documents
                if tx.accounts.receive(self._source, str(said["id"]), _digest(said), now)
            ]
            if page.complete_until is not None:
                tx.accounts.put_mark(self._source, "documents", page.complete_until)
            return tx.accounts.put_documents(fresh)

    def _get(self, after: str, since: datetime | None) -> bytes:
        asked = urlencode({"after": after, "since": since.isoformat() if since else ""})
        path = f"{self._url.path}{'&' if '?' in self._url.path else '?'}{asked}"
        return signed_request(self._url, path, self._secret, self._clock)


def fetch_held(billing: BillingSettings, clock: Clock) -> bytes | None:
    """Fetch what the billing system holds: ``GET`` where reads are sent to; ``None`` if no URL is set.

    Raises:
        BadAnswer: it gives none.
        SettingsError: the secrets cannot be read.
    """
    if billing.url is None:
        return None
    url = Url.parse(billing.url)
    return signed_request(url, url.path, billing.secrets()[0], clock)


def signed_request(url: Url, path: str, secret: Secret, clock: Clock, body: bytes | None = None) -> bytes:
    """Ask the billing system: GET, or POST if there is something to tell; signed as the reads are.

    Raises:
        BadAnswer: no answer, or not 200.
    """
    now = clock.now()
    headers = {
        "Accept": "application/json",
        "webhook-id": path,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign([secret], path, now, body or b""),
    }
    connection = _connection(url)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        told = response.read(_MOST + 1)
    except (OSError, HTTPException) as fault:
        raise BadAnswer(f"{url.host} does not answer: {type(fault).__name__}") from fault
    finally:
        connection.close()
    if response.status != 200 or len(told) > _MOST:
        said = f"status {response.status}" if response.status != 200 else f"more than {_MOST} bytes"
        raise BadAnswer(f"{url.host} gives nothing: {said}")
    return told


def _connection(url: Url) -> HTTPConnection:
    if url.secure:
        return HTTPSConnection(url.host, url.port, timeout=_TIMEOUT, context=create_default_context())
    return HTTPConnection(url.host, url.port, timeout=_TIMEOUT)


def page_of(body: bytes) -> Page:
    """Read an answer.

    Raises:
        BadAnswer: it is not one.
    """
    try:
        said = orjson.loads(body)
        until, messages = said.get("complete_until"), said["messages"]
        named = [one for one in messages if isinstance(one, dict) and one.get("id")]
        page = Page(named, str(said.get("next") or ""), _moment(until) if until else None)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise BadAnswer("the billing system's answer is not a page of documents") from wrong
    if len(named) < len(messages):
        raise BadAnswer("the billing system's answer holds a message without identity")
    return page


def document_of(source: str, said: Mapping[str, Any]) -> Document:
    """Read one message.

    Raises:
        BadAnswer: something in it cannot be; the sentence names it.
    """
    try:
        return Document(
            source=source,
            kind=DocumentKind(said["kind"]),
            number=str(said["number"]),
            as_of=_moment(said["as_of"]),
            customer=str(said["customer"]),
            contract=str(said.get("contract") or ""),
            service_point=str(said.get("service_point") or ""),
            read=said.get("read"),
            issued_on=_day(said.get("issued_on")),
            due_on=_day(said.get("due_on")),
            amount=_amount(said.get("amount")),
            currency=str(said.get("currency") or ""),
            corrects=str(said.get("corrects") or ""),
            content=orjson.dumps(said, option=orjson.OPT_SORT_KEYS),
        )
    except (ValueError, KeyError, TypeError, InvalidOperation) as wrong:
        raise BadAnswer(f"document {str(said.get('id'))[:80]!r} cannot be read: {wrong}") from wrong


def _digest(said: Mapping[str, Any]) -> bytes:
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _moment(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _amount(text: object) -> Decimal | None:
    """Amounts are texts: a JSON number may have been a binary float over there."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"amount {text!r} is no text")
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(f"amount {text!r}")
    return amount
