"""What a gateway of the contract publishes becomes uplinks, exactly and item by item."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.adapters import contract
from ingest.items import Delivery, Item, Unreadable
from metering.uplink import ClockSource, FrameUplink, GatewayState, GatewayWord, PulseUplink

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FRAME = {
    "v": 1,
    "k": "frame",
    "boot": "9f3a11c2",
    "seq": 1234,
    "ts": "2026-01-02T11:59:58.5Z",
    "ts_src": "ntp",
}
PULSE = {**FRAME, "k": "pulse", "ch": "1", "total": 123456, "pulse_l": "10"}


def read(payload: object, leaf: str = "up", name: str = "gw1", **more) -> list[Item]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return list(contract.read(Delivery(f"amr/1/{name}/{leaf}", raw, NOW, **more), name))


def said(payload: object, leaf: str = "up", **more):
    [item] = read(payload, leaf, **more)
    return item.said


def reason(payload: object, leaf: str = "up", **more) -> str:
    refused = said(payload, leaf, **more)
    assert isinstance(refused, Unreadable), refused
    assert refused.sentence
    return refused.reason


def test_a_frame_item_keeps_every_fact():
    uplink = said({**FRAME, "mode": "T1", "rssi": -71, "hex": "2A44ff", "n": 1, "unknown": [1]})
    assert isinstance(uplink, FrameUplink)
    assert uplink.frame == b"\x2a\x44\xff"
    reception = uplink.reception
    assert reception.sequence == ("gw1", "9f3a11c2", 1234)
    assert reception.heard_at == datetime(2026, 1, 2, 11, 59, 58, 500_000, UTC)
    assert (reception.clock, reception.rssi_dbm, reception.mode) == (ClockSource.NTP, -71, "T1")
    assert not reception.history


def test_one_bad_item_of_an_array_never_spoils_the_others():
    items = read([{**FRAME, "hex": "zz"}, {**FRAME, "seq": 1, "hex": "2a44"}, 7, PULSE])
    kinds = [type(item.said) for item in items]
    assert kinds == [Unreadable, FrameUplink, Unreadable, PulseUplink]
    assert items[0].sequence == ("gw1", "9f3a11c2", 1234), "so that a repetition of it is a duplicate"


def test_each_item_of_an_array_keeps_its_own_bytes():
    raw = b' [ {"k" : 1.50} ,\n{"k":"\xc3\xb3"},[]]\n'
    assert [item.payload for item in read(raw)] == [b'{"k" : 1.50}', b'{"k":"\xc3\xb3"}', b"[]"]


def test_a_packed_message_says_what_the_plain_one_says():
    plain = json.dumps([{**FRAME, "hex": "2a44"}, PULSE]).encode()
    assert [(one.said, one.payload) for one in read(gzip.compress(plain))] == [
        (one.said, one.payload) for one in read(plain)
    ]


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [
        (lambda packed: packed[:-1], "bad_gzip"),
        (lambda packed: packed[:12], "bad_gzip"),
        (lambda packed: packed + b"x", "bad_gzip"),
        (lambda packed: packed + packed, "bad_gzip"),
        (lambda packed: packed[:15] + b"\xff\xff" + packed[17:], "bad_gzip"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "bad_gzip"),
        (lambda _: gzip.compress(b"[" + b" " * (1 << 20)), "too_large"),
        (lambda _: gzip.compress(b"{"), "bad_json"),
    ],
)
def test_a_spoiled_packed_message_is_quarantined_as_it_came(spoiled, code):
    raw = spoiled(gzip.compress(json.dumps(PULSE).encode()))
    assert reason(raw) == code
    assert read(raw)[0].payload == raw


@settings(max_examples=100, deadline=None)
@given(tail=st.binary(max_size=200))
def test_whatever_begins_like_gzip_gives_items_or_a_reason(tail):
    assert all(item.said for item in read(b"\x1f\x8b\x08" + tail))


def test_a_small_message_that_unpacks_to_a_thousand_times_itself_is_not_unpacked_whole():
    bomb = gzip.compress(bytes(50_000_000), 9)
    tracemalloc.start()
    assert reason(bomb) == "too_large"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("text", "litres"),
    [
        ('"10"', "10"),
        ('"0.1"', "0.1"),
        ("2.5", "2.5"),
        ("10", "10"),
        ("0.100000000000000005", "0.100000000000000005"),
    ],
)
def test_the_pulse_weight_is_exact_as_text_or_number(text, litres):
    raw = json.dumps(PULSE).replace('"10"', text).encode()
    uplink = said(raw)
    assert isinstance(uplink, PulseUplink)
    assert uplink.litres_per_pulse == Decimal(litres)


@pytest.mark.parametrize("total", [2**53 + 1, str(2**53 + 1), Decimal(2**53 + 1)])
def test_a_count_beyond_binary_floats_is_exact(total):
    raw = json.dumps({**PULSE, "total": "TOTAL"}).encode()
    text = f"{total}.0" if isinstance(total, Decimal) else json.dumps(total)
    uplink = said(raw.replace(b'"TOTAL"', text.encode()))
    assert uplink.total == 2**53 + 1


@pytest.mark.parametrize(
    ("stamp", "microseconds"),
    [
        ("2026-01-02T11:59:58.123456789Z", 123456),
        ("2026-01-02t12:59:58.5+01:00", 500000),
        ("2026-01-02T06:29:58-05:30", 0),
        ("2026-01-02T11:59:57.999999999z", None),
    ],
)
def test_times_are_rfc_3339_with_up_to_nine_digits(stamp, microseconds):
    heard = said({**FRAME, "ts": stamp, "hex": "2a"}).reception.heard_at
    expected = datetime(2026, 1, 2, 11, 59, 58, tzinfo=UTC)
    if microseconds is None:
        assert heard == expected - timedelta(microseconds=1)
    else:
        assert heard == expected.replace(microsecond=microseconds)


def test_a_leap_second_is_the_second_after():
    heard = said({**FRAME, "ts": "2016-12-31T23:59:60Z", "hex": "2a"}).reception.heard_at
    assert heard == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-02",
        "2026-01-02T11:59:58",
        "2026-W01-5T11:59:58Z",
        "2026-02-30T11:59:58Z",
        "١٢",
        17,
        "2026-01-02T11:59:58.1234567890Z",
    ],
)
def test_a_time_that_is_none_is_refused(stamp):
    assert reason({**FRAME, "ts": stamp, "hex": "2a"}) == "bad_field"


@pytest.mark.parametrize(
    "stamp", ["1970-01-01T00:00:10Z", "2026-01-02T12:10:01Z", "9999-12-31T23:59:59-12:00"]
)
def test_a_clock_that_cannot_be_right_is_not_trusted(stamp):
    reception = said({**FRAME, "ts": stamp, "hex": "2a"}).reception
    assert (reception.heard_at, reception.clock) == (NOW, ClockSource.NONE)


@pytest.mark.parametrize("source", [None, "none", "guess", 1, ["ntp"]])
def test_without_a_clock_source_the_time_of_reception_counts(source):
    reception = said({**FRAME, "ts_src": source, "hex": "2a"}).reception
    assert (reception.heard_at, reception.clock) == (NOW, ClockSource.NONE)


def test_history_keeps_its_own_time_even_from_an_unsure_clock():
    reception = said(
        {**FRAME, "ts": "2025-12-30T00:00:00Z", "ts_src": "none", "hist": True, "hex": "2a"}
    ).reception
    assert reception.history
    assert (reception.heard_at, reception.clock) == (datetime(2025, 12, 30, tzinfo=UTC), ClockSource.NONE)


@pytest.mark.parametrize("rssi", [1, 0.5, "-70", True, -1e30, None])
def test_a_strength_that_cannot_be_is_left_out_and_the_frame_kept(rssi):
    assert said({**FRAME, "rssi": rssi, "hex": "2a"}).reception.rssi_dbm is None


@pytest.mark.parametrize(
    "change",
    [
        {"hex": ""}, {"hex": "2a4"}, {"hex": 42}, {"hex": None}, {"hex": "2a\ud800"},
    ],
)  # fmt: skip
def test_hexadecimal_that_is_none_is_bad_hex(change):
    assert reason({**FRAME, **change}) == "bad_hex"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"k": "telegram"}, {"k": None}, {"boot": "a b"}, {"boot": ""}, {"boot": "x" * 65},
        {"seq": -1},
        {"seq": True}, {"seq": 2**63}, {"seq": 1.5}, {"seq": None}, {"boot": None}, {"ch": ""}, {"ch": None},
        {"total": None}, {"total": -1}, {"total": "1e3"}, {"pulse_l": 0}, {"pulse_l": "-1"},
        {"pulse_l": "ten"},
        {"pulse_l": 1e300}, {"pulse_l": True}, {"boot": "\ud800"},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named(change):
    assert reason({**PULSE, **change}) == "bad_field"


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"[1,]", b"[1 2]", b"[1]x", b"{}x", b"\xff{}", b'{"a":NaN}', b"[Infinity]", b"-Infinity",
        b"[" * 500_000, b'{"a":' * 100_000, b"1e99999999999999999999", b"[" + b"9" * 5000 + b"]",
    ],
)  # fmt: skip
def test_a_message_that_is_not_json_is_one_bad_item(payload):
    [item] = read(payload)
    assert isinstance(item.said, Unreadable)
    assert item.said.reason in {"bad_json", "bad_field"}
    assert item.payload == payload


def test_an_empty_array_holds_nothing():
    assert read(b" [ ] ") == []


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 65, "\x00"])
def test_a_gateway_name_outside_the_contract_is_a_bad_topic(name):
    [item] = read({**FRAME, "hex": "2a"}, name=name)
    assert isinstance(item.said, Unreadable)
    assert (item.said.reason, item.gateway) == ("bad_topic", "?")


def test_a_leaf_outside_the_contract_is_a_bad_topic():
    assert reason({}, leaf="cmd") == "bad_topic"


def test_health_is_kept_as_it_is_said():
    body = '{"queue": 1.50, "b": [1]}'
    assert said(body.encode(), "health") == GatewayWord("gw1", "health", NOW, body, alive=True)
    assert said(body.encode(), "health", retained=True).alive is False, "kept from earlier"


def test_of_settings_told_the_revision_and_a_digest_are_kept_not_what_they_say():
    word = said({"v": 1, "rev": 17, "cfg": "password = 'x'", "sig": "00"}, "cfg/desired")
    assert json.loads(word.body) == {"v": 1, "rev": 17, "sha256": sha256(b"password = 'x'").hexdigest()}
    assert (word.leaf, word.alive) == ("cfg/desired", False)
    assert json.loads(said(b"", "cfg/desired").body)["sha256"] == "", "taken back"


def test_settings_reported_are_kept_and_show_the_gateway_alive():
    word = said({"v": 1, "rev": 17, "ok": True}, "cfg/reported")
    assert (word.leaf, word.alive, json.loads(word.body)["rev"]) == ("cfg/reported", True, 17)


@pytest.mark.parametrize("leaf", ["health", "cfg/desired", "cfg/reported"])
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"anything", "bad_json"),
        (b"[]", "bad_field"),
        (b"[{},{}]", "bad_field"),
        (b"7", "bad_field"),
        (b'{"v":2}', "bad_field"),
        (b'{"a":"' + b"x" * 70_000 + b'"}', "too_large"),
    ],
)
def test_what_is_no_word_of_a_gateway_is_quarantined(leaf, payload, code):
    assert reason(payload, leaf) == code


@pytest.mark.parametrize("fields", [{"cfg": 7}, {"cfg": "x", "rev": "many"}])
def test_an_order_that_is_none_is_quarantined(fields):
    assert reason(fields, "cfg/desired") == "bad_field"


# --- state ---------------------------------------------------------------------------------------

ONLINE = {"v": 1, "state": "online", "boot": "9f3a11c2", "ts": "2026-01-02T11:00:00Z"}


def test_online_holds_as_of_the_gateways_own_time():
    state = said(ONLINE, leaf="state", retained=True)
    assert state == GatewayState("gw1", online=True, at=datetime(2026, 1, 2, 11, tzinfo=UTC), boot="9f3a11c2")


def test_offline_holds_as_of_its_delivery_because_a_will_is_written_beforehand():
    state = said({**ONLINE, "state": "offline"}, leaf="state")
    assert state == GatewayState("gw1", online=False, at=NOW, boot="9f3a11c2")


def test_a_kept_online_without_a_sound_time_must_not_look_alive():
    assert reason({**ONLINE, "ts": None}, leaf="state", retained=True) == "bad_field"
    assert reason({**ONLINE, "ts": "1970-01-01T00:00:00Z"}, leaf="state", retained=True) == "bad_field"
    assert said({**ONLINE, "ts": None}, leaf="state").at == NOW


def test_a_clock_running_ahead_does_not_make_a_gateway_online_in_the_future():
    assert said({**ONLINE, "ts": "2026-01-02T12:09:00Z"}, leaf="state").at == NOW


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"[{},{}]", b"{}", b'{"state":1}', b'{"state":["online"]}', b"7"]
)
def test_a_state_that_says_nothing_is_one_bad_item(payload):
    assert reason(payload, leaf="state") in {"bad_json", "bad_field"}


# --- never an exception --------------------------------------------------------------------------

LEAVES = st.sampled_from(["up", "state", "health", "cfg/desired", "cfg/reported", "else"])
KEYS = st.sampled_from(
    [
        "v",
        "k",
        "boot",
        "seq",
        "ts",
        "ts_src",
        "hex",
        "rssi",
        "mode",
        "hist",
        "ch",
        "total",
        "pulse_l",
        "state",
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["frame", "pulse", "online", "offline", "ntp", "none", "2a44", 1])
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
)  # fmt: skip
ITEMS = st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=2), max_size=12)


@given(payload=st.binary(max_size=200), leaf=LEAVES, retained=st.booleans())
@settings(max_examples=300)
def test_arbitrary_bytes_are_never_an_exception(payload, leaf, retained):
    for item in read(payload, leaf, retained=retained):
        assert item.gateway == "gw1"


@given(value=ITEMS | st.lists(ITEMS, max_size=3), leaf=LEAVES, retained=st.booleans())
@settings(max_examples=300)
def test_arbitrary_json_is_never_an_exception(value, leaf, retained):
    payload = json.dumps(value).encode("utf-8", "surrogatepass")
    for item in read(payload, leaf, retained=retained):
        if isinstance(item.said, Unreadable):
            item.said.sentence.encode("utf-8")  # can be stored and shown
