"""Receivers' framings: vectors built here, any chunking, garbage between frames, arbitrary bytes."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from devices import (
    amber,
    amber_without_l,
    cul,
    cul_c1,
    frame_of,
    hex_line,
    im871a,
    iu891a,
    rc1180,
    rtl,
    with_crc_a,
    with_crc_b,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_firmware_config.agent.framings import RECEIVERS, blocks, checksums
from gateway_firmware_config.agent.framings.reader import Reader
from gateway_firmware_config.agent.received import Event, Fault, Frame, Pulse

FEW = settings(max_examples=60, deadline=None)

FRAMES = st.binary(min_size=2, max_size=120).map(frame_of)
GOOD = frame_of(bytes.fromhex("2a000000041331d40000023b0700"))


DEVICES: dict[str, tuple[str, bool | None, Callable[[bytes], bytes], Frame]] = {
    "im871a": ("im871a", None, im871a, Frame(GOOD, rssi_dbm=-72)),
    "im871a with time": ("im871a", None, functools.partial(im871a, flags=0xE), Frame(GOOD, rssi_dbm=-72)),
    "im871a bare": ("im871a", None, functools.partial(im871a, flags=0), Frame(GOOD)),
    "iu891a": ("iu891a", None, iu891a, Frame(GOOD, rssi_dbm=-72)),
    "amber": ("amber", None, amber, Frame(GOOD, rssi_dbm=-72)),
    "amber without L": ("amber", True, amber_without_l, Frame(GOOD, rssi_dbm=-72)),
    "amber transparent": ("amber-transparent", False, lambda frame: frame, Frame(GOOD)),
    "cul T1": ("cul", None, cul, Frame(GOOD, rssi_dbm=-72)),
    "cul C1": ("cul", None, cul_c1, Frame(GOOD, mode="C1", rssi_dbm=-72)),
    "rc1180": ("rc1180", True, rc1180, Frame(GOOD, rssi_dbm=-72)),
    "rc1180 without": ("rc1180", False, lambda frame: frame, Frame(GOOD)),
    "hex": ("hex", None, hex_line, Frame(GOOD)),
    "rtl_wmbus": ("rtl-wmbus", None, rtl, Frame(GOOD, mode="T1")),
}
CHECKED = [
    "im871a",
    "im871a with time",
    "iu891a",
    "amber",
    "cul T1",
    "cul C1",
    "hex",
    "rtl_wmbus",
]
"""Those in which noise cannot pass for a telegram: a checksum, or a line end."""


def reader(device: str) -> Reader:
    kind, rssi, _, _ = DEVICES[device]
    return RECEIVERS[kind].reader(rssi)


def frames(events: list[Event]) -> list[bytes]:
    return [event.data for event in events if isinstance(event, Frame)]


def fed(device: str, portions: list[bytes]) -> list[Event]:
    line = reader(device)
    return [event for portion in portions for event in line.feed(portion)] + line.pause()


@pytest.mark.parametrize("device", DEVICES)
def test_a_telegram_comes_out_with_its_signal_strength_and_mode(device: str):
    _, _, send, expected = DEVICES[device]
    assert reader(device).feed(send(GOOD)) == [expected]


@pytest.mark.parametrize("device", DEVICES)
@FEW
@given(sent=st.lists(FRAMES, max_size=5, unique=True), data=st.data())
def test_the_portions_bytes_come_in_change_nothing(device: str, sent: list[bytes], data: st.DataObject):
    stream = b"".join(DEVICES[device][2](frame) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    portions = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert frames(fed(device, portions)) == sent


@pytest.mark.parametrize("device", DEVICES)
def test_byte_by_byte_gives_the_same_events_as_at_once(device: str):
    stream = b"\xa5\xff\xc0noise\r\n" + DEVICES[device][2](GOOD) * 2 + b"\x00half" + DEVICES[device][2](GOOD)
    assert fed(device, [bytes((byte,)) for byte in stream]) == fed(device, [stream])


@pytest.mark.parametrize("device", DEVICES)
@FEW
@given(portions=st.lists(st.binary(max_size=300), max_size=8))
def test_arbitrary_bytes_never_raise_and_are_used_up(device: str, portions: list[bytes]):
    line = reader(device)
    for portion in portions:
        line.feed(portion)
    line.pause()
    assert line.feed(b"") == []


@pytest.mark.parametrize("device", CHECKED)
@FEW
@given(noise=st.binary(max_size=200), sent=FRAMES)
def test_noise_before_a_telegram_costs_nothing_once_the_line_has_been_quiet(
    device: str, noise: bytes, sent: bytes
):
    line = reader(device)
    line.feed(noise)
    line.pause()
    assert frames(line.feed(DEVICES[device][2](sent))) == [sent]


@pytest.mark.parametrize("device", ["im871a", "iu891a", "amber"])
@FEW
@given(noise=st.binary(max_size=200), sent=st.lists(FRAMES, min_size=3, max_size=3, unique=True))
def test_noise_without_a_pause_delays_telegrams_and_loses_none_with_a_checksum(
    device: str, noise: bytes, sent: list[bytes]
):
    stream = noise + b"".join(DEVICES[device][2](frame) for frame in sent)
    found = frames(fed(device, [stream]))
    assert found[-3:] == sent


@pytest.mark.parametrize("device", DEVICES)
@FEW
@given(cut=st.integers(1, 20), sent=FRAMES)
def test_after_half_a_telegram_and_a_pause_the_next_one_is_whole(device: str, cut: int, sent: bytes):
    send = DEVICES[device][2]
    line = reader(device)
    line.feed(send(GOOD)[:-cut])
    line.pause()
    assert frames(line.feed(send(sent)) + line.pause())[-1:] == [sent]


@FEW
@given(place=st.integers(4, 29), bit=st.integers(0, 7))
def test_a_turned_bit_is_noticed_by_every_checksum(place: int, bit: int):
    for device in ("im871a", "iu891a", "amber"):
        sent = bytearray(DEVICES[device][2](GOOD))
        sent[place] ^= 1 << bit
        assert GOOD not in frames(fed(device, [bytes(sent)])), device


# --- the air's checksums ----------------------------------------------------------------------------


def test_checksums_have_their_published_check_values():
    assert checksums.crc16_en13757(b"123456789") == 0xC2B7
    assert checksums.crc16_en13757(b"") == 0xFFFF
    assert checksums.crc16_en13757(bytes.fromhex("0C740C740C740C740C74")) == 0x64E5
    assert checksums.crc16_x25(b"123456789") == 0x906E


@FEW
@given(frame=st.binary(min_size=0, max_size=235).map(frame_of), trailer=st.binary(max_size=3))
def test_block_checksums_are_taken_out_of_both_formats(frame: bytes, trailer: bytes):
    assert blocks.format_a(with_crc_a(frame) + trailer) == blocks.Checked(frame, trailer)
    assert blocks.format_b(with_crc_b(frame) + trailer) == blocks.Checked(frame, trailer)


@FEW
@given(raw=st.binary(max_size=300))
def test_block_checksums_of_arbitrary_bytes_never_raise(raw: bytes):
    blocks.format_a(raw)
    blocks.format_b(raw)


def test_a_telegram_on_the_air_with_a_turned_bit_is_a_fault():
    line = bytearray(cul(GOOD))
    line[30] = ord("1") if line[30] != ord("1") else ord("2")
    assert [type(event) for event in reader("cul T1").feed(bytes(line))] == [Fault]


def test_a_line_of_odd_length_is_told_as_the_firmware_fault_it_is():
    line = b"b" + with_crc_a(GOOD).hex().encode()[:-1] + b"\r\n"
    [event] = reader("cul T1").feed(line)
    assert isinstance(event, Fault)
    assert event.reason == "odd_length"


# --- the stray byte ---------------------------------------------------------------------------------


def rc1180_unsaid() -> Reader:
    return RECEIVERS["rc1180"].reader(None)


def test_a_byte_nobody_announced_is_learnt_to_be_the_signal_strength():
    """With pauses between telegrams, as on the air."""
    line, events = rc1180_unsaid(), []
    for _ in range(4):
        events += line.feed(rc1180(GOOD)) + line.pause()
    assert frames(events) == [GOOD] * 4
    assert [event.reason for event in events if isinstance(event, Fault)] == ["stray_byte"]
    assert [event.rssi_dbm for event in events if isinstance(event, Frame)] == [None, None, None, -72]


def test_the_unannounced_byte_is_learnt_without_pauses_too():
    events = rc1180_unsaid().feed(rc1180(GOOD) * 6)
    assert frames(events) == [GOOD] * 6
    assert events[-1] == Frame(GOOD, rssi_dbm=-72)


def test_telegrams_without_the_byte_never_get_one():
    line = rc1180_unsaid()
    events = line.feed(GOOD * 10) + line.pause()
    assert events == [Frame(GOOD)] * 10


def test_a_telegram_whose_announced_byte_does_not_come_is_told_after_a_pause():
    line = RECEIVERS["rc1180"].reader(True)
    assert line.feed(GOOD) == []
    assert line.pause() == [Frame(GOOD)]


# --- lines ------------------------------------------------------------------------------------------


def test_rtl_wmbus_prints_a_telegram_of_two_demodulators_once():
    line = RECEIVERS["rtl-wmbus"].reader(None)
    twice = b"rla;" + rtl(GOOD) + b"t2a;" + rtl(GOOD)
    assert frames(line.feed(twice)) == [GOOD]


def test_the_same_bytes_eight_seconds_later_are_another_telegram():
    line = RECEIVERS["rtl-wmbus"].reader(None)
    later = rtl(GOOD).replace(b"03:04:05", b"03:04:13")
    assert frames(line.feed(rtl(GOOD) + later)) == [GOOD, GOOD]


def test_magnitudes_of_rtl_wmbus_are_no_dbm_and_negative_ones_are():
    line = RECEIVERS["rtl-wmbus"].reader(None)
    esp = b"T1;1;1;2026-01-02 03:04:06.00Z;-61;;;0x" + GOOD.hex().encode() + b"\n"
    assert line.feed(rtl(GOOD) + esp) == [Frame(GOOD, mode="T1"), Frame(GOOD, mode="T1", rssi_dbm=-61)]


def test_lines_with_bad_checksums_and_messages_of_rtl_wmbus_are_no_telegrams():
    line = RECEIVERS["rtl-wmbus"].reader(None)
    events = line.feed(rtl(GOOD).replace(b"T1;1;1", b"T1;0;1") + b"rtl_wmbus: monitoring flow\n")
    assert [type(event) for event in events] == [Fault]


def test_two_telegrams_on_one_line_are_two():
    other = frame_of(b"\x01\x02")
    line = rtl(GOOD).strip() + b";0x" + other.hex().encode() + b"\n"
    assert frames(RECEIVERS["rtl-wmbus"].reader(None).feed(line)) == [GOOD, other]


@pytest.mark.parametrize("text", ["1 123456", "1: 123456", "1=123456", "  1\t123456  "])
def test_pulse_boards_say_channel_and_count(text: str):
    assert RECEIVERS["pulses"].reader(None).feed(text.encode() + b"\r\n") == [Pulse("1", 123456)]


def test_a_line_of_a_pulse_board_that_is_no_count_is_a_fault():
    [event] = RECEIVERS["pulses"].reader(None).feed(b"booting...\n")
    assert isinstance(event, Fault)


def test_blanks_and_bars_in_hex_lines_are_for_the_eye():
    text = GOOD.hex(" ").upper().replace(" ", "_|") + "\n"
    assert frames(RECEIVERS["hex"].reader(None).feed(b"0x" + text.encode())) == [GOOD]
