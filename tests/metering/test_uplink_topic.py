"""Topics, receptions and clock sources of the contract between a gateway and us."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.errors import InvalidValue, TelemetryError
from metering.uplink import GATEWAY_NAME, BadUplink, ClockSource, Reception, UplinkTopic

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
names = st.from_regex(GATEWAY_NAME, fullmatch=True)


@given(names, st.sampled_from(["up", "state", "health", "down/profile"]))
def test_a_topic_reads_back_from_its_text(gateway, leaf):
    assert UplinkTopic.parse(str(UplinkTopic(gateway, leaf))) == UplinkTopic(gateway, leaf)


@given(st.text())
def test_any_text_is_a_topic_or_bad(text):
    with suppress(BadUplink):
        assert str(UplinkTopic.parse(text)) == text


NO_TOPICS = [
    "amr/1/roof",
    "amr/2/roof/up",
    "AMR/1/roof/up",
    "/amr/1/roof/up",
    "amr/1//up",
    "amr/1/+/up",
    "amr/1/#",
    "amr/1/dach-południe/up",
]


@pytest.mark.parametrize(
    "topic", ["", "amr/1/ro of/up", "amr/1/roof\n/up", f"amr/1/{'x' * 65}/up", *NO_TOPICS]
)
def test_what_is_no_topic_is_bad(topic):
    with pytest.raises(BadUplink, match="gateway name") as told:
        UplinkTopic.parse(topic)
    assert told.value.reason == "bad_topic"
    assert isinstance(told.value, TelemetryError)


def test_bad_uplinks_carry_the_beginning_of_what_came():
    bad = BadUplink("bad_json", "no JSON", b"x" * 1000)
    assert (bad.reason, len(bad.evidence), str(bad)) == ("bad_json", 200, "no JSON")


def test_a_sequence_needs_boot_and_number():
    assert Reception("roof", NOON, NOON, boot="b", seq=0).sequence == ("roof", "b", 0)
    assert Reception("roof", NOON, NOON, boot="b").sequence is None
    assert Reception("roof", NOON, NOON, seq=1).sequence is None


def test_times_of_a_reception_are_utc():
    warsaw = timezone(timedelta(hours=1))
    reception = Reception("roof", NOON.astimezone(warsaw), NOON)
    assert reception.heard_at.tzinfo is UTC
    assert reception.heard_at == NOON
    with pytest.raises(InvalidValue, match="no zone"):
        Reception("roof", NOON.replace(tzinfo=None), NOON)


def test_only_a_clock_that_knows_the_time_is_trusted():
    assert [source for source in ClockSource if not source.trusted] == [ClockSource.NONE]
