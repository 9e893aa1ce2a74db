"""InfluxDB away, frozen and killed, the service killed between both commits: both stores agree afterwards.

Short here; `make faults-influx` runs the long form: a minute away and two hundred kills.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Self

import pytest
from publisher import Publisher
from series_servers import SeriesServer, influxdb
from service_process import NurtService, csv_file

from decoders.build import build
from decoders.wmbus import encode
from metering.meter import MeterId
from metering.reading import Register
from metering.store.series.address import Access
from metering.store.series.comparing import compare
from metering.store.series.influx import InfluxSeries
from metering.store.sql.series_queue import SeriesQueue

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("NURT_INFLUX_KILLS", "3"))
AWAY_S = float(os.environ.get("NURT_INFLUX_AWAY_S", "2"))
SEED = int(os.environ.get("NURT_SEED", "20"))
METERS = [MeterId("SEN", f"{number:08d}", "68", "07") for number in range(1, 21)]
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 50


class Load:
    """A gateway that publishes a steady stream; remembers what the broker took over."""

    def __init__(self, port: int, pause_s: float = 0.02) -> None:
        self.published: list[tuple[MeterId, int]] = []
        self._port, self._pause_s = port, pause_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        sequence = 0
        with Publisher(self._port) as gateway:
            for round_ in range(1, 100_000):
                for start in range(0, len(METERS), 5):
                    if self._done.is_set():
                        return
                    some = METERS[start : start + 5]
                    gateway.publish([("amr/1/roof/up", message(some, round_, sequence))])
                    sequence += len(some)
                    self.published += [(meter, round_) for meter in some]
                    time.sleep(self._pause_s)


def message(meters: list[MeterId], round_: int, sequence: int) -> bytes:
    """An uplink of a telegram each; the index tells which round it is of."""
    at = (START + timedelta(hours=round_)).isoformat().replace("+00:00", "Z")
    record = encode.record(b"\x13", Decimal(round_).scaleb(-3), field=4)
    items = [
        {
            "v": 1,
            "k": "frame",
            "boot": "k111b001",
            "seq": sequence + number,
            "ts": at,
            "ts_src": "ntp",
            "hex": build(meter, record, access=round_ % 256).hex(),
        }
        for number, meter in enumerate(meters, 1)
    ]
    return json.dumps(items).encode()


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[SeriesServer]:
    with influxdb(tmp_path / "influx") as server:
        server.ask('CREATE DATABASE "nurt"')
        yield server


@pytest.fixture
def broker(mosquitto: Callable[..., object]) -> object:
    return mosquitto()


@pytest.fixture
def service(tmp_path: Path, broker, influx: SeriesServer) -> Iterator[NurtService]:
    made = NurtService(
        tmp_path,
        broker.port,
        f'[ingest]\nbatch_items = {BATCH}\nbatch_seconds = 0.1\n[series]\nkind = "influxdb"\n'
        f'url = "{influx.url}"\nwrite_api = "v1"\ntimeout_s = 2\n',
    )
    csv_file(tmp_path / "meters.csv", "meter_id", [[str(meter)] for meter in METERS])
    made.command("meters", "import", "meters.csv")
    yield made
    made.kill()


def both_agree(service: NurtService, influx: SeriesServer, published: list[tuple[MeterId, int]]) -> None:
    """Stop the service; then each published reading is once in each store, and all are booked once."""
    service.await_booked(len(published), "stored")
    service.stop()
    row = service.account()["roof"]
    assert row["received"] == sum(count for outcome, count in row.items() if outcome != "received")
    assert (row["stored"], row["held"], row["foreign"], row["quarantined"]) == (len(published), 0, 0, 0)
    series = InfluxSeries(Access(influx.url, write_api="v1"))
    store = service.store()
    try:
        queue = SeriesQueue(store.database)
        assert queue.waiting() == 0
        assert all(month.same for month in compare(queue, series).months)
        there = Counter(
            (meter, int(reading.value * 1000))
            for meter in METERS
            for reading in series.series(
                meter, Register("volume"), START, START + timedelta(days=36_500), None
            )
        )
    finally:
        series.close()
        store.close()
    assert set(there) == set(published), "nothing lost, nothing invented"
    assert set(there.values()) == {1}


def booked(service: NurtService) -> int:
    return sum(row["received"] for row in service.account().values())


def test_while_influxdb_is_away_nothing_is_acknowledged_and_nothing_is_lost(service, influx, broker):
    service.start()
    with Load(broker.port) as load:
        service.await_booked(100)
        influx.kill()
        time.sleep(1)  # the batch under way is committed, and waits
        before = booked(service)
        time.sleep(AWAY_S)
        assert booked(service) == before, "no further batch is taken"
        assert service.get("readyz")[0] == 503
        at_most = len(load.published)
        influx.start()
        service.await_booked(at_most)
    both_agree(service, influx, load.published)
    assert service.log().count("series.unavailable") == 1, "told once"
    assert service.log().count("series.available") == 1


def test_killed_between_both_commits_the_series_store_gets_what_it_lacks(service, influx, broker):
    """InfluxDB is frozen: the batch is committed in SQL, its sending hangs. Then both are killed."""
    service.start()
    with Load(broker.port) as load:
        service.await_booked(50)
        influx.freeze()
        store = service.store()
        queue = SeriesQueue(store.database)
        end = time.monotonic() + 60
        while not queue.waiting():
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.5)
        service.kill()
        influx.kill()
        assert queue.waiting() > 0, "committed here, not there"
        store.close()
        influx.start()
        service.start()
        service.await_booked(len(load.published))
    both_agree(service, influx, load.published)


def test_killed_again_and_again_both_stores_agree(service, influx, broker, capsys):
    dice = random.Random(SEED)
    service.start()
    kills: Counter[str] = Counter()
    with Load(broker.port) as load:
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, 0.6))
            victim = dice.choice(["nurt", "influxd", "both"])
            kills[victim] += 1
            if victim != "nurt":
                influx.kill()
            if victim != "influxd":
                service.kill()
            time.sleep(dice.uniform(0, 0.5))
            if victim != "nurt":
                influx.start()
            if victim != "influxd":
                service.start()
    both_agree(service, influx, load.published)
    with capsys.disabled():
        print(f"\nseed {SEED}: kills {dict(kills)}, {len(load.published)} readings, both stores agree")
