"""Gateways that leave the checksums of frame format B in: told by the settings, then believed."""

from __future__ import annotations

from decoders.wmbus.blocks import add_format_b
from ingest.items import Delivery
from ingest.pipeline import Pipeline
from ingest.routes import Route, Router
from metering.ports import Outcome
from service.settings_topics import TopicRule


def outcomes(store, *deliveries: Delivery, checksums=True):
    route = Route("wmbus/+/telegram", "hex", checksums=checksums)
    stripped = Route("plain/+/telegram", "hex")
    results = Pipeline(store, router=Router([route, stripped])).accept(deliveries)
    return [(one.outcome, one.reason) for one in results]


def test_checksums_are_taken_off_and_the_bytes_kept_as_they_came(store, make, see):
    sent = add_format_b(make.frame())
    assert outcomes(store, make.bare(sent)) == [(Outcome.STORED, "")]
    [telegram] = see.telegrams(store)
    assert telegram.frame == make.frame()
    assert [raw for _, raw in telegram.receptions] == [sent]


def test_a_gateway_that_takes_them_off_heard_the_same_telegram(store, make, see):
    plain = make.bare(make.frame(), gateway="cellar")
    plain = type(plain)("plain/cellar/telegram", plain.payload, plain.received_at)
    assert [outcome for outcome, _ in outcomes(store, make.bare(add_format_b(make.frame())), plain)] == [
        Outcome.STORED,
        Outcome.DUPLICATE,
    ]
    assert len(see.telegrams(store)) == 1


def test_format_a_is_recognised_all_the_same(store, make):
    assert outcomes(store, make.bare(make.with_crcs(make.frame()))) == [(Outcome.STORED, "")]


def test_a_damaged_frame_is_quarantined_as_such(store, make):
    sent = bytearray(add_format_b(make.frame()))
    sent[15] ^= 1
    assert outcomes(store, make.bare(bytes(sent))) == [(Outcome.QUARANTINED, "bad_crc")]


def test_without_the_setting_nothing_is_taken_off(store, make, see):
    outcomes(store, make.bare(make.ends_like_format_b()), checksums=False)
    assert [telegram.frame for telegram in see.telegrams(store)] == [make.ends_like_format_b()]


def test_the_settings_say_it_per_topic():
    assert TopicRule(filter="wmbus/+/telegram", adapter="hex", checksums="B").route().checksums
    assert not TopicRule(filter="wmbus/+/telegram", adapter="hex").route().checksums
