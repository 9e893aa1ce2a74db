"""Frames and deliveries made for the tests of ingest."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from decoders.wmbus.crc import crc16
from decoders.wmbus.encode import record
from ingest.batching import Limits
from ingest.intake import Intake
from ingest.items import Delivery
from ingest.mqtt import MqttSettings
from ingest.pipeline import Pipeline
from ingest.routes import Router
from metering.clock import FixedClock, SystemClock
from metering.errors import StoreUnavailable
from metering.meter import Meter, MeterId
from metering.ports import ArchivedTelegram, Outcome, Quarantined, Transaction
from metering.reading import Register
from metering.store.memory import memory_store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")


def _meter(serial: int = 12345678) -> MeterId:
    return MeterId("ABC", f"{serial:08d}", "01", "07")


def _litres(litres: int, **where: Any) -> bytes:
    return record(b"\x13", Decimal(litres).scaleb(-3), field=4, **where)


def _frame(
    serial: int = 12345678,
    *,
    access: int = 1,
    litres: int = 7704,
    payload: bytes | None = None,
    key: bytes | None = None,
    ci: int = 0x7A,
) -> bytes:
    """A water meter's telegram, short header, L first, no checksums; under ``key`` in security mode 5."""
    payload = _litres(litres) if payload is None else payload
    maker = (1 << 10 | 2 << 5 | 3).to_bytes(2, "little")  # ABC
    address = maker + bytes.fromhex(f"{serial:08d}")[::-1] + b"\x01\x07"
    if ci != 0x7A:  # no header behind other CI fields
        body = b"\x44" + address + bytes([ci]) + payload
        return bytes([len(body)]) + body
    configuration = b"\x00\x00"
    if key is not None:
        payload = b"\x2f\x2f" + payload
        payload += b"\x2f" * (-len(payload) % 16)
        configuration = bytes((len(payload), 0x05))
        cipher = Cipher(algorithms.AES(key), modes.CBC(address + bytes([access]) * 8)).encryptor()
        payload = cipher.update(payload) + cipher.finalize()
    body = b"\x44" + address + b"\x7a" + bytes([access, 0]) + configuration + payload
    return bytes([len(body)]) + body


def _with_crcs(frame: bytes) -> bytes:
    """The same frame in frame format A, as a receiver that leaves the checksums in gives it."""
    blocks = [frame[:10], *(frame[at : at + 16] for at in range(10, len(frame), 16))]
    return b"".join(block + crc16(block).to_bytes(2, "big") for block in blocks)


def _ends_like_format_b() -> bytes:
    """A frame without checksums whose last two bytes are the checksum frame format B would have there."""
    frame = _frame(payload=_litres(7704) + b"\x02\xfd\x08")  # an access number of two bytes
    body = bytes([frame[0] + 2]) + frame[1:]
    return body + crc16(body).to_bytes(2, "big")


def _up(*items: dict[str, Any], gateway: str = "gw1", at: datetime = NOON, **delivery: Any) -> Delivery:
    """A delivery of the contract."""
    payload = json.dumps(items[0] if len(items) == 1 else items).encode()
    return Delivery(f"amr/1/{gateway}/up", payload, at, **delivery)


