"""Wired M-Bus frames."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.decode import decode
from decoders.errors import DecodeError, FrameError, LayerError
from decoders.wmbus import link, wired
from metering.errors import InvalidValue

OMS_N22 = bytes.fromhex("6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916")


def refused(raw: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        link.normalise(raw)
    return caught.value


def test_the_oms_example_is_a_wired_frame():
    assert link.normalise(OMS_N22) == link.Frame(OMS_N22, wired=True)


def test_appended_bytes_are_dropped_and_noted():
    assert link.normalise(OMS_N22 + b"\x42") == link.Frame(OMS_N22, trailer=b"\x42", wired=True)


@pytest.mark.parametrize(
    ("raw", "frame"),
    [
        ("E5", "ack"),
        ("10 40 FD 3D 16", "short"),
        ("10 5B FD 58 16", "short"),
        ("10 7B FD 78 16", "short"),
        ("68 03 03 68 53 FE 50 A1 16", "control"),
    ],
)
def test_frames_without_data_are_recognised(raw, frame):
    error = refused(bytes.fromhex(raw))
    assert isinstance(error, LayerError)
    assert (error.code, error.evidence["frame"]) == ("not_meter_data", frame)


def test_selection_of_all_devices_is_a_command():
    """Its checksum is the published one."""
    frame = bytes.fromhex("680B0B6873FD52FFFFFFFFFFFFFFFFBA16")
    assert link.normalise(frame).wired
    with pytest.raises(LayerError) as caught:
        decode(frame)
    assert caught.value.code == "not_meter_data"


@pytest.mark.parametrize("place", [4, 5, 6, 20, len(OMS_N22) - 2, len(OMS_N22) - 1])
def test_a_damaged_frame_fails_its_checksum(place):
    damaged = bytearray(OMS_N22)
    damaged[place] ^= 0x20
    assert refused(bytes(damaged)).code == "bad_checksum"


def test_no_flipped_bit_goes_unnoticed():
    for bit in range(8 * len(OMS_N22)):
        damaged = bytearray(OMS_N22)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            decode(bytes(damaged))


@pytest.mark.parametrize("size", range(1, len(OMS_N22)))
def test_a_frame_cut_short_is_told(size):
    assert refused(OMS_N22[:size]).code in {"truncated", "not_a_frame"}


def test_lengths_that_differ_are_no_frame():
    assert refused(bytes.fromhex("68030468 53FE50 A1 16")).code == "not_a_frame"


def test_a_length_below_three_is_refused():
    assert refused(bytes.fromhex("68020268 5350 A3 16")).code == "bad_length"


@given(st.binary(min_size=4, max_size=255))
@settings(deadline=None)
def test_round_trip(body):
    assert link.normalise(wired.encode(body)).data[4:-2] == body


def test_a_body_too_long_is_refused():
    with pytest.raises(InvalidValue):
        wired.encode(bytes(256))


def test_a_wireless_frame_of_length_68_stays_wireless():
    raw = bytes.fromhex("68446868") + bytes.fromhex("785634121B16") + bytes((0x78,)) + bytes(94)
    assert len(raw) == 0x69
    assert not link.normalise(raw).wired
