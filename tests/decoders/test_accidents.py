"""What people and receivers do to telegrams on the way, and that it does no harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, decode, peek
from decoders.build import build
from decoders.decoder import Decoder
from decoders.lengths import ends_cleanly, left_over
from decoders.trace import trace
from decoders.wmbus import blocks, link
from ingest.adapters.lines import frame_of
from metering.meter import MeterId

METER = MeterId("KAM", "76348799", "1b", "16")
ADAPTER = MeterId("RAD", "11223344", "03", "37")
KEY = bytes(range(16))
RECORDS = bytes.fromhex("0413181E0000 441310270000 046D0F0A2137")
FRAME = build(METER, RECORDS, access=9)
OTHER = build(METER, RECORDS, access=10)
LONG = build(METER, RECORDS * 9)


def values(frame: bytes, *keys: bytes):
    telegram = decode(frame, lambda _: keys)
    return telegram.meter, [(record.register, record.value) for record in telegram.records]


def spaced(text: str, between: str) -> str:
    return between.join(text[at : at + 2] for at in range(0, len(text), 2))


@pytest.mark.parametrize(
    "text",
    [
        FRAME.hex(),
        FRAME.hex().upper(),
        "0x" + FRAME.hex(),
        "0X" + FRAME.hex().upper(),
        spaced(FRAME.hex(), " "),
        spaced(FRAME.hex(), "|"),
        spaced(FRAME.hex(), "_"),
        spaced(FRAME.hex(), " 0x"),
        f"  |{FRAME[:10].hex()}_{FRAME[10:].hex()}|\t\r\n",
    ],
)
def test_ornaments_of_hexadecimal(text):
    assert frame_of(text) == FRAME


def test_two_telegrams_on_a_line():
    assert link.split(frame_of(FRAME.hex() + OTHER.hex())) == [FRAME, OTHER]
    with pytest.raises(DecodeError):
        decode(FRAME + OTHER)


@pytest.mark.parametrize("frame", [FRAME, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "accident",
    [
        blocks.add_format_a,
        blocks.add_format_b,
        lambda frame: blocks.add_format_a(frame) + b"\x5e",
        lambda frame: blocks.add_format_b(frame) + b"\x5e\xc3",
        lambda frame: frame + b"\x5e",
        lambda frame: frame + b"\x5e\x00\x00\x12",
        lambda frame: frame[:1] + bytes((frame[1] | 0x80,)) + frame[2:],
    ],
    ids=["CRC A", "CRC B", "CRC A, RSSI", "CRC B, LQI and RSSI", "RSSI", "RSSI and time", "relayed"],
)
def test_what_receivers_leave_on(frame, accident):
    assert values(accident(frame)) == values(frame)


@pytest.mark.parametrize("missing", [2, 4])
def test_a_length_field_that_still_counts_the_checksums(missing):
    """One checksum of format B or two were cut off, and L says what it said on air."""
    assert values(bytes((FRAME[0] + missing,)) + FRAME[1:]) == values(FRAME)


@pytest.mark.parametrize("stray", [b"\xde\x47", b"\xff\xff", b"\x8f"])
def test_a_checksum_counted_in_the_length(stray):
    frame = bytes((FRAME[0] + len(stray),)) + FRAME[1:] + stray
    telegram = decode(frame)
    assert (telegram.faults, values(frame)) == ((), values(FRAME))


def test_the_meter_behind_a_radio_adapter():
    frame = build(METER, RECORDS, sender=ADAPTER, header="long", mode=5, key=KEY, access=3)
    telegram = decode(frame, lambda meter: (KEY,) if meter == METER else ())
    assert (telegram.meter, telegram.sender) == (METER, ADAPTER)
    assert peek(frame).meter == METER


def test_one_meter_that_sends_in_clear_and_encrypted():
    """Neither kind makes the other one unreadable, key or no key."""
    sealed = build(METER, RECORDS, mode=5, key=KEY, access=9)
    for frame in (FRAME, sealed, FRAME, sealed):
        assert values(frame, KEY) == values(FRAME)
    assert values(FRAME) == values(FRAME, KEY)


def test_identical_telegrams_are_decoded_alike():
    """Meters repeat identical bytes for hours; that is nobody's business here."""
    assert decode(FRAME) == decode(FRAME)


