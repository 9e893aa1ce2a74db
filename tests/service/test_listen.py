"""`nurt listen`: what arrives, how it would be read, what comes out; nothing is kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from paho.mqtt import publish

from decoders.build import build
from ingest.adapters import ADAPTERS, Options
from ingest.items import Delivery
from ingest.routes import Route, captured
from ingest.rules import Rules
from metering.clock import FixedClock
from metering.errors import InvalidValue
from metering.meter import Meter, MeterId
from metering.store import memory_store, upgrade
from service.listening import Listener
from service.listening_store import Known
from service.settings_model import StoreSettings

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FRAME = "144443047856341201077a0100000004131e1e0000"
SEALED = "154443047856341201077a01000005" + "00" * 7


def told(
    payload: str | bytes, topic: str = "wmbus/roof/x", *, listener: Listener | None = None, **delivery
) -> list[str]:
    raw = payload.encode() if isinstance(payload, str) else payload
    known = listener or Listener("wmbus/+/#", [])
    return list(known.told(Delivery(topic, raw, NOW, **delivery)))


def test_a_telegram_is_shown_with_whose_it_is_and_what_it_says():
    first, second = told(FRAME)
    assert first == "12:00:00  wmbus/roof/x  42 bytes, read by hex (found out: no topic rule matches)"
    assert second == "    roof: frame of 21 bytes: ABC-12345678-01-07: total_m3 7.71"


def test_a_topic_rule_of_the_settings_decides_unless_an_adapter_is_named():
    rule = [Route("wmbus/+/x", "hex")]
    assert told(FRAME, listener=Listener("wmbus/+/#", rule))[0].endswith("read by hex (settings)")
    [first, second] = told(FRAME, listener=Listener("wmbus/+/#", rule, "rtl_wmbus"))
    assert first.endswith("read by rtl_wmbus")
    assert "unreadable, bad_line" in second


def test_what_cannot_be_read_is_told_with_its_reason():
    assert told("7")[0].endswith("read by no adapter (found out: no topic rule matches)")
    assert "unreadable, unknown_format" in told("7")[1]
    assert "truncated" in told(FRAME[:-4])[1]
    assert told('{"deviceInfo": {"devEui": "x"}}')[1].endswith(
        "looks like chirpstack, which needs a route of its own"
    )


def test_a_message_the_broker_kept_is_told_as_one():
    first, second = told(FRAME, retained=True)
    assert ", kept by the broker, " in first
    assert "unreadable, retained" in second


@pytest.mark.parametrize("name", [name for name in ADAPTERS if name != "binary"])
def test_every_adapter_s_example_is_told_in_short_lines(name):
    card = ADAPTERS[name]
    topic_filter = next(one for one in card.topics if captured(one, card.example[0]) is not None)
    listener = Listener(topic_filter, [], name, card.sample)
    lines = told(card.example[1], card.example[0], listener=listener)
    assert len(lines) >= 2
    assert not any("unreadable" in line or len(line) > 250 for line in lines)


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb"])
def test_a_terminal_is_told_nothing_it_would_obey(name):
    row = json.dumps({"id": "12345678", "total_m3": 1, "media": name})
    lines = told(row, f"t/{name}", listener=Listener("t/+", [], "wmbusmeters"))
    assert all(line.isprintable() for line in lines)


def test_a_listener_that_cannot_be_is_refused():
    for wrong in (("a+", ""), ("a/+", "hax"), ("a/+", "chirpstack")):
        with pytest.raises(InvalidValue):
            Listener(wrong[0], [], wrong[1])
    with pytest.raises(InvalidValue, match="knows no unit"):
        Listener("a/+", [], "hex", Options(unit="L"))


@pytest.mark.servers
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_listening_takes_nothing_and_leaves_nothing_behind(mosquitto, tmp_path, protocol):
    """Two messages are told as they come; no session, no database."""
    broker = mosquitto()
    (tmp_path / "nurt.toml").write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nprotocol = "{protocol}"\n'
    )
    command = [sys.executable, "-m", "service.cli", "listen", "wmbus/+/telegram", "--count", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            publish.single("wmbus/roof/telegram", FRAME, port=broker.port, hostname="127.0.0.1")
            time.sleep(0.3)
        out, err = process.communicate(timeout=5)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert out.count("ABC-12345678-01-07: total_m3 7.71") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["nurt.toml"]
    assert "Listening to wmbus/+/telegram" in err


def test_with_a_database_keys_and_registry_decide_as_in_ingest():
    """Registered and in clear, encrypted with a key in store, without one, and of a meter of others."""
    store = memory_store(FixedClock(NOW), lambda: bytes(32))
    mine, sealed, locked = (MeterId("ABC", f"1234567{n}", "01", "07") for n in (8, 9, 0))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(one) for one in (mine, sealed, locked)])
        tx.keyring.put([(sealed, bytes(16))])
    listener = Listener("wmbus/+/#", [], known=Known(store, Rules()))
    payload = bytes.fromhex("04131e1e0000")

    def said(frame: bytes) -> str:
        return told(frame.hex(), listener=listener)[1].partition("bytes: ")[2]

    assert said(build(mine, payload)) == "ABC-12345678-01-07: total_m3 7.71"
    assert said(build(sealed, payload, mode=5, key=bytes(16))) == "ABC-12345679-01-07: total_m3 7.71"
    assert said(build(locked, payload, mode=5, key=bytes(16))).startswith(
        "ABC-12345670-01-07: held, missing_key: "
    )
    stranger = MeterId("ABC", "99999999", "01", "07")
    assert said(build(stranger, payload)) == "ABC-99999999-01-07: foreign, not registered: total_m3 7.71"
    assert "truncated" in told(FRAME[:-4], listener=listener)[1]
    store.close()


def test_without_a_database_that_can_be_used_it_says_why(tmp_path):
    settings = StoreSettings(data=tmp_path)
    assert Known.of(settings, Rules()) == (None, "there is no database yet")
    upgrade(settings.database)
    known, why = Known.of(settings, Rules())
    assert why == ""
    known.close()
