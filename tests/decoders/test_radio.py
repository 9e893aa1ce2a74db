"""From chips to bytes: three out of six, Manchester, which mode and format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders import DecodeError, FrameError, decode
from decoders.build import build
from decoders.wmbus import blocks, link, radio
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
FRAME = build(METER, bytes.fromhex("0413 01000000"))


def refused(chips: bytes) -> FrameError:
    with pytest.raises(FrameError) as caught:
        radio.after_sync(chips)
    return caught.value


def test_the_first_four_bytes_of_a_telegram_in_chips():
    """``2F 44 68 50`` in the table of EN 13757-4."""
    chips = bytes.fromhex("3A971C6AC656")
    assert radio.encode_six(bytes.fromhex("2F446850")) == chips
    assert radio.decode_six(chips, 4) == bytes.fromhex("2F446850")


def test_every_word_has_three_ones_and_no_two_are_alike():
    words = [
        radio.encode_six(bytes((half,)))[0] << 4 | radio.encode_six(bytes((half,)))[1] >> 4
        for half in range(16)
    ]
    low = [word & 0x3F for word in words]
    assert len(set(low)) == 16
    assert all(word.bit_count() == 3 for word in low)


@given(st.binary(max_size=80))
def test_three_out_of_six_goes_both_ways(frame):
    assert radio.decode_six(radio.encode_six(frame), len(frame)) == frame


@given(st.binary(max_size=80))
def test_manchester_goes_both_ways(frame):
    assert radio.decode_manchester(radio.encode_manchester(frame)) == frame


def test_manchester_of_one_byte():
    assert radio.encode_manchester(b"\x0f").hex() == "aa55"


@given(st.binary(min_size=1, max_size=40), st.data())
def test_one_wrong_chip_is_found_in_both_codings(frame, data):
    """Three out of six finds every single error; in Manchester a wrong chip makes an equal pair."""
    place = data.draw(st.integers(0, 12 * len(frame) - 1))
    chips = bytearray(radio.encode_six(frame))
    chips[place // 8] ^= 0x80 >> place % 8
    with pytest.raises(FrameError) as caught:
        radio.decode_six(bytes(chips), len(frame))
    assert caught.value.offset == place // 12

    place = data.draw(st.integers(0, 16 * len(frame) - 1))
    chips = bytearray(radio.encode_manchester(frame))
    chips[place // 8] ^= 0x80 >> place % 8
    with pytest.raises(FrameError) as caught:
        radio.decode_manchester(bytes(chips))
    assert caught.value.offset == place // 16


@pytest.mark.parametrize(
    ("chips", "mode", "crc"),
    [
        (radio.encode_six(blocks.add_format_a(FRAME)) + b"\x55", "T", "A"),
        (b"\x54\xcd" + blocks.add_format_a(FRAME) + b"\xaa\xaa", "C", "A"),
        (b"\x54\x3d" + blocks.add_format_b(FRAME) + b"\xaa\xaa", "C", "B"),
    ],
)
def test_mode_and_format_are_told_by_what_follows_the_sync(chips, mode, crc):
    heard = radio.after_sync(chips)
    assert (heard.mode, heard.crc) == (mode, crc)
    assert link.normalise(heard.frame, crc=heard.crc) == link.Frame(FRAME, crc)
    assert decode(heard.frame).meter == METER


@pytest.mark.parametrize(
    ("chips", "code"),
    [
        ("", "truncated"),
        ("54CD", "bad_length"),
        ("54CD05", "bad_length"),
        ("54CD1E44", "truncated"),
        ("543D", "truncated"),
        ("543D1E44", "truncated"),
        ("000000", "not_a_frame"),
        ("3A9000", "truncated"),
    ],
)
def test_what_is_no_frame_on_air(chips, code):
    assert refused(bytes.fromhex(chips)).code == code


@given(st.binary(max_size=300))
def test_any_chips_give_a_frame_or_a_documented_error(chips):
    try:
        heard = radio.after_sync(chips)
    except DecodeError as error:
        assert error.code in {"truncated", "bad_length", "not_a_frame"}  # noqa: PT017  either is fine
    else:
        assert len(heard.frame) <= len(chips)
