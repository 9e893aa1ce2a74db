"""Gateways that publish lines: bare hexadecimal, and the line of rtl_wmbus in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.adapters import hex_line, rtl_wmbus
from ingest.items import Delivery, Item, Unreadable
from metering.uplink import ClockSource, FrameUplink

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def items(adapter, payload: bytes | str, name: str = "roof") -> list[Item]:
    raw = payload.encode() if isinstance(payload, str) else payload
    return list(adapter.read(Delivery(f"wmbus/{name}/telegram", raw, NOW), name))


def frames(adapter, payload: bytes | str) -> list[bytes]:
    found = [item.said for item in items(adapter, payload)]
    assert all(isinstance(one, FrameUplink) for one in found), found
    return [one.frame for one in found]


def reasons(adapter, payload: bytes | str, name: str = "roof") -> list[str]:
    return [
        item.said.reason if isinstance(item.said, Unreadable) else ""
        for item in items(adapter, payload, name)
    ]


# --- bare hexadecimal ----------------------------------------------------------------------------


@pytest.mark.parametrize("ornament", ["{}", "0x{}", "  {}\r\n", "|{}|", "{}\n\n"])
def test_ornaments_around_hexadecimal_are_taken_off(make, ornament):
    frame = make.frame()
    assert frames(hex_line, ornament.format(frame.hex())) == [frame]
    assert frames(hex_line, ornament.format(frame.hex().upper())) == [frame]


@pytest.mark.parametrize("between", [" ", "_", "|", "\t"])
def test_ornaments_between_bytes_are_taken_off(make, between):
    frame = make.frame()
    assert frames(hex_line, frame.hex(between if len(between) == 1 and between != "\t" else " ")) == [frame]
    assert frames(hex_line, between.join(frame.hex(" ").split())) == [frame]


def test_several_frames_come_on_lines_or_end_to_end(make):
    one, two = make.frame(access=1), make.frame(12345679, access=2)
    assert frames(hex_line, f"{one.hex()}\n{two.hex()}") == [one, two]
    assert frames(hex_line, one.hex() + two.hex()) == [one, two]


def test_bare_frames_are_heard_when_they_reach_us(make):
    [item] = items(hex_line, make.frame().hex())
    assert isinstance(item.said, FrameUplink)
    reception = item.said.reception
    assert (reception.gateway, reception.heard_at, reception.clock) == ("roof", NOW, ClockSource.NONE)
    assert (reception.rssi_dbm, reception.mode, reception.sequence) == (None, None, None)


def test_a_bad_line_among_good_ones_is_one_bad_item(make):
    assert reasons(hex_line, f"{make.frame().hex()}\nhello\n{make.frame().hex()}") == ["", "bad_hex", ""]


@pytest.mark.parametrize(
    "payload", [b"", b"\n\n", b"hello\n" * 50, b"2a4", b"\xff\xfe", b"0x", "żółć".encode()]
)
def test_a_message_without_one_readable_line_is_one_bad_item(payload):
    [item] = items(hex_line, payload)
    assert isinstance(item.said, Unreadable)
    assert (item.said.reason, item.payload) == ("bad_hex", payload)


@pytest.mark.parametrize(
    ("level", "name"), [("Keller Süd", "Keller_S_d"), ("a.b", "a_b"), ("x" * 80, "x" * 64)]
)
def test_a_name_people_gave_becomes_a_gateway_name(make, level, name):
    [item] = items(hex_line, make.frame().hex(), level)
    assert item.gateway == name


@pytest.mark.parametrize("level", ["", " ", "ü", "--"])
def test_a_level_that_names_nobody_is_a_bad_topic(make, level):
    assert reasons(hex_line, make.frame().hex(), level) == ["bad_topic"]


# --- rtl_wmbus -----------------------------------------------------------------------------------

HEX = "1944304cd74fc7a00604a2110f001300552209ec9d46afe360f5"


@pytest.mark.parametrize(
    ("line", "mode", "dbm"),
    [
        (f"T1;1;1;2021-02-23 21:26:36.000;114;83;A0C74FD7;0x{HEX}", "T1", None),
        (f"T1;1;1;2021-02-23 21:26:36.000000;114;83;A0C74FD7;0x{HEX}\n", "T1", None),
        (f"rla;C1;1;1;2021-02-23 21:26:36.000;29;35;A0C74FD7;0x{HEX}", "C1", None),
        (f"t2a;S1;1;1;2021-02-23 21:26:36.000;29;35;A0C74FD7;0x{HEX}", "S1", None),
        (f"T1;1;1;2026-01-02 03:04:05.00Z;-61;;;0x{HEX}\n", "T1", -61),
        (f"T1;1;1;1970-01-01 00:00:05.00Z;-44;;;0x{HEX.upper()}", "T1", -44),
        (f"T1;1;1;;-70;;;0x{HEX}\n", "T1", -70),
        (f"C1;1;1;2021-02-23 21:26:36.000;54;46;2697416663;0x{HEX}", "C1", None),
        (f"0x{HEX}", None, None),
    ],
)
def test_every_form_of_the_line_is_read(line, mode, dbm):
    """The time is ignored in all of them; a linear strength (from 0 up) is never taken for dBm."""
    [item] = items(rtl_wmbus, line)
    assert isinstance(item.said, FrameUplink)
    assert item.said.frame == bytes.fromhex(HEX)
    reception = item.said.reception
    assert (reception.mode, reception.rssi_dbm, reception.heard_at) == (mode, dbm, NOW)


@pytest.mark.parametrize("flags", ["0;0", "0;1", "1;0"])
def test_a_frame_the_receiver_calls_damaged_is_bad_crc(flags):
    assert reasons(rtl_wmbus, f"T1;{flags};2021-12-29 13:50:57.000;11;108;99999999;0x{HEX}") == ["bad_crc"]


@pytest.mark.parametrize(
    "line",
    [
        f"T1;1;1;;1;2;3;0x{HEX};0x{HEX}",
        f"T1;1;1;;1;2;3;0x{HEX}0x{HEX}",
        f"T1;1;1;;1;2;3;0x{HEX}T1;1;1;;1;2;3;0x{HEX}",
        f"rla;T1;1;1;;1;2;3;0x{HEX} t2a;T1;1;1;;1;2;3;0x{HEX}",
    ],
)
def test_two_telegrams_on_a_line_are_two_items(line):
    assert frames(rtl_wmbus, line) == [bytes.fromhex(HEX)] * 2


def test_text_between_the_lines_is_told():
    payload = f"rtl_wmbus: monitoring flow\nT1;1;1;;1;2;3;0x{HEX}\nT1;1;1;;1;2;3;0x{HEX} tail\n"
    assert reasons(rtl_wmbus, payload) == ["bad_line", "", "", "bad_line"]


def test_an_odd_number_of_digits_is_bad_hex():
    assert reasons(rtl_wmbus, f"T1;1;1;;1;2;3;0x{HEX}4") == ["bad_hex"]


# --- never an exception --------------------------------------------------------------------------

LINES = st.text(st.sampled_from("0123456789abcdefxT1C;-. \n|_rlat2"), max_size=120)


@given(
    payload=st.binary(max_size=200) | LINES.map(str.encode), adapter=st.sampled_from([hex_line, rtl_wmbus])
)
@example(payload=b"T1;1;1;" * 20_000, adapter=rtl_wmbus)
@example(payload=b"0x0" * 50_000, adapter=rtl_wmbus)
@settings(max_examples=400)
def test_arbitrary_bytes_are_never_an_exception(payload, adapter):
    found = items(adapter, payload)
    assert found, "nothing is silently dropped"
    if all(isinstance(item.said, Unreadable) for item in found):
        assert len(found) == 1
