"""Every adapter against mutations of its example: a reading or a reason; no exception, no unit guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.adapters import ADAPTERS
from ingest.items import Delivery, Unreadable
from ingest.routes import Route, Router
from metering.uplink import FrameUplink, GatewayState, PartUplink, PulseUplink, ValueUplink

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FRAME = bytes.fromhex("144443047856341201077a0100000004131e1e0000")
UNITS = {"volume": "m3", "volume_flow": "m3/h", "energy": "Wh"}
JSON_EXAMPLES = [name for name, card in ADAPTERS.items() if card.example[1].startswith("{")]

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def example(name: str) -> tuple[str, bytes]:
    topic, text = ADAPTERS[name].example
    return topic, FRAME if name == "binary" else text.encode()


def check(name: str, topic: str, payload: bytes, *, retained: bool = False) -> None:
    """Read a message, and look at everything that comes out."""
    router = Router([Route("#", name, "roof", ADAPTERS[name].sample)])
    for item in router.read(Delivery(topic, payload, NOW, retained=retained)):
        assert item.payload in payload
        match item.said:
            case Unreadable(reason, sentence):
                assert reason.replace("_", "").isalnum()
                assert sentence
                assert len(sentence) < 400
                sentence.encode()
            case ValueUplink(reception, device, values):
                assert reception.heard_at <= NOW.replace(hour=13)
                assert device
                assert values
                for one in values:
                    assert one.unit == UNITS.get(one.register.quantity, one.unit) != ""
                    assert isinstance(one.value, Decimal)
                    assert one.value.is_finite()
            case PulseUplink(reception, channel, total, weight):
                assert reception.heard_at <= NOW.replace(hour=13)
                assert channel
                assert 0 <= total < 2**63
                assert weight is None or weight > 0
            case FrameUplink(reception, frame):
                assert frame
                assert reception.rssi_dbm is None or -256 < reception.rssi_dbm <= 0
            case PartUplink() | GatewayState():
                pass


def mutated(payload: bytes) -> st.SearchStrategy[bytes]:
    """Cut, flip, insert, repeat."""
    places = st.integers(0, len(payload))
    cut = st.builds(lambda a, b: payload[: min(a, b)] + payload[max(a, b) :], places, places)
    put = st.builds(
        lambda a, junk: payload[:a] + junk + payload[a:], places, st.binary(min_size=1, max_size=6)
    )
    swap = st.builds(
        lambda a, junk: payload[:a] + junk + payload[a + len(junk) :], places, st.binary(max_size=3)
    )
    digits = st.builds(
        lambda a, digit: payload[:a] + digit + payload[a + 1 :],
        places,
        st.sampled_from([b"9", b"-", b".", b'"', b"e"]),
    )
    return cut | put | swap | digits | st.just(payload * 2) | st.binary(max_size=60)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=60)
@given(data=st.data())
def test_bytes_are_changed(name, data):
    topic, payload = example(name)
    check(name, topic, data.draw(mutated(payload)), retained=data.draw(st.booleans()))


@pytest.mark.parametrize("name", JSON_EXAMPLES)
@settings(max_examples=60)
@given(data=st.data())
def test_one_field_holds_anything(name, data):
    topic, payload = example(name)
    message = json.loads(payload)
    ways = [way for way in paths(message) if way]
    way = data.draw(st.sampled_from(ways))
    inner: Any = message
    for step in way[:-1]:
        inner = inner[step]
    if data.draw(st.booleans()):
        inner[way[-1]] = data.draw(ANY_JSON)
    elif isinstance(inner, dict):
        del inner[way[-1]]
    check(name, topic, json.dumps(message).encode())


def paths(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(deeper for key, inner in inside for deeper in paths(inner, (*way, key)))]


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=25)
@given(
    topic=st.text(
        st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=30
    )
)
def test_topics_are_anything(name, topic):
    check(name, topic, example(name)[1])
