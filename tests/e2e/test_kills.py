"""`kill -9` of `nurt run` in mid-stream: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from publisher import Publisher
from service_process import NurtService, csv_file

from decoders.build import build
from decoders.wmbus import encode
from metering.meter import MeterId
from metering.reading import Register

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("NURT_KILLS", "20"))
SEED = int(os.environ.get("NURT_SEED", "20"))
METERS = [MeterId("SEN", f"{number:08d}", "68", "07") for number in range(1, 41)]
ITEMS_PER_MESSAGE = 5
START = datetime(2026, 1, 1, tzinfo=UTC)


def frame(meter: MeterId, round_: int) -> bytes:
    """A telegram whose index tells which it is: litres = round."""
    return build(meter, encode.record(b"\x13", Decimal(round_).scaleb(-3), field=4), access=round_ % 256)


def stream(rounds: Sequence[int]) -> Iterator[tuple[str, bytes, list[tuple[MeterId, int]]]]:
    """Give messages of several items; each meter once a round, an hour apart, numbered by the gateway."""
    sequence = 0
    for round_ in rounds:
        for first in range(0, len(METERS), ITEMS_PER_MESSAGE):
            items, said = [], []
            for meter in METERS[first : first + ITEMS_PER_MESSAGE]:
                sequence += 1
                at = START + timedelta(hours=round_)
                items.append(
                    {
                        "v": 1,
                        "k": "frame",
                        "boot": "k111b001",
                        "seq": sequence,
                        "ts": at.isoformat().replace("+00:00", "Z"),
                        "ts_src": "ntp",
                        "hex": frame(meter, round_).hex(),
                    }
                )
                said.append((meter, round_))
            yield "amr/1/roof/up", json.dumps(items).encode(), said


def test_killed_in_mid_stream_every_item_is_stored_once(
    mosquitto: Callable[..., object],
    nurt_service: Callable[..., NurtService],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Published under load while the process is killed again and again; then counted."""
    dice = random.Random(SEED)
    broker = mosquitto()
    service = nurt_service(broker.port, "[ingest]\nbatch_items = 50\nbatch_seconds = 0.1\n")
    csv_file(tmp_path / "meters.csv", "meter_id", [[str(meter)] for meter in METERS])
    service.command("meters", "import", "meters.csv")
    published: list[tuple[MeterId, int]] = []
    done = threading.Event()

    def publish() -> None:
        with Publisher(broker.port) as gateway:
            for topic, payload, said in stream(range(1, 100_000)):
                if done.is_set():
                    return
                gateway.publish([(topic, payload)])
                published.extend(said)
                time.sleep(0.01)  # a steady stream, whatever the machine: some 500 items a second

    service.start()
    load = threading.Thread(target=publish, name="publisher")
    load.start()
    try:
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.05, 0.6))
            service.kill()
            service.start()
    finally:
        done.set()
        load.join()
    service.await_booked(len(published), "stored")
    service.stop()
    account = service.account()

    stored = Counter[tuple[MeterId, int]]()
    store = service.store()
    with store.reading() as view:
        for meter in METERS:
            for reading in view.readings.series(
                meter, Register("volume"), START, START + timedelta(days=36_500)
            ):
                stored[meter, int(reading.value * 1000)] += 1
                assert reading.measured_at == START + timedelta(hours=int(reading.value * 1000))
        telegrams = Counter(
            (telegram.meter, telegram.heard_at) for telegram in view.archive.telegrams(limit=10_000_000)
        )
    store.close()
    with capsys.disabled():
        print(f"\nkills: {KILLS}, seed {SEED}: {len(published)} items published, account {account}")
    assert set(stored) == set(published), "nothing lost, nothing invented"
    assert set(stored.values()) == {1}, "every reading once"
    assert set(telegrams.values()) == {1}, "every telegram once"
    assert len(telegrams) == len(published)
    row = account["roof"]
    assert row["received"] == sum(count for outcome, count in row.items() if outcome != "received")
    assert row["stored"] == len(published)
    assert row["held"] == row["foreign"] == row["quarantined"] == 0
