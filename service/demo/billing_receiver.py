"""The reference billing receiver: the HTTP side of :mod:`service.demo.billing_books`. Never the product.

==============================  =============================================================
POST /reads                     books a read under its Idempotency-Key; 200 with key, digest, receipt
POST /previews                  prices a read without booking it
GET /documents?after=NUMBER     invoices, corrections, payments, balances, as dated snapshots
GET /reads                      every read in force, for reconciliation
==============================  =============================================================

Each request carries a Standard Webhooks signature; without a good one the answer is 401.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from billing_bridge.export.signature import Secret, verify
from service.demo.billing_books import Books, KeyUsedOtherwise, OutOfOrder, UnknownContract

__all__ = ["Fault", "Receiver", "receiver"]

_MOST = 1024 * 1024
_DATA = re.compile(rb',"data":')

Fault = Callable[[str], int | None]
"""Given a key before it is booked: a status to answer instead, or ``None``."""


class Receiver:
    """A receiver that listens.

    Attributes:
        books: what it booked.
        url: where it is.
        faults: what it answers instead, for tests; ``None`` = it behaves.
        after: called when a read is booked, before the answer; for tests.
    """

    def __init__(self, books: Books, secret: Secret, now: Callable[[], datetime], port: int = 0) -> None:
        """Take the port; nothing is answered before :meth:`serve`."""
        self.books = books
        self.secret = secret
        self.now = now
        self.faults: Fault = lambda _key: None
        self.after: Callable[[str], bytes | None] = lambda _key: None
        self._server = _Server(port, self)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Answer until told to stop."""
        self._server.serve_forever(0.05)

    def stop(self) -> None:
        """Answer no more, and let go of the port."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiver(books: Books, secret: Secret, now: Callable[[], datetime], port: int = 0) -> Iterator[Receiver]:
    """Serve in a thread of its own for as long as the block lasts."""
    made = Receiver(books, secret, now, port)
    thread = Thread(target=made.serve, name="billing-receiver", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(3)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, own: Receiver) -> None:
        self.own = own
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that is gone is no fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    @property
    def _own(self) -> Receiver:
        return cast("_Server", self.server).own

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, _MOST))
        path = urlsplit(self.path).path
        if length > _MOST or path not in {"/reads", "/previews"}:
            self._answer(413 if length > _MOST else 404, {"error": "not here"})
        elif not verify(self._own.secret, _lower(self), body, self._own.now()):
            self._answer(401, {"error": "the signature is not good"})
        elif path == "/previews":
            self._previewed(body)
        else:
            self._booked(self.headers.get("Idempotency-Key", "").strip('"'), body)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if not verify(self._own.secret, _lower(self), b"", self._own.now()):
            self._answer(401, {"error": "the signature is not good"})
        elif asked.path == "/reads":
            self._answer(200, {"reads": self._own.books.held()})
        elif asked.path == "/documents":
            after = parse_qs(asked.query).get("after", ["0"])[0]
            found, last = self._own.books.messages(int(after) if after.isdigit() else 0)
            until = self._own.now().isoformat()
            self._answer(200, {"messages": found, "next": str(last), "complete_until": until})
        else:
            self._answer(404, {"error": "not here"})

    def _previewed(self, body: bytes) -> None:
        try:
            self._answer(200, self._own.books.preview(body))
        except (ValueError, KeyError, TypeError, ArithmeticError):
            self._answer(400, {"error": "that is no read"})

    def _booked(self, key: str, body: bytes) -> None:
        if not key:
            self._answer(400, {"error": "Idempotency-Key is missing"})
            return
        status = self._own.faults(key)
        if status is not None:
            self._answer(status, {"error": "as the test wants it"})
            return
        try:
            booked = self._own.books.book(key, _data(body))
        except KeyUsedOtherwise:
            self._answer(422, {"error": "the key was used with another content"})
        except UnknownContract as point:
            self._answer(422, {"error": f"nobody is billed at {point}"})
        except OutOfOrder as before:
            self._answer(409, {"error": f"{before} has not come yet"})
        else:
            lie = self._own.after(key)
            said = {"key": booked.key, "sha256": booked.sha256, "receipt": booked.receipt}
            self._raw(200, lie if lie is not None else json.dumps(said).encode())

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        self._raw(status, json.dumps(said).encode())

    def _raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing: keys of reads name service points."""


def _lower(request: BaseHTTPRequestHandler) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _data(body: bytes) -> bytes:
    """Give the bytes of the event's ``data``, as they were sent: their digest is acknowledged."""
    start = _DATA.search(body)
    if start is None:
        raise ValueError("no data")
    return body[start.end() : -1]
