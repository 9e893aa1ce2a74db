"""Topics lead to adapters and gateways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.items import Delivery, Unreadable
from ingest.routes import Route, Router, captured
from metering.errors import InvalidValue

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "levels"),
    [
        ("a/+/c", "a/b/c", ("b",)),
        ("a/+/c", "a//c", ("",)),
        ("+/+", "a/b", ("a", "b")),
        ("a/b", "a/b", ()),
        ("a/#", "a", ()),
        ("a/#", "a/b/c", ()),
        ("a/+/#", "a/b/c/d", ("b",)),
        ("#", "a", ()),
        ("a/+", "a", None),
        ("a/+", "a/b/c", None),
        ("a/b", "a/B", None),
        ("+/b", "$SYS/b", None),
        ("#", "$SYS/b", None),
        ("$SYS/+", "$SYS/b", ("b",)),
    ],
)
def test_filters_match_as_mqtt_says(topic_filter, topic, levels):
    assert captured(topic_filter, topic) == levels


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "a/b+/+", "+/a#", "no/plus", "#"])
def test_a_filter_that_cannot_be_or_names_nobody_is_refused(topic_filter):
    with pytest.raises(InvalidValue):
        Route(topic_filter, "hex")


def test_an_unknown_adapter_is_refused_with_those_there_are():
    with pytest.raises(InvalidValue, match="there are: contract, hex, "):
        Route("a/+", "hax")


def test_the_first_route_that_matches_decides_and_may_name_the_gateway(make):
    router = Router([Route("roof/telegram", "hex", gateway="roof"), Route("+/telegram", "rtl_wmbus")])
    delivery = Delivery("roof/telegram", make.frame().hex().encode(), NOW)
    assert [item.gateway for item in router.read(delivery)] == ["roof"]
    assert router.gateway(Delivery("cellar/telegram", b"", NOW)) == "cellar"
    assert router.gateway(Delivery("else", b"", NOW)) == "?"


def test_a_message_over_the_limit_is_not_read():
    [item] = Router().read(Delivery("amr/1/gw1/up", b"[]", NOW, size=(1 << 20) + 1))
    assert isinstance(item.said, Unreadable)
    assert (item.said.reason, item.gateway) == ("too_large", "gw1")
