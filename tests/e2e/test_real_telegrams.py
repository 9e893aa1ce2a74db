"""Real telegrams of real meters: Mosquitto -> `nurt run` -> SQLite, compared with what is expected."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from expectations import literals
from publisher import Publisher
from service_process import NurtService, csv_file

from decoders import decode, peek
from decoders.errors import DecodeError
from decoders.shipped_layouts import shipped_layouts
from ingest.frames import normalised
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, Transaction
from metering.reading import Detail, Reading

pytestmark = [pytest.mark.servers, pytest.mark.shared]

FORMS = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TIMES = 2
TOPICS = """topics = [
  { filter = "amr/1/+/up", adapter = "contract" },
  { filter = "wmbus/+/hex", adapter = "hex" },
  { filter = "wmbus/+/rtl", adapter = "rtl_wmbus" },
]
"""


def standard(line: dict[str, object]) -> bool:
    """Whether a corpus line is judged here: standard records, to be relied on (see the corpus' README)."""
    features = line["features"]
    assert isinstance(features, list)
    return (
        bool(line.get("standalone_ok"))
        and not {"mfct_ci", "proprietary_driver"} & set(features)
        and not line.get("depends_on_mfct_data")
    )


@pytest.fixture
def shared_facts(shared_telegrams: Path) -> Path:
    """The folder of facts beside the shared telegrams, or NURT_FACTS."""
    folder = Path(os.environ.get("NURT_FACTS", shared_telegrams.parent / "facts"))
    if not (folder / "meter-models.json").exists():
        pytest.skip(f"the shared facts are not at {folder} (NURT_FACTS)")
    return folder


def forms(number: int, frame: bytes, now: datetime) -> list[tuple[str, bytes]]:
    """One telegram as three kinds of gateway publish it."""
    envelope = {
        "v": 1,
        "k": "frame",
        "boot": "e2e00001",
        "seq": number,
        "ts": now.isoformat().replace("+00:00", "Z"),
        "ts_src": "ntp",
        "mode": "T1",
        "rssi": -70 - number % 20,
        "hex": frame.hex(),
    }
    line = f"T1;1;1;{now:%Y-%m-%d %H:%M:%S}.000;97;148;00000000;0x{frame.hex()}\n"
    return [
        ("amr/1/mast/up", json.dumps(envelope).encode()),
        ("wmbus/attic/hex", frame.hex().encode()),
        ("wmbus/cellar/rtl", line.encode()),
    ]


def test_every_standard_telegram_is_stored_once_and_exactly(
    mosquitto: Callable[..., object],
    nurt_service: Callable[..., NurtService],
    shared_telegrams: Path,
    shared_facts: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Published in three forms, twice and out of order: one telegram each, every literal value exact."""
    broker = mosquitto()
    lines = [
        line
        for line in map(json.loads, (shared_telegrams / "wmbus.jsonl").read_text().splitlines())
        if standard(line)
    ]
    frames = {bytes.fromhex(line["telegram"]): line for line in lines}
    service = nurt_service(broker.port, "[ingest]\nduplicate_window_s = 600.0\n", TOPICS)
    register(service, frames)
    service.start()
    messages = [
        message
        for number, frame in enumerate(frames)
        for message in forms(number, frame, datetime.now(UTC))
        for _ in range(TIMES)
    ]
    random.Random(4).shuffle(messages)
    with Publisher(broker.port) as gateway:
        published = gateway.publish(messages)
    account = service.await_booked(published)
    service.stop()

    totals = Counter[str]()
    for row in account.values():
        assert row["received"] == sum(count for outcome, count in row.items() if outcome != "received")
        totals.update(row)
    assert totals["received"] == published == len(frames) * FORMS * TIMES
    assert totals["duplicate"] == published - len(frames)
    assert totals["foreign"] == totals["quarantined"] == 0

    compared, wrong = Counter[str](), []
    store = service.store()
    with store.reading() as view:
        archived = {telegram.frame: telegram for telegram in view.archive.telegrams(limit=10_000)}
        assert len(archived) == len(frames), "each telegram once"
        for raw, line in frames.items():
            telegram = archived[normalised(raw).data]
            assert {r.gateway for r, _ in telegram.receptions} == {"mast", "attic", "cellar"}
            readings, details = said_by(view, telegram)
            compared[telegram.state] += 1
            for literal in literals(line, shared_facts):
                compared["values"] += 1
                if not literal.is_among(readings, details):
                    wrong.append(
                        (line["driver"], literal.field, literal.expected, telegram.state, telegram.reason)
                    )
            for reading in readings:
                assert isinstance(reading.value, Decimal)
    store.close()
    with capsys.disabled():
        print(f"\nreal telegrams: {len(frames)} distinct, {published} published, {dict(compared)}")
        print(f"{len(wrong)} values not stored: {wrong}")
    assert compared["stored"] == len(frames)
    assert not wrong
    assert compared["values"] == 1124, "all that literally are a record"


def said_by(view: Transaction, telegram: ArchivedTelegram) -> tuple[list[Reading], list[Detail]]:
    """Give what a telegram brought; a dated value that another telegram brought before is its own too."""
    readings, details = view.readings.of_telegram(telegram.id)
    dated = [
        reading
        for register, _unit in view.readings.registers(telegram.meter)
        if register.storage
        for reading in view.readings.series(telegram.meter, register, EPOCH, telegram.heard_at + DAY)
    ]
    return [*readings, *dated], list(details)


def register(service: NurtService, frames: dict[bytes, dict[str, object]]) -> None:
    """Bring meters and keys in, by the commands an operator uses."""
    meters: dict[MeterId, str | None] = {}
    for frame, line in frames.items():
        identity = peek(frame).meter
        meters[identity] = meters.get(identity) or line["key"]  # type: ignore[assignment]
    csv_file(service.folder / "meters.csv", "meter_id", [[str(identity)] for identity in meters])
    keys = [[str(identity), key] for identity, key in meters.items() if key]
    service.command("meters", "import", "meters.csv")
    service.command("keys", "init")
    if keys:
        service.command("keys", "import", str(csv_file(service.folder / "keys.csv", "meter_id,key", keys)))


def test_the_level_of_the_whole_corpus(shared_telegrams: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 281 telegrams at least 230 decode at record level; the others are told by their own names."""
    told, layouts = Counter[str](), shipped_layouts()
    for line in map(json.loads, (shared_telegrams / "wmbus.jsonl").read_text().splitlines()):
        keys = [bytes.fromhex(line["key"])] if line["key"] else []
        try:
            telegram = decode(bytes.fromhex(line["telegram"]), lambda _meter, keys=keys: keys, layouts)
        except DecodeError as error:
            told[error.code] += 1
        else:
            told["decoded" if not telegram.faults else f"fault: {telegram.faults[0].code}"] += 1
    with capsys.disabled():
        print(f"\nwhole corpus: {dict(told)}")
    assert told["decoded"] >= 230
    assert told["manufacturer_specific"] <= 36
    assert told["unknown_layout"] <= 2
