"""One test walks all adapters: whoever adds one is tested by having added it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from ingest.adapters import ADAPTERS, Options
from ingest.adapters.auto import sniff
from ingest.codecs import CODECS
from ingest.items import Delivery, Unreadable
from ingest.routes import Route, Router, captured

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FRAME = bytes.fromhex("144443047856341201077a0100000004131e1e0000")


def sample(name: str) -> Delivery:
    topic, text = ADAPTERS[name].example
    return Delivery(topic, FRAME if name == "binary" else text.encode(), NOW)


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_example_of_a_card_is_read_without_complaint(name):
    card = ADAPTERS[name]
    route = Route(card.example[0], name, "roof", card.sample)
    said = [item.said for item in Router([route]).read(sample(name))]
    assert said
    assert not any(isinstance(one, Unreadable) for one in said)


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_example_s_topic_is_one_of_the_usual_ones(name):
    card = ADAPTERS[name]
    assert any(captured(topic, card.example[0]) is not None for topic in card.topics)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_card_names_options_there_are_and_its_sample_uses_no_others(name):
    card, plain = ADAPTERS[name], Options()
    said = {one.name for one in fields(Options) if getattr(card.sample, one.name) != getattr(plain, one.name)}
    assert said <= set(card.options) <= {one.name for one in fields(Options)}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", [name for name, card in ADAPTERS.items() if "codec" in card.options])
def test_every_codec_can_stand_behind_every_network_server(name, codec):
    Route("a/+", name, options=Options(codec=codec))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        *(
            (name, name)
            for name in ADAPTERS
            if name not in {"auto", "kustonium", "esphome_pulse", "zigbee2mqtt"}
        ),
        ("kustonium", "hex"),
        ("esphome_pulse", ""),
        ("zigbee2mqtt", ""),
    ],
)
def test_an_example_shows_whose_it_is_unless_nobody_could_tell(name, found):
    """A bare number and a flat object are read on configured topics only."""
    assert sniff(sample(name).payload) == (found if name != "field_map" else "")


@pytest.mark.parametrize("name", ["chirpstack", "the_things_stack"])
def test_what_needs_a_route_of_its_own_is_not_read_by_auto(name):
    [item] = Router([Route("x", "auto", "roof")]).read(Delivery("x", sample(name).payload, NOW))
    assert isinstance(item.said, Unreadable)
    assert "needs a route of its own" in item.said.sentence


def test_hexadecimal_that_begins_with_a_b_is_not_a_line_of_a_cul():
    """A length from B0 to BF; the line of a CUL has a digit more than whole bytes."""
    frame = bytes([0xB4]) + FRAME[1:] + bytes(0xB4 - 20)
    assert sniff(frame.hex().encode()) == "hex"
    assert sniff(b"b" + frame.hex().encode() + b"\r\n") == "cul"


@pytest.mark.parametrize(
    "payload", [b"", b"7", b"12.5", b"on", b"[]", b"[1]", b"{}", b"\xff\x00", b"0x", b"1234"]
)
def test_what_nobody_knows_is_told_by_auto(payload):
    [item] = Router([Route("x", "auto", "roof")]).read(Delivery("x", payload, NOW))
    assert isinstance(item.said, Unreadable)
    assert (item.said.reason, item.gateway) == ("unknown_format", "roof")
