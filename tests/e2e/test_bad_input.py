"""Bad input through a running service: each item ends quarantined or held with a reason; nothing suffers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from publisher import Publisher
from service_process import NurtService, as_json, csv_file

from decoders.build import build
from decoders.wmbus.encode import record
from metering.meter import MeterId

pytestmark = pytest.mark.servers

METER = MeterId("SEN", "12345678", "68", "07")
KEY, OTHER_KEY = bytes(range(16)), bytes(range(1, 17))
TOPICS = """topics = [
  { filter = "amr/1/+/up", adapter = "contract" },
  { filter = "amr/1/+/+/up", adapter = "contract" },
  { filter = "wmbus/+/hex", adapter = "hex" },
]
"""


def telegram(key: bytes = KEY, litres: int = 7704) -> bytes:
    payload = record(b"\x13", Decimal(litres).scaleb(-3), field=4)
    return build(METER, payload, access=litres % 256, mode=5, key=key)


def test_each_bad_input_ends_with_its_reason_and_the_good_one_is_stored(
    mosquitto: Callable[..., object], nurt_service: Callable[..., NurtService], tmp_path: Path
) -> None:
    """Noise, truncation, checksums, wrong keys, malformed messages and topics; then one good telegram."""
    broker = mosquitto()
    service = nurt_service(broker.port, topics=TOPICS)
    csv_file(tmp_path / "meters.csv", "meter_id", [[str(METER)]])
    service.command("meters", "import", "meters.csv")
    service.command("keys", "init")
    csv_file(tmp_path / "keys.csv", "meter_id,key", [[str(METER), KEY.hex()]])
    service.command("keys", "import", "keys.csv")
    service.start()
    spoilt = bytearray(build(METER, record(b"\x13", Decimal(1), field=4), link_crc="A"))
    spoilt[14] ^= 0x01
    bad = [
        ("amr/1/roof/up", random.Random(1).randbytes(1_000_000)),
        ("amr/1/roof/up", b"\x00" * 1_200_000),
        ("amr/1/roof/up", b'{"v":1,"k":"frame","hex":'),
        ("amr/1/roof/up", b'{"v":1,"k":"frame","hex":"zz"}'),
        ("amr/1/roof/up", b"[" * 50_000),
        ("amr/1/two/levels/up", b"{}"),
        ("amr/1/bad name!/up", json.dumps({"v": 1, "k": "frame", "hex": telegram().hex()}).encode()),
        ("wmbus/attic/hex", telegram()[:-9].hex().encode()),
        ("wmbus/attic/hex", bytes(spoilt).hex().encode()),
        ("wmbus/attic/hex", b""),
        ("wmbus/attic/hex", b"hello"),
    ]
    held = [("wmbus/attic/hex", telegram(OTHER_KEY, 1000).hex().encode())]
    good = [("wmbus/attic/hex", telegram().hex().encode())]
    with Publisher(broker.port) as gateway:
        sent = gateway.publish([*bad, *held, *good])
    account = service.await_booked(sent)

    assert sum(row["stored"] for row in account.values()) == 1
    assert sum(row["held"] for row in account.values()) == 1
    assert sum(row["quarantined"] for row in account.values()) == len(bad)
    assert service.get("readyz")[0] == 200
    listed = as_json(service.get("api/v1/quarantine?limit=50")[1])
    assert isinstance(listed, dict)
    for item in listed["items"]:
        assert item["reason"], item
        assert item["sentence"], item
        assert "Traceback" not in item["sentence"]
    waiting = as_json(service.get("api/v1/telegrams?state=held")[1])
    assert isinstance(waiting, dict)
    assert [one["reason"] for one in waiting["telegrams"]] == ["wrong_key"]
    assert KEY.hex() not in service.log().lower()
    assert "Traceback" not in service.log()
    assert service.stop() < 5


def test_a_taken_port_is_one_sentence(
    mosquitto: Callable[..., object], nurt_service: Callable[..., NurtService]
) -> None:
    """The port is named and what to do; nothing was started."""
    broker = mosquitto()
    service = nurt_service(broker.port)
    said = service.command("run", "--port", str(broker.port), code=1)
    assert str(broker.port) in said
    assert "taken" in said
    assert len(said.strip().splitlines()) == 1
