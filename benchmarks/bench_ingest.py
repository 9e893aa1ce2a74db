"""Telegrams a second from Mosquitto to committed and acknowledged, on SQLite and on PostgreSQL.

`nurt ingest --workers 2` is started, stopped in its tracks (SIGSTOP) while a publisher fills the broker's
queues for its sessions, and let go: so the publisher does not compete for the two cores, and the start of
the program does not count. The clock runs from there to the commit of the last item. Broker and PostgreSQL
run on the same two cores. Beside it, a bare consumer on the same broker that only counts and acknowledges.
"""

from __future__ import annotations

import json
import os
import signal
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
from typing import NamedTuple

import sqlalchemy as sa
from figures import Figure
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions
from servers import MOSQUITTO, POSTGRESQL, broker, postgresql

from decoders.build import build
from decoders.wmbus.encode import record
from ingest.roster import members_of
from metering.clock import SystemClock
from metering.meter import Meter, MeterId
from metering.store import SqlStore, create_master_key, load_master_key, upgrade

METERS = 1000
TELEGRAMS = {100: 60_000, 1: 20_000}
"""By the number of telegrams in an uplink."""
WORKERS = 2
START = datetime(2026, 1, 1, tzinfo=UTC)
THINGSBOARD = "ThingsBoard publishes 33,333 data points/s on 36 cores"


def figures() -> Iterator[Figure]:
    """Measure; nothing if Mosquitto is not installed."""
    if not Path(MOSQUITTO).exists():
        yield Figure("MQTT to committed", float("nan"), "telegrams/s", "Mosquitto is not installed")
        return
    for name in ("SQLite", "PostgreSQL") if POSTGRESQL else ("SQLite",):
        for per_message in (100, 1):
            yield from _one(name, per_message)


