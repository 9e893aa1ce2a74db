"""What is advised for the accidents people have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import decode
from decoders.build import EllSpec, build
from decoders.shipped_layouts import shipped_layouts
from decoders.why_not import Advice, why_not
from decoders.wmbus import blocks, ciphers, radio
from decoders.wmbus.compact import compact_frame
from decoders.wmbus.layouts import Layouts
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
RADIO = MeterId("RAD", "11223344", "03", "37")
KEY = bytes(range(16))
OTHER = bytes(range(100, 116))
RECORDS = bytes.fromhex("0413181E0000 441310270000 046D0F0A2137 02FD170000")
PLAIN = build(METER, RECORDS)
SEALED = build(METER, RECORDS, mode=5, key=KEY, access=7)


def advised(frame: bytes, *keys: bytes, layouts: Layouts | None = None) -> list[str]:
    return [advice.name for advice in why_not(frame, lambda _: keys, layouts)]


@pytest.mark.parametrize(
    "frame", [PLAIN, PLAIN + b"\x5e", blocks.add_format_a(PLAIN), blocks.add_format_b(PLAIN), SEALED]
)
def test_what_decodes_needs_no_advice(frame):
    assert advised(frame, KEY) == []


def test_a_missing_key_is_asked_for_by_the_meters_name():
    [advice] = why_not(SEALED)
    assert advice == Advice(
        "key_missing",
        "the key of ELS-12345678-33-03 is needed; the owner of the meter gets it from the manufacturer",
        {"meter": str(METER)},
    )


def test_behind_a_radio_adapter_the_meters_key_is_asked_for():
    frame = build(METER, RECORDS, sender=RADIO, header="long", mode=5, key=KEY)
    [advice] = why_not(frame)
    assert advice.evidence == {"meter": str(METER), "sender": str(RADIO)}


@pytest.mark.parametrize(
    ("frame", "key", "names"),
    [
        (SEALED, OTHER, ["key_wrong"]),
        (SEALED, KEY[::-1], ["key_reversed", "key_wrong"]),
        (build(METER, RECORDS, mode=5, key=bytes(16)), OTHER, ["zero_key_fits", "key_wrong"]),
        (build(METER, RECORDS, mode=7, key=KEY, counter=1), OTHER, ["key_wrong"]),
        (SEALED, KEY[:8], ["key_wrong"]),
    ],
)
def test_a_wrong_key_is_tried_the_ways_people_mistake_it(frame, key, names):
    assert advised(frame, key) == names


def test_half_of_a_key_opens_des():
    plain = b"\x2f\x2f" + RECORDS + b"\x2f" * 7
    body = bytes((7, 0, len(plain), 2)) + ciphers.encrypt_des(KEY[8:], plain)
    frame = build(METER, body, header="none", ci=0x7A)
    assert advised(frame, KEY) == ["key_too_long", "key_wrong"]


@pytest.mark.parametrize("appended", [b"\x5e", b"\x5e\xc3"])
def test_a_byte_the_receiver_appended_and_counts(appended):
    """Inside an encrypted link it spoils the checksum; the key is blamed for it."""
    frame = build(METER, RECORDS, header="none", key=KEY, ell=EllSpec(ci=0x8D, session=1 << 29))
    frame = bytes((frame[0] + len(appended),)) + frame[1:] + appended
    assert advised(frame, KEY) == ["byte_appended", "key_wrong"]


def test_checksums_left_on_with_one_damaged():
    sent = bytearray(blocks.add_format_a(SEALED))
    sent[28] ^= 1
    assert advised(bytes(sent), KEY)[0] == "checksums_left_on"
    [advice] = [one for one in why_not(bytes(sent), lambda _: (KEY,)) if one.name == "checksums_left_on"]
    assert advice.evidence == {"damaged_blocks": 1, "blocks": 4}


def test_checksums_left_on_and_counted():
    sent = bytearray(blocks.add_format_a(SEALED))
    sent[0] = len(sent) - 1
    sent[11] ^= 1
    assert "checksums_left_on" in advised(bytes(sent), KEY)


@pytest.mark.parametrize("before", [b"\xff", b"\x00\x55", b"\xaa\xaa\xaa\x54\x3d"])
def test_bytes_before_the_telegram(before):
    assert "begins_later" in advised(before + PLAIN)


def test_two_telegrams_one_after_another():
    assert advised(PLAIN + SEALED) == ["several_telegrams", "length_wrong"]


@pytest.mark.parametrize("change", [5, 30])
def test_a_length_field_that_is_wrong(change):
    assert "length_wrong" in advised(bytes((PLAIN[0] + change,)) + PLAIN[1:])


def test_a_telegram_cut_by_the_receiver():
    assert advised(SEALED[:-10], KEY) == ["truncated_by_receiver"]


def test_chips_instead_of_bytes():
    assert "still_coded" in advised(radio.encode_six(blocks.add_format_a(PLAIN)))


def test_a_compact_frame_waits_for_a_full_one():
    frame = build(METER, compact_frame(RECORDS), header="none", ci=0x79)
    layouts = shipped_layouts()
    assert advised(frame, layouts=layouts) == ["layout_unknown"]
    known = len(layouts)
    decode(build(METER, RECORDS), layouts=layouts)
    assert (advised(frame, layouts=layouts), len(layouts)) == ([], known + 1)


def test_trials_teach_nothing():
    layouts = Layouts()
    advised(bytes((PLAIN[0] + 30,)) + PLAIN[1:], layouts=layouts)
    assert len(layouts) == 0


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (build(METER, RECORDS + b"\x04\x13\x01"), "record_cut"),
        (build(METER, RECORDS + b"\x3f\x13\x01"), "no_record"),
        (build(METER, b"", control=0x40), "no_data"),
        (build(METER, b"\x01", header="none", ci=0xA3), "model_missing"),
        (build(METER, RECORDS, header="none", ci=0x81), "layer_not_read"),
        (build(METER, RECORDS, header="none", ci=0x23), "perhaps_encrypted"),
        (bytes(3), "not_a_telegram"),
        (b"", "not_a_telegram"),
    ],
)
def test_what_an_error_means(frame, name):
    assert name in advised(frame)


def test_no_key_is_in_any_advice():
    for frame in (SEALED, SEALED[:-4], build(METER, RECORDS, mode=7, key=KEY, counter=1)):
        for key in (KEY, KEY[::-1], OTHER):
            said = repr(why_not(frame, lambda _, key=key: (key,)))
            assert key.hex() not in said.lower()
            assert repr(key)[2:-1] not in said


@given(st.binary(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_advised_upon_or_decode(frame):
    names = advised(frame, KEY)
    assert len(names) == len(set(names)) or names.count("length_wrong") == 2