@pytest.mark.parametrize("missing", [1, 3])
def test_a_length_too_small_for_what_is_encrypted_is_mended_if_the_key_proves_it(missing):
    sealed = build(METER, RECORDS, mode=5, key=KEY, access=9)
    short = bytes((sealed[0] - missing,)) + sealed[1:] + b"\x5e"
    assert values(short, KEY) == values(sealed, KEY)
    assert decode(short, lambda _: [KEY]).frame == sealed
    for keys, code in (([], "missing_key"), ([bytes(16)], "truncated")):
        with pytest.raises(DecodeError) as caught:
            decode(short, lambda _, keys=keys: keys)
        assert caught.value.code == code


def test_the_trace_of_a_mended_length_covers_what_came():
    sealed = build(METER, RECORDS, mode=5, key=KEY, access=9)
    short = bytes((sealed[0] - 1,)) + sealed[1:]
    traced = trace(short, lambda _: [KEY])
    assert traced.error is None
    assert b"".join(span.raw for span in traced.spans) == short


@pytest.mark.parametrize("more", [1, 3])
def test_a_length_too_large_by_one_or_three_is_told_where_records_end_with_the_bytes(more):
    """The frame could be cut as well, so it counts as faulty unless something in it proves its end."""
    long = bytes((FRAME[0] + more,)) + FRAME[1:]
    telegram = decode(long)
    assert values(long) == values(FRAME)
    assert telegram.frame == FRAME
    assert [fault.code for fault in telegram.faults] == ["bad_length"]
    assert telegram.faults[0].evidence == {"received": len(FRAME), "expected": len(FRAME) + more}
    traced = trace(long)
    assert (traced.error, b"".join(span.raw for span in traced.spans)) == (None, long)


@pytest.mark.parametrize("more", [1, 3])
def test_a_length_too_large_is_mended_if_the_key_proves_it(more):
    sealed = build(METER, RECORDS, mode=5, key=KEY, access=9)
    long = bytes((sealed[0] + more,)) + sealed[1:]
    telegram = decode(long, lambda _: [KEY])
    assert (telegram.faults, telegram.frame) == ((), sealed)
    for keys in ([], [bytes(16)]):
        with pytest.raises(DecodeError) as caught:
            decode(long, lambda _, keys=keys: keys)
        assert caught.value.code == "truncated"


@pytest.mark.parametrize("cut", [1, 3])
def test_a_telegram_cut_inside_a_record_is_no_telegram_of_another_length(cut):
    with pytest.raises(DecodeError) as caught:
        decode(FRAME[:-cut])
    assert caught.value.code == "truncated"
    assert trace(FRAME[:-cut]).error is not None


@pytest.mark.parametrize("less", [1, 2, 3, 4])
@pytest.mark.parametrize("behind", [b"", b"\x5e", b"\xfe\xd0"])
def test_a_length_too_small_is_mended_where_the_bytes_behind_complete_the_records(less, behind):
    short = bytes((FRAME[0] - less,)) + FRAME[1:] + behind
    telegram = decode(short)
    assert (telegram.faults, telegram.frame) == ((), FRAME)
    assert values(short) == values(FRAME)
    traced = trace(short)
    assert (traced.error, b"".join(span.raw for span in traced.spans)) == (None, short)


def test_of_a_single_record_too():
    alone = build(METER, RECORDS[:6], access=1)
    assert values(bytes((alone[0] - 2,)) + alone[1:]) == values(alone)


def test_bytes_that_make_no_record_are_the_receivers():
    """A checksum counted in L, signal strength behind it: together a record, but one without data."""
    frame = bytes((FRAME[0] + 1,)) + FRAME[1:] + b"\x00\x13"
    assert values(frame) == values(FRAME)
    assert decode(frame).faults == ()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=2), min_size=2, max_size=4), st.booleans())
