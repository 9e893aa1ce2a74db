"""Link layer: checksums, lengths, trailers, addresses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.errors import FrameError
from decoders.wmbus import blocks, link, wired
from metering.meter import MeterId

OMS_N21 = bytes.fromhex(
    "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
)
HEAD = bytes.fromhex("44934478563412330 7".replace(" ", ""))


def frame(size: int) -> bytes:
    """A frame of ``size`` bytes after L, without checksums; its bytes look like nothing in particular."""
    body = HEAD + bytes((0x7A,)) + bytes((37 * n + 11) & 0xFF for n in range(255))
    return bytes((size,)) + body[:size]


def refused(raw: bytes, **how) -> FrameError:
    with pytest.raises(FrameError) as caught:
        link.normalise(raw, **how)
    return caught.value


def test_format_a_of_an_oms_example_is_verified_and_stripped():
    seen = link.normalise(OMS_N21)
    assert seen.crc == "A"
    assert seen.data[:12].hex() == "2e4493157856341233037a2a"
    assert len(seen.data) == seen.data[0] + 1 == 47


@pytest.mark.parametrize("size", range(10, 256))
def test_format_a_round_trip_at_every_length(size):
    plain = frame(size)
    sent = blocks.add_format_a(plain)
    assert len(sent) == blocks.size_a(size) == size + 1 + 2 * (1 + -(-(size - 9) // 16))
    assert link.normalise(sent) == link.Frame(plain, "A")


@pytest.mark.parametrize("size", range(10, 252))
def test_format_b_round_trip_at_every_length(size):
    plain = frame(size)
    sent = blocks.add_format_b(plain)
    assert sent[0] + 1 == len(sent) == size + (3 if size <= 125 else 5)
    assert link.normalise(sent) == link.Frame(plain, "B")


@pytest.mark.parametrize("size", range(10, 256))
def test_a_frame_without_checksums_stays_as_it_is(size):
    assert link.normalise(frame(size)) == link.Frame(frame(size))


@pytest.mark.parametrize("crc", ["A", "B", "none"])
@pytest.mark.parametrize("extra", [1, 4, link.TRAILER_LIMIT])
def test_bytes_a_receiver_appends_are_dropped_and_noted(crc, extra):
    plain = frame(60)
    sent = {"A": blocks.add_format_a, "B": blocks.add_format_b, "none": bytes}[crc](plain)
    tail = bytes(range(0xB0, 0xB0 + extra))
    assert link.normalise(sent + tail) == link.Frame(plain, crc, trailer=tail)


def test_more_than_a_trailer_is_another_length():
    error = refused(frame(60) + bytes(link.TRAILER_LIMIT + 1))
    assert (error.code, error.evidence) == ("bad_length", {"received": 70, "expected": 61})


@pytest.mark.parametrize("size", [11, 30, 60, 255])
def test_a_damaged_block_of_format_a_is_named_with_its_place(size):
    sent = blocks.add_format_a(frame(size))
    for number, (start, end) in enumerate(blocks.blocks_a(size), 1):
        damaged = bytearray(sent)
        damaged[end] ^= 0x10  # its checksum
        if number > 1:
            damaged[start] ^= 0x01
        error = refused(bytes(damaged))
        assert (error.code, error.offset) == ("bad_crc", start)
        assert error.evidence == {"format": "A", "block": number, "start": start, "end": end}


@pytest.mark.parametrize("size", [30, 200])
def test_a_damaged_frame_of_format_b_is_refused_where_the_receiver_is_known(size):
    sent = bytearray(blocks.add_format_b(frame(size)))
    sent[15] ^= 0x40
    error = refused(bytes(sent), crc="B")
    assert (error.code, error.evidence["block"]) == ("bad_crc", 1)


def test_a_receiver_known_to_leave_no_checksums_is_believed():
    sent = blocks.add_format_b(frame(30))
    assert link.normalise(sent, crc="none") == link.Frame(sent)


@pytest.mark.parametrize("missing", [2, 4])
def test_length_is_corrected_where_a_receiver_trimmed_checksums_and_left_it(missing):
    plain = frame(60)
    left = bytes((60 + missing,)) + plain[1:]
    assert link.normalise(left) == link.Frame(plain, length_was=60 + missing)


@given(st.integers(10, 255), st.data())
@settings(deadline=None)
def test_a_frame_cut_short_is_told(size, data):
    left = data.draw(st.integers(2, size).filter(lambda n: n < size - 3))
    cut = frame(size)[:left]
    told = (
        {"truncated", "not_a_frame", "bad_checksum"}
        if wired.looks_wired(cut)
        else {"truncated", "not_a_frame"}
    )
    assert refused(cut).code in told


@pytest.mark.parametrize("missing", [1, 3])
def test_where_only_the_payload_can_prove_that_l_is_wrong_the_frame_says_so(missing):
    """One byte or three fewer than L says: by :mod:`decoders.lengths`."""
    plain = frame(60)
    left = bytes((60 + missing,)) + plain[1:]
    found = link.normalise(left)
    assert found == link.Frame(plain, length_was=60 + missing, missing=missing)
    assert link.cut_short(found).code == "truncated"
    assert link.cut_short(found).evidence == {"received": 61, "expected": 61 + missing}


@given(st.integers(11, 255), st.data())
@settings(deadline=None)
def test_a_frame_of_format_a_cut_short_is_told(size, data):
    sent = blocks.add_format_a(frame(size))
    left = data.draw(st.integers(12, len(sent) - 1).filter(lambda n: n != size + 1))
    assert refused(sent[:left]).code == "truncated"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "not_a_frame"),
        ("2E", "not_a_frame"),
        ("2E44931578563412", "not_a_frame"),
        ("0A0F9315785634123303", "not_a_frame"),
        ("05449315785634123303", "bad_length"),
        ("FF449315785634123303", "truncated"),
    ],
)
def test_what_is_no_frame(raw, code):
    assert refused(bytes.fromhex(raw)).code == code


def test_a_format_b_length_that_cannot_be_is_refused():
    assert refused(bytes((128,)) + frame(128)[1:], crc="B").code == "bad_length"


# --- several frames in one buffer ----------------------------------------------------------------


@given(st.lists(st.integers(10, 80), min_size=1, max_size=5))
@settings(deadline=None)
def test_frames_that_fill_a_buffer_are_split(sizes):
    frames = [frame(size) for size in sizes]
    assert link.split(b"".join(frames)) == frames


@given(st.lists(st.integers(10, 80), min_size=2, max_size=5))
@settings(deadline=None)
def test_a_buffer_that_is_not_filled_exactly_stays_whole(sizes):
    buffer = b"".join(frame(size) for size in sizes)[:-1]
    assert link.split(buffer) == [buffer]


@given(st.binary(max_size=80))
def test_splitting_loses_nothing(raw):
    assert b"".join(link.split(raw)) == raw


# --- header --------------------------------------------------------------------------------------


def sender(hexed: str) -> str:
    return str(link.header(bytes.fromhex(hexed)).sender)


def test_header_of_an_oms_example():
    head = link.header(link.normalise(OMS_N21).data)
    assert head == link.LinkHeader(0x44, MeterId("ELS", "12345678", "33", "03"), OMS_N21[2:10])


def test_bit_15_of_the_manufacturer_is_no_part_of_its_letters():
    assert sender("0A4493957856341233037A") == "ELS-12345678-33-03"


def test_bit_7_of_the_control_field_is_no_part_of_it():
    assert link.header(bytes.fromhex("0AC493157856341233037A")).control == 0x44


def test_a_manufacturer_without_letters_is_no_frame():
    with pytest.raises(FrameError) as caught:
        link.header(bytes.fromhex("0A4400007856341233037A"))
    assert (caught.value.code, caught.value.offset) == ("not_a_frame", 2)


def test_serials_may_hold_letters():
    assert sender("0A449315DEFFE42033037A") == "ELS-20E4FFDE-33-03"


@pytest.mark.parametrize(
    ("start", "tail", "expected"),
    [
        ("2044A511 04 07 78563412", "A1 00000000", "DME-12345678-04-07"),
        ("20442423 85 06 78563412", "B2 00000000", "HYD-12345678-85-06"),
        ("20442423 85 06 78563412", "71 00000000", "HYD-12345678-85-06"),
        ("20442423 85 06 78563412", "7A 2A000010", "HYD-12345678-85-06"),
        ("2044304C 78563412 9A BC", "A0 00000000", "SAP-12345678-00-07"),
        ("20442423 78563412 85 06", "7A 2A002005", "HYD-12345678-85-06"),
        ("20442423 78563412 85 06", "78 00000000", "HYD-12345678-85-06"),
        ("20442D2C 78563412 1B 16", "A1 00000000", "KAM-12345678-1b-16"),
        ("20082423 78563412 85 06", "A1 00000000", "HYD-12345678-85-06"),
    ],
)
def test_the_diehl_family_swaps_its_address_in_its_own_frames_only(start, tail, expected):
    assert sender(start + tail + "00" * 18) == expected


def test_who_sends_what():
    assert link.CONTROL[0x44] == link.Control("SND-NR", from_meter=True)
    assert link.CONTROL[0x7B] == link.Control("REQ-UD2", from_meter=False)
    assert {name for name, from_meter in link.CONTROL.values() if from_meter} == {
        "SND-NR",
        "SND-IR",
        "ACC-NR",
        "ACC-DMD",
        "RSP-UD",
    }