def _one(name: str, per_message: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, broker(Path(folder)) as port:
        payloads = messages(per_message)
        with database(name, Path(folder)) as url:
            ran = ingested(Path(folder), url, port, payloads, TELEGRAMS[per_message])
        bare = bare_consumer(port, payloads)
    said = f"uplinks of {per_message}, 4 readings a telegram, half encrypted (mode 5), {WORKERS} workers"
    yield Figure(f"Mosquitto to committed and acknowledged, {name}", ran.rate, "telegrams/s", said)
    yield Figure("  the same in data points", 4 * ran.rate, "readings/s", THINGSBOARD)
    room = f"workers, broker, database together: {2e6 / ran.work_us:,.0f} telegrams/s fill two cores"
    yield Figure("  processor time of a telegram", ran.work_us, "us", room)
    yield Figure("  peak memory of all its processes", ran.peak_mb, "MB", "at most 400")
    remark = f"we commit {ran.rate / per_message / bare:.0%} of that"
    yield Figure("  a bare consumer that counts", bare, "messages/s", remark)


class Run(NamedTuple):
    """What one run gave.

    Attributes:
        rate: telegrams a second.
        work_us: processor time a telegram took in all processes, microseconds.
        peak_mb: memory of ours at most, MB.
    """

    rate: float
    work_us: float
    peak_mb: float


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if name == "SQLite":
        yield f"sqlite:///{folder}/data/nurt.db"
        return
    with postgresql() as url:
        yield url


# --- what is sent --------------------------------------------------------------------------------


def frames(number: int) -> Iterator[bytes]:
    """Telegrams of a thousand meters, every second meter's encrypted."""
    for one in range(number):
        meter, litres = identity(one % METERS), one
        payload = (
            record(b"\x13", Decimal(litres).scaleb(-3), field=4)
            + record(b"\x13", Decimal(litres // 2).scaleb(-3), field=4, storage=1)
            + record(b"\x3b", Decimal(litres % 500).scaleb(-3), field=2)
            + record(b"\x5a", Decimal(123).scaleb(-1), field=2)
        )
        secret = {"mode": 5, "key": key(one % METERS)} if one % 2 else {}
        yield build(meter, payload, access=one // METERS % 256, **secret)


def identity(number: int) -> MeterId:
    return MeterId("SEN", f"{number:08d}", "68", "07")


def key(number: int) -> bytes:
    """A key for a throw-away meter."""
    return number.to_bytes(16, "big")


def messages(per_message: int, number: int | None = None) -> list[bytes]:
    items = [
        {
            "v": 1,
            "k": "frame",
            "boot": "be4c0001",
            "seq": one,
            "ts": (START + timedelta(seconds=one)).isoformat().replace("+00:00", "Z"),
            "ts_src": "ntp",
            "rssi": -70,
            "hex": frame.hex(),
        }
        for one, frame in enumerate(frames(number or TELEGRAMS[per_message]))
    ]
    return [
        json.dumps(items[first : first + per_message]).encode() for first in range(0, len(items), per_message)
    ]


# --- nurt ----------------------------------------------------------------------------------------


def ingested(folder: Path, url: str, port: int, payloads: Sequence[bytes], telegrams: int) -> Run:
    """Let `nurt ingest` drain full queues."""
    store = deployment(folder, url, port)
    process = started(folder)
    try:
        wait_until(lambda: listening(store) == WORKERS, "the workers did not subscribe")
        tell(process.pid, signal.SIGSTOP)
        publish(payloads, port)
        before = work_s(url)
        tell(process.pid, signal.SIGCONT)
        rate = drained(store, telegrams)
        work = work_s(url) - before
        peak = sum(peak_mb(pid) for pid in family(process.pid))
    finally:
        process.terminate()
        process.wait(30)
        store.close()
    return Run(rate, work / telegrams * 1e6, peak)


def work_s(url: str) -> float:
    """Processor seconds of everything we started so far, and of the database server; without this process."""
    pids = family(os.getpid())[1:]
    if "host=" in url:
        server = Path(url.partition("host=")[2]) / "data" / "postmaster.pid"
        pids += family(int(server.read_text().split()[0]))
    return sum(_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def deployment(folder: Path, url: str, port: int) -> SqlStore:
    (folder / "nurt.toml").write_text(
        f"[store]\ndata = {str(folder / 'data')!r}\nurl = {url!r}\n"
        f"[mqtt]\nport = {port}\n[logs]\nlevel = 'error'\n"
        "[anomaly]\nevery_minutes = 0\n"  # a scan would take its time and memory from what is measured
    )
    upgrade(url)
    (folder / "data").mkdir(exist_ok=True)
    create_master_key(folder / "data" / "master.key")
    store = SqlStore(url, SystemClock(), lambda: load_master_key(folder / "data" / "master.key"))
    with store.writing() as transaction:
        transaction.registry.put_meters(Meter(identity(number)) for number in range(METERS))
        transaction.keyring.put([(identity(number), key(number)) for number in range(METERS)])
    return store


def started(folder: Path) -> subprocess.Popen[bytes]:
    """Start `nurt ingest`."""
    nurt = Path(sys.executable).with_name("nurt")
    return subprocess.Popen(
        [nurt, "ingest", "--workers", str(WORKERS)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def listening(store: SqlStore) -> int:
    """Workers that have subscribed."""
    with store.reading() as view:
        return sum(one.listening for one in members_of(view))


def booked(store: SqlStore) -> int:
    """Telegrams committed, duplicates not counted."""
    with store.database.transaction(write=False) as connection:
        return int(connection.scalar(sa.text("SELECT SUM(stored) FROM accounts")) or 0)


def drained(store: SqlStore, telegrams: int) -> float:
    """Telegrams a second from now to the last commit."""
    start = time.perf_counter()
    wait_until(lambda: booked(store) >= telegrams, "the queues were not drained")
    return telegrams / (time.perf_counter() - start)


def wait_until(so: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + 180
    while not so():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {otherwise} in 180 s")
        time.sleep(0.05)  # looking costs a millisecond of the cores that are measured


def family(head: int) -> list[int]:
    """Give a process and all that descend from it."""
    found = [head]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def tell(head: int, what: signal.Signals) -> None:
    """Send a signal to a process and all that descend from it."""
    for one in family(head):
        os.kill(one, what)


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- the broker ----------------------------------------------------------------------------------


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


def publish(payloads: Sequence[bytes], port: int) -> None:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for sent in [client.publish("amr/1/bench/up", payload, qos=1) for payload in payloads]:
        sent.wait_for_publish(120)
    client.disconnect()
    client.loop_stop()


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