def test_a_stream_takes_bytes_left_over_as_each_telegram_alone_does(strays, tight):
    decoder = Decoder()
    records = RECORDS if tight else RECORDS + b"\x2f"
    plain = build(METER, records, access=9)
    for stray in strays * 2:
        frame = bytes((plain[0] + len(stray),)) + plain[1:] + stray
        assert like(decoder.decode, frame) == like(decode, frame)


def like(decoding, frame: bytes):
    try:
        telegram = decoding(frame)
    except DecodeError as error:
        return error.code, error.offset
    return telegram.frame, telegram.records, telegram.manufacturer_data, [str(one) for one in telegram.faults]


def test_a_stream_takes_lengths_as_each_telegram_alone_does():
    decoder = Decoder()
    stray = bytes((FRAME[0] + 1,)) + FRAME[1:] + b"\x02"
    lines = [FRAME, stray, stray + b"\x5e", stray + b"\xfd\x17\x00\x00"]
    lines += [bytes((FRAME[0] + off & 0xFF,)) + FRAME[1:] for off in (1, 3, -1, -2, -3)]
    for frame in lines * 2:
        told, alone = decoder.decode(frame), decode(frame)
        assert (told.frame, told.records) == (alone.frame, alone.records)
        assert [str(fault) for fault in told.faults] == [str(fault) for fault in alone.faults]


def of_format_b(records: bytes) -> bytes:
    return blocks.add_format_b(build(METER, records, access=9))


@pytest.mark.parametrize("records", [RECORDS, RECORDS[:6], RECORDS * 9], ids=["three", "one", "two blocks"])
def test_a_turned_bit_under_a_checksum_of_format_b_is_noticed(records):
    """A damaged frame of format B is as long as one without checksums: what is left over gives it away.

    A bit that makes the records swallow the checksum hides it: one in fifty may.
    """
    frame = of_format_b(records)
    good, unnoticed = values(frame), 0
    for bit in range(8, 8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            telegram = decode(bytes(damaged))
        except DecodeError:
            continue
        told = [(record.register, record.value) for record in telegram.records]
        unnoticed += not telegram.faults and (telegram.meter, told) != good
    assert unnoticed <= 8 * len(frame) // 50


def test_bytes_left_over_that_are_no_checksum_make_no_damage():
    """Of frames with two bytes behind their records one in 434 is taken for a damaged one, no more."""
    frame = bytes((FRAME[0] + 2,)) + FRAME[1:]
    refused = 0
    for number in range(0, 1 << 16, 7):
        try:
            decode(frame + number.to_bytes(2, "big"))
        except DecodeError as error:
            refused += error.code == "bad_crc"
    assert refused <= 2 * (1 << 16) / 7 / 434


@pytest.mark.parametrize("end", ["0F", "1F", "2F2F0F"])
def test_manufacturer_data_of_no_bytes_are_nothing_left_over(end):
    telegram = decode(build(METER, RECORDS + bytes.fromhex(end)))
    assert left_over(telegram) == b""
    assert ends_cleanly(telegram)
    decoder = Decoder()
    frames = [build(METER, RECORDS + bytes.fromhex(end), access=number) for number in range(2)]
    decoder.decode(frames[0])
    assert decoder.fit(frames[1])


def test_two_bytes_left_over_may_hold_a_filler():
    """DIF DD says BCD of variable length: two bytes do not hold its header."""
    decoder = Decoder()
    decoder.decode(build(METER, RECORDS + b"\xdd\x2f"))
    for stray in (b"\xdd\x2f", b"\x8d\x2f", b"\x2f\x13", b"\x2f\x2f", b"\x0f\x2f", b"\x04\x13"):
        frame = build(METER, RECORDS + stray)
        assert like(decoder.decode, frame) == like(decode, frame)
    assert decoder.fit(build(METER, RECORDS + b"\x8d\x2f"))
