"""Facts about the hand-over as JSON over HTTPS."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_bridge.export.json_http import JsonHttpTarget, Url, answer_of, envelope, headers_of
from billing_bridge.export.signature import Secret, sign, verify
from billing_bridge.outbox import Accepted, Gone, Refused, Relay, TryLater
from metering.clock import FixedClock
from metering.errors import InvalidValue
from metering.outbox import Message, OutboxItem, OutboxState
from metering.store import memory_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = Secret(bytes(range(32)))
NEXT = Secret(bytes(range(1, 33)))
PAYLOAD = b'{"key":"br:1","volume_m3":"11"}'
ITEM = OutboxItem(
    7,
    "cis",
    "br:1",
    "SP1",
    PAYLOAD,
    sha256(PAYLOAD).digest(),
    OutboxState.PENDING,
    1,
    NOON,
    "w1",
    None,
    "",
    "",
    NOON,
    None,
)


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_envelope_carries_the_read_byte_for_byte():
    body = envelope(ITEM)
    told = json.loads(body)
    assert (told["specversion"], told["id"], told["subject"]) == ("1.0", "br:1", "SP1")
    assert body.endswith(b',"data":' + PAYLOAD + b"}")
    assert envelope(ITEM) == body


def test_a_signature_is_that_of_the_standard():
    """HMAC-SHA256 of id, timestamp and body with dots between, in base64; here as openssl gives it."""
    known = Secret.parse("whsec_" + base64.b64encode(b"twenty-four bytes secret").decode())
    assert (
        sign([known], "msg_1", datetime(2021, 2, 25, tzinfo=UTC), b'{"a":1}')
        == "v1,RqtuUCtBZpLEvzK+cWVFIxF7xUBx6sY1udg1nwP+QX0="
    )


def test_who_holds_the_secret_can_tell_and_nobody_else():
    body = envelope(ITEM)
    headers = lower(headers_of(ITEM, body, [NEXT, SECRET], NOON))
    assert headers["idempotency-key"] == '"br:1"'
    assert verify(SECRET, headers, body, NOON + timedelta(minutes=5))
    assert verify(NEXT, headers, body, NOON)
    assert not verify(Secret(bytes(32)), headers, body, NOON)
    assert not verify(SECRET, headers, body + b" ", NOON)
    assert not verify(SECRET, {**headers, "webhook-id": "br:2"}, body, NOON)
    assert not verify(SECRET, headers, body, NOON + timedelta(minutes=5, seconds=1))
    assert not verify(SECRET, {**headers, "webhook-timestamp": "noon"}, body, NOON)
    assert not verify(SECRET, {}, body, NOON)


def test_a_secret_is_not_shown():
    assert str(list(SECRET.key)) not in repr(SECRET)
    assert repr(SECRET) == "Secret()"
    short = "whsec_" + base64.b64encode(b"short").decode()
    for wrong in ("", "whsec_", "whsec_####", short, "c2VjcmV0" * 5):
        with pytest.raises(InvalidValue) as told:
            Secret.parse(wrong)
        assert str(told.value) == "a webhook secret is whsec_ and base64 of 24 to 64 bytes"


ANSWERS = [
    (200, b'{"key":"br:1"}', Accepted("br:1", None, "", "200")),
    (201, b'{"key":"br:1","sha256":"00ff","receipt":17}', Accepted("br:1", b"\0\xff", "17", "201")),
    (200, b"", TryLater("200, but the answer does not say what was accepted")),
    (200, b"[]", TryLater("200, but the answer does not say what was accepted")),
    (200, b'{"key":"br:1","sha256":"zz"}', TryLater("200, but the answer does not say what was accepted")),
    (409, b"", TryLater("409")),
    (500, b"", TryLater("500")),
    (503, b"", TryLater("503")),
    (410, b"", Gone("410: gone")),
    (422, b"key reused\nwith other content", Refused("422: key reused with other content")),
    (400, b"", Refused("400")),
    (302, b"", Refused("302")),
]


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS)
def test_what_an_answer_means(status, body, expected):
    assert answer_of(status, {}, body) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("999999", 86_400), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None)],
)
def test_retry_after_in_seconds_is_obeyed_for_a_day_at_most(text, seconds):
    wait = None if seconds is None else timedelta(seconds=seconds)
    assert answer_of(429, {"retry-after": text}, b"") == TryLater("429", wait)


@given(st.integers(100, 599), st.binary(max_size=60), st.text(max_size=12))
def test_any_answer_is_one_of_four(status, body, retry):
    assert isinstance(answer_of(status, {"retry-after": retry}, body), Accepted | TryLater | Refused | Gone)


def test_reads_are_sent_to_https_only_or_to_this_machine():
    assert Url.parse("https://cis.example/reads?x=1") == Url(True, "cis.example", 443, "/reads?x=1")
    assert Url.parse("http://127.0.0.1:8080") == Url(False, "127.0.0.1", 8080, "/")
    refused = [
        "http://cis.example/",
        "ftp://cis.example/",
        "cis.example",
        "https://",
        "https://[::1",
        "http://a:b",
    ]
    for wrong in refused:
        with pytest.raises(InvalidValue):
            Url.parse(wrong)
    with pytest.raises(InvalidValue) as told:
        Url.parse("https://user:hunter2@cis.example/")
    assert "hunter2" not in str(told.value)


def test_nothing_is_sent_unsigned():
    with pytest.raises(InvalidValue, match="no secret"):
        JsonHttpTarget(name="cis", url=Url.parse("https://cis.example"), secrets=[], clock=FixedClock(NOON))


class Billing(BaseHTTPRequestHandler):
    """A billing system: checks the signature, books each key once, answers as it is told."""

    booked: dict[str, bytes]
    statuses: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = lower(dict(self.headers.items()))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200 and not verify(SECRET, headers, body, NOON + timedelta(seconds=5)):
            status = 401
        if status == 0:
            return  # the connection just ends
        key = json.loads(body)["id"]
        if status == 200:
            assert self.booked.setdefault(key, body) == body
        said = json.dumps({"key": key, "receipt": f"R{len(self.booked)}"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def billing():
    handler = type("Fresh", (Billing,), {"booked": {}, "statuses": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, name="billing")
    thread.start()
    yield server, handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.servers
def test_a_read_reaches_a_real_server_once_whatever_it_answers_first(billing):
    server, handler = billing
    handler.statuses += [503, 0, 409, 429]
    clock = FixedClock(NOON)
    store = memory_store(clock)
    url = Url.parse(f"http://127.0.0.1:{server.server_port}/reads")
    target = JsonHttpTarget(name="cis", url=url, secrets=[SECRET], clock=FixedClock(NOON))
    relay = Relay(store=store, target=target, clock=clock, owner="w1", chance=lambda: 0)
    with store.writing() as tx:
        tx.outbox.put([Message("cis", "br:1", "SP1", PAYLOAD)], NOON)
    for _ in range(5):
        assert relay.run_once() == 1
        with store.reading() as tx:
            due = tx.outbox.next_due("cis")
        clock.set(due or clock.now())
    with store.reading() as tx:
        told = [one.outcome for one in tx.outbox.attempts("cis", "br:1")]
        done = tx.outbox.item("cis", "br:1")
    store.close()
    assert told == ["503", "no answer: RemoteDisconnected", "409", "429", "200"]
    assert (done.state, done.receipt) == (OutboxState.DELIVERED, "R1")
    assert list(handler.booked) == ["br:1"]


@pytest.mark.servers
def test_redirects_are_not_followed_and_a_closed_port_is_tried_again(billing):
    server, handler = billing
    handler.statuses += [302]
    url = Url.parse(f"http://127.0.0.1:{server.server_port}/")
    target = JsonHttpTarget(name="cis", url=url, secrets=[SECRET], clock=FixedClock(NOON))
    assert isinstance(target.send(ITEM), Refused)
    nobody = Url.parse("http://127.0.0.1:1/")
    closed = JsonHttpTarget(name="cis", url=nobody, secrets=[SECRET], clock=FixedClock(NOON))
    assert closed.send(ITEM) == TryLater("no answer: ConnectionRefusedError")