def _item(frame: bytes, seq: int | None = None, *, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    """A frame item of the contract."""
    number = {} if seq is None else {"boot": "b1", "seq": seq}
    stamp = at.isoformat().replace("+00:00", "Z")
    return {"v": 1, "k": "frame", "ts": stamp, "ts_src": "ntp", "hex": frame.hex(), **number, **fields}


def _bare(frame: bytes, *, gateway: str = "roof", at: datetime = NOON, **delivery: Any) -> Delivery:
    """A delivery of bare hexadecimal: no number, no time."""
    return Delivery(f"wmbus/{gateway}/telegram", frame.hex().encode(), at, **delivery)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders (``make.frame(...)``) and constants (``make.NOON``)."""
    return SimpleNamespace(
        frame=_frame,
        litres=_litres,
        item=_item,
        up=_up,
        meter=_meter,
        with_crcs=_with_crcs,
        ends_like_format_b=_ends_like_format_b,
        bare=_bare,
        LITRE=Decimal("0.001"),
        NOON=NOON,
        KEY=KEY,
    )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def new_store(clock) -> Callable[..., Any]:
    """Make stores in memory; meters 12345678 and 12345679 are registered unless told otherwise."""

    def new(*serials: int, keys: dict[int, bytes] | None = None):
        store = memory_store(clock, lambda: bytes(range(32)))
        with store.writing() as transaction:
            transaction.registry.put_meters(
                Meter(_meter(serial)) for serial in serials or (12345678, 12345679)
            )
            transaction.keyring.put((_meter(serial), key) for serial, key in (keys or {}).items())
        return store

    return new


@pytest.fixture
def store(new_store):
    return new_store()


# --- what came of it -----------------------------------------------------------------------------


def _outcomes(store, *deliveries: Delivery, router: Router | None = None) -> list[str]:
    """Accept deliveries as one batch; how each item ended, ``held wrong_key``."""
    results = Pipeline(store, router=router).accept(deliveries)
    return [f"{result.outcome} {result.reason}".strip() for result in results]


def _volumes(store, meter: MeterId) -> list[tuple[datetime, Decimal]]:
    """The index readings of a meter: time and value."""
    ever = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    with store.reading() as view:
        return [
            (one.measured_at, one.value) for one in view.readings.series(meter, Register("volume"), *ever)
        ]


def _telegrams(store) -> list[ArchivedTelegram]:
    """The whole archive, by number."""
    with store.reading() as view:
        return sorted(view.archive.telegrams(limit=10_000), key=lambda one: one.id)


def _quarantined(store) -> list[Quarantined]:
    """All that was quarantined, newest first."""
    with store.reading() as view:
        return list(view.ledger.quarantined(limit=1000))


def _account(store) -> dict[str, tuple[int, dict[Outcome, int]]]:
    """Per gateway: received, and how many ended as what."""
    with store.reading() as view:
        rows = view.ledger.gateways()
    return {row.name: (row.received, {k: n for k, n in row.outcomes.items() if n}) for row in rows}


def _until(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never happened: {what}"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def see() -> SimpleNamespace:
    """What came of deliveries: ``see.outcomes(store, ...)``, ``see.telegrams(store)``, ..."""
    return SimpleNamespace(
        outcomes=_outcomes,
        volumes=_volumes,
        telegrams=_telegrams,
        quarantined=_quarantined,
        account=_account,
    )


# --- a broker and a store that can be away -------------------------------------------------------


class Gate:
    """A store that can be told to be away, or to stop short of the commit."""

    def __init__(self, store) -> None:
        self._store = store
        self.away = threading.Event()
        self.shut = threading.Event()
        self.inside = threading.Event()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        if self.away.is_set():
            raise StoreUnavailable("the disk is full")
        with self._store.writing() as transaction:
            yield transaction
            self.inside.set()
            while self.shut.is_set():
                time.sleep(0.01)
                if self.away.is_set():
                    raise StoreUnavailable("killed before the commit")

    def reading(self):
        return self._store.reading()

    @property
    def stored(self) -> int:
        return len(_telegrams(self._store))

    @staticmethod
    def until(condition: Callable[[], bool], what: str) -> None:
        """Wait for something to become true."""
        _until(condition, what)


@pytest.fixture
def gate(new_store) -> Gate:
    return Gate(new_store(*range(1000, 1400)))


@pytest.fixture
def intake(gate) -> Iterator[Callable[..., Intake]]:
    """Start intakes on a broker; all end with the test."""
    running: list[Intake] = []

    def start(broker, **settings: Any) -> Intake:
        mqtt = MqttSettings(port=broker.port, reconnect_s=(1, 1), **settings)
        running.append(Intake(Pipeline(gate), mqtt, clock=SystemClock(), limits=Limits(most=50)))
        running[-1].start()
        _until(lambda: running[-1].status.connected, "the intake connects")
        time.sleep(0.1)  # the subscription follows the connection
        return running[-1]

    yield start
    gate.shut.clear()
    for one in running:
        one.stop()
