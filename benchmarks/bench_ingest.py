"""Telegrams a second from Mosquitto to committed and acknowledged, in SQLite.

`nurt ingest` is started, stopped in its tracks (SIGSTOP) while a publisher fills the broker's queue for its
session, and let go: so the publisher does not compete for the two cores, and the start of the program does
not count. The clock runs from there to the commit of the last item. Beside it, a bare consumer on the same
broker that only counts and acknowledges.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from figures import Figure
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from decoders.build import build
from decoders.wmbus.encode import record
from metering.clock import SystemClock
from metering.meter import Meter, MeterId
from metering.store import SqlStore, create_master_key, load_master_key, upgrade

METERS = 1000
TELEGRAMS = 20_000
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
START = datetime(2026, 1, 1, tzinfo=UTC)


def figures() -> Iterator[Figure]:
    """Measure; nothing if Mosquitto is not installed."""
    if not Path(MOSQUITTO).exists():
        yield Figure("MQTT to committed", float("nan"), "telegrams/s", "Mosquitto is not installed")
        return
    for per_message in (100, 1):
        with tempfile.TemporaryDirectory() as folder, broker(Path(folder)) as port:
            rate, peak = ingested(Path(folder), port, per_message)
            bare = bare_consumer(port, messages(per_message))
        yield Figure(
            "Mosquitto to committed and acknowledged, SQLite",
            rate,
            "telegrams/s",
            f"uplinks of {per_message}, 4 readings a telegram, half encrypted (mode 5)",
        )
        yield Figure("  peak memory of the process", peak, "MB")
        yield Figure(
            "  a bare consumer that counts",
            bare,
            "messages/s",
            f"we commit {rate / per_message / bare:.0%} of that",
        )


def frames() -> list[bytes]:
    """Twenty thousand telegrams of a thousand meters, every second one encrypted."""
    made = []
    for number in range(TELEGRAMS):
        meter, litres = identity(number % METERS), number
        payload = (
            record(b"\x13", Decimal(litres).scaleb(-3), field=4)
            + record(b"\x13", Decimal(litres // 2).scaleb(-3), field=4, storage=1)
            + record(b"\x3b", Decimal(litres % 500).scaleb(-3), field=2)
            + record(b"\x5a", Decimal(123).scaleb(-1), field=2)
        )
        secret = {"mode": 5, "key": key(number % METERS)} if number % 2 else {}
        made.append(build(meter, payload, access=number // METERS % 256, **secret))
    return made


def identity(number: int) -> MeterId:
    return MeterId("SEN", f"{number:08d}", "68", "07")


def key(number: int) -> bytes:
    """A key for a throw-away meter."""
    return number.to_bytes(16, "big")


def messages(per_message: int) -> list[bytes]:
    items = [
        {
            "v": 1,
            "k": "frame",
            "boot": "be4c0001",
            "seq": number,
            "ts": (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
            "ts_src": "ntp",
            "rssi": -70,
            "hex": frame.hex(),
        }
        for number, frame in enumerate(frames())
    ]
    return [
        json.dumps(items[first : first + per_message]).encode() for first in range(0, len(items), per_message)
    ]


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        "max_queued_bytes 0\nmax_inflight_messages 1000\n"
    )
    process = subprocess.Popen(
        [MOSQUITTO, "-c", str(folder / "mosquitto.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.terminate()
        process.wait()


def ingested(folder: Path, port: int, per_message: int) -> tuple[float, float]:
    """Let `nurt ingest` drain a full queue; gives telegrams/s and peak memory in MB."""
    database = folder / "data" / "nurt.db"
    deployment(folder, port, database)
    nurt = Path(sys.executable).with_name("nurt")
    process = subprocess.Popen(
        [nurt, "ingest"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        publish([warm_up()], port, until=lambda: booked(database) >= 1)
        process.send_signal(signal.SIGSTOP)
        publish(messages(per_message), port)
        process.send_signal(signal.SIGCONT)
        rate = drained(database)
        peak = peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait(20)
    return rate, peak


def deployment(folder: Path, port: int, database: Path) -> None:
    (folder / "nurt.toml").write_text(
        f"[store]\ndata = {str(folder / 'data')!r}\n[mqtt]\nport = {port}\n[logs]\nlevel = 'error'\n"
    )
    upgrade(f"sqlite:///{database}")
    create_master_key(folder / "data" / "master.key")
    store = SqlStore(
        f"sqlite:///{database}", SystemClock(), lambda: load_master_key(folder / "data" / "master.key")
    )
    with store.writing() as transaction:
        transaction.registry.put_meters(Meter(identity(number)) for number in range(METERS))
        transaction.keyring.put([(identity(number), key(number)) for number in range(METERS)])
    store.close()


def subscribe(client_id: str, port: int) -> None:
    """Open the session the messages wait in, and leave."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    subscribed = threading.Event()
    client.on_connect = lambda *_: client.subscribe("amr/1/+/up", options=SubscribeOptions(qos=1))
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port, clean_start=False, properties=lasting())
    client.loop_start()
    subscribed.wait(10)
    client.disconnect()
    client.loop_stop()


def lasting() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 1000
    return properties


def warm_up() -> bytes:
    """One item, to see that the program is there."""
    return json.dumps({"v": 1, "k": "frame", "boot": "be4c0000", "seq": 1, "hex": frames()[0].hex()}).encode()


def publish(payloads: Sequence[bytes], port: int, until: Callable[[], bool] = lambda: True) -> None:
    """Publish; again and again, the same numbers each time, until what is waited for is so."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for _ in range(300):
        for sent in [client.publish("amr/1/bench/up", payload, qos=1) for payload in payloads]:
            sent.wait_for_publish(120)
        if until():
            break
        time.sleep(0.1)
    client.disconnect()
    client.loop_stop()


def booked(database: Path) -> int:
    """Telegrams committed, duplicates not counted."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM telegrams WHERE state = 'stored'").fetchone()[0])
    finally:
        connection.close()


def drained(database: Path) -> float:
    """Telegrams a second from now to the last commit."""
    start, before = time.perf_counter(), booked(database)
    while time.perf_counter() - start < 180:
        stored = booked(database)
        if stored >= TELEGRAMS + 1:
            return (stored - before) / (time.perf_counter() - start)
        time.sleep(0.02)
    raise SystemExit("bench: the queue was not drained in 180 s")


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def bare_consumer(port: int, payloads: Sequence[bytes]) -> float:
    """Messages a second of a client that acknowledges and counts, nothing else."""
    subscribe("bare", port)
    publish(payloads, port)
    client = Client(CallbackAPIVersion.VERSION2, client_id="bare", protocol=MQTTv5, manual_ack=True)
    times: list[float] = []
    done = threading.Event()

    def count(_client: Client, _data: object, message: object) -> None:
        client.ack(message.mid, 1)  # type: ignore[attr-defined]
        times.append(time.perf_counter())
        if len(times) == len(payloads):
            done.set()

    client.on_message = count
    client.connect("127.0.0.1", port, clean_start=False, properties=lasting())
    client.loop_start()
    done.wait(120)
    client.disconnect()
    client.loop_stop()
    return len(times) / (times[-1] - times[0])
