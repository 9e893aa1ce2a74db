"""Compact and format frames: signature, expansion, learning, and what does not fit."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, decode
from decoders.build import EllSpec, build
from decoders.decoder import Decoder
from decoders.shipped_layouts import shipped_layouts
from decoders.trace import Understanding, trace
from decoders.wmbus import compact
from decoders.wmbus.layouts import Layouts, headers_of, signature_of, split_headers
from decoders.wmbus.records import walk
from metering.errors import InvalidValue
from metering.meter import MeterId

METER = MeterId("KAM", "76348799", "1b", "16")
SIBLING = MeterId("KAM", "11112222", "1b", "16")
STRANGER = MeterId("KAM", "11112222", "19", "04")
KEY = bytes(range(16))
FULL = bytes.fromhex("0202D204 02152E16 022A3423")
"""The example of EN 13757-3, annex G.5.2: 123.4 Wh, 567.8 m3, 901.2 W; below as sent in each form."""
HEADERS = bytes.fromhex("02020215022A")
COMPACT = bytes.fromhex("313B 42A6 D204 2E16 3423")
FORMAT = bytes.fromhex("08 313B 0202 0215 022A")
LINK = EllSpec(ci=0x8D, access=9, session=0)


def values(telegram):
    return [(record.difvif, record.value) for record in telegram.records]


ANNEX_G = [("0202", Decimal("123.4")), ("0215", Decimal("567.8")), ("022A", Decimal("901.2"))]


def sent(payload: bytes, ci: int, meter: MeterId = METER, **how) -> bytes:
    return build(meter, payload, header="none", ci=ci, **how)


def refused(frame: bytes, layouts: Layouts | None = None, *keys: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame, lambda _: keys, layouts)
    return caught.value


def test_the_example_of_annex_g_is_written_as_printed():
    assert compact.compact_frame(FULL) == COMPACT
    assert compact.format_frame(HEADERS) == FORMAT


@pytest.mark.parametrize(
    "teacher",
    [sent(FULL, 0x78), sent(FORMAT, 0x69), build(METER, FULL), build(METER, FULL, mode=5, key=KEY)],
    ids=["full, no header", "format", "full, short header", "full, encrypted"],
)
def test_a_layout_is_learnt_and_expands_the_compact_frame(teacher):
    layouts = Layouts()
    frame = sent(COMPACT, 0x79)
    assert refused(frame, layouts).code == "unknown_layout"
    decode(teacher, lambda _: (KEY,), layouts)
    telegram = decode(frame, layouts=layouts)
    assert values(telegram) == ANNEX_G
    assert telegram.security.verified
    assert telegram.plain == COMPACT
    assert [record.offset for record in telegram.records] == [15, 17, 19]
    assert len(layouts) == 1


def test_meters_of_one_kind_share_what_was_learnt_and_others_do_not():
    layouts = Layouts()
    decode(sent(FULL, 0x78), layouts=layouts)
    assert values(decode(sent(COMPACT, 0x79, SIBLING), layouts=layouts)) == ANNEX_G
    assert refused(sent(COMPACT, 0x79, STRANGER), layouts).code == "unknown_layout"


def test_what_is_known_beforehand_counts_for_every_meter():
    for meter in (METER, STRANGER):
        assert values(decode(sent(COMPACT, 0x79, meter), layouts=Layouts([HEADERS]))) == ANNEX_G


@pytest.mark.parametrize("mode", [5, 7])
def test_an_encrypted_compact_frame(mode):
    counter = {"counter": 1} if mode == 7 else {}
    frame = build(METER, COMPACT, ci=0x7B, mode=mode, key=KEY, **counter)
    telegram = decode(frame, lambda _: (KEY,), Layouts([HEADERS]))
    assert values(telegram) == ANNEX_G
    assert (telegram.security.encrypted, telegram.security.verified) == (True, True)
    assert refused(frame, Layouts([HEADERS])).code == "missing_key"


def test_data_that_were_altered_are_not_told():
    frame = sent(COMPACT[:-1] + b"\x24", 0x79)
    error = refused(frame, Layouts([HEADERS]))
    assert (error.code, error.offset, error.evidence["signature"]) == ("wrong_layout", 11, "313b")
    assert error.known is not None
    assert error.known.records == ()


@pytest.mark.parametrize("payload", [COMPACT[:-1], COMPACT[:4], COMPACT + b"\x01\x02\x03"])
def test_data_of_another_length_do_not_fit(payload):
    assert refused(sent(payload, 0x79), Layouts([HEADERS])).code == "wrong_layout"


@pytest.mark.parametrize("size", range(4))
def test_a_compact_frame_without_room_for_its_head_is_cut_off(size):
    assert refused(sent(COMPACT[:size], 0x79), Layouts([HEADERS])).code == "truncated"


def test_a_meter_whose_checksum_never_fits_is_told_as_such_where_the_link_proves_the_bytes():
    payload = COMPACT[:2] + b"\x00\x00" + COMPACT[4:]
    assert refused(sent(payload, 0x79), Layouts([HEADERS])).code == "wrong_layout"
    telegram = decode(sent(payload, 0x79, ell=LINK), layouts=Layouts([HEADERS]))
    assert values(telegram) == ANNEX_G
    assert [fault.code for fault in telegram.faults] == ["wrong_layout"]


def test_two_layouts_with_one_signature_are_told_apart_by_the_checksum():
    other = colliding(HEADERS)
    assert signature_of(other) == signature_of(HEADERS)
    layouts = Layouts()
    layouts.learn(METER, HEADERS)
    layouts.learn(METER, other)
    assert values(decode(sent(COMPACT, 0x79), layouts=layouts)) == ANNEX_G
    broken = sent(COMPACT[:2] + b"\x00\x00" + COMPACT[4:], 0x79, ell=LINK)
    assert refused(broken, layouts).code == "wrong_layout"


def colliding(headers: bytes) -> bytes:
    """Find other headers of three 16-bit records with the same signature."""
    wanted = signature_of(headers)
    for first in range(0x78):
        for second in range(0x78):
            for third in range(0x6C):
                found = bytes((2, first, 2, second, 2, third))
                if found != headers and signature_of(found) == wanted and len(split_headers(found)) == 3:
                    return found
    raise AssertionError("no collision")


def test_data_of_variable_length_keep_their_length_byte():
    full = bytes.fromhex("0D78 05 3132333435 0413 01000000 0DFD0F E2 0102")
    layouts = Layouts([headers_of(walk(full, 0).records)])
    telegram = decode(sent(compact.compact_frame(full), 0x79), layouts=layouts)
    assert [record.value for record in telegram.records] == [record.value for record in walk(full, 0).records]
    assert [record.data for record in telegram.records] == [record.data for record in walk(full, 0).records]


def test_layouts_with_manufacturer_data_are_not_learnt():
    layouts = Layouts()
    decode(sent(FULL + b"\x0f\x01\x02", 0x78), layouts=layouts)
    decode(sent(FULL + b"\x1f", 0x78), layouts=layouts)
    decode(sent(FULL + b"\x04\x13\x01", 0x78), layouts=layouts)
    assert len(layouts) == 0


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("", "truncated"),
        ("08", "truncated"),
        ("01313B02020215022A", "truncated"),
        ("08313B0202021502", "truncated"),
        ("08313C02020215022A", "wrong_layout"),
        ("08313B02020215022A010203", "wrong_layout"),
        (compact.format_frame(b"\x0f\x02").hex(), "wrong_layout"),
        (compact.format_frame(b"\x02\x93").hex(), "wrong_layout"),
        (compact.format_frame(b"").hex(), "wrong_layout"),
    ],
)
def test_a_format_frame_that_is_none_teaches_nothing(payload, code):
    layouts = Layouts()
    assert refused(sent(bytes.fromhex(payload), 0x69), layouts).code == code
    assert len(layouts) == 0


def test_beyond_the_limit_the_older_half_is_forgotten_however_often_it_was_asked():
    layouts = Layouts(limit=4)
    taught = [bytes((2, vif)) for vif in range(5)]
    for headers in taught:
        assert not list(layouts.find(METER, signature_of(headers)))
        layouts.learn(METER, headers)
        list(layouts.find(METER, signature_of(taught[0])))
    assert [len(list(layouts.find(METER, signature_of(one)))) for one in taught] == [0, 0, 1, 1, 1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60))
def test_a_decoder_with_a_quick_way_knows_what_one_without_would_know(heard):
    """The registry is full all the time; a compact frame is understood by both ways or by none."""
    quick, full = Decoder(Layouts(limit=2)), Layouts(limit=2)
    for records, whole in heard:
        payload = bytes.fromhex("02133412") * (records + 1)
        frame = sent(payload, 0x78) if whole else sent(compact.compact_frame(payload), 0x79)
        assert told(quick.decode, frame) == told(lambda one: decode(one, layouts=full), frame)


def told(way, frame: bytes) -> object:
    try:
        return values(way(frame))
    except DecodeError as error:
        return error.code


def test_what_is_no_layout_cannot_be_known_beforehand():
    with pytest.raises(InvalidValue):
        Layouts([b"\x0f"])


def test_the_trace_of_a_compact_frame_tells_every_value():
    found = trace(sent(COMPACT, 0x79), layouts=Layouts([HEADERS]))
    told = [(span.meaning, span.value) for span in found.spans if span.layer == "application"]
    assert told == [
        ("format signature", "313B"),
        ("checksum of the full frame", "fits"),
        ("data of 0202", "energy [Wh]: 123.4 Wh"),
        ("data of 0215", "volume [m3]: 567.8 m3"),
        ("data of 022A", "power [W]: 901.2 W"),
    ]
    assert found.count(Understanding.NOT) == 0


def test_the_trace_of_a_format_frame_tells_every_header():
    found = trace(sent(FORMAT, 0x69))
    told = [(span.meaning, span.value) for span in found.spans if span.layer == "application"]
    assert told[2:] == [
        ("header of a record", "energy [Wh]"),
        ("header of a record", "volume [m3]"),
        ("header of a record", "power [W]"),
    ]
    assert found.error is None


@given(st.binary(max_size=60), st.sampled_from([0x69, 0x79]))
@settings(max_examples=300, deadline=None)
def test_any_payload_gives_a_telegram_or_an_error_and_a_whole_trace(payload, ci):
    layouts = shipped_layouts()
    frame = sent(payload, ci)
    with contextlib.suppress(DecodeError):
        decode(frame, layouts=layouts)
    assert b"".join(span.raw for span in trace(frame, layouts=layouts).spans) == frame


PIECES = st.sampled_from(["0413", "4413", "02FF20", "0C78", "046D", "8201FD17", "0DFD0F", "426C", "017F"])


@given(st.lists(st.tuples(PIECES, st.binary(min_size=12, max_size=12)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_a_compact_frame_says_what_the_full_one_does(pieces):
    """Whatever the records: the same registers, values and data come out, in the same order."""
    full = b""
    for header, noise in pieces:
        full += bytes.fromhex(header) + _data(header, noise)
    records = walk(full, 0).records
    layouts = Layouts()
    decode(sent(full, 0x78), layouts=layouts)
    found = decode(sent(compact.compact_frame(full), 0x79), layouts=layouts).records
    assert [(one.register, one.value, one.data) for one in found] == [
        (one.register, one.value, one.data) for one in records
    ]


def _data(header: str, noise: bytes) -> bytes:
    if header.startswith("0D"):
        return bytes((noise[0] % 12,)) + noise[1 : 1 + noise[0] % 12]
    return noise[: {"1": 1, "2": 2, "4": 4, "C": 4}[header[1]]]


@pytest.mark.shared
def test_real_compact_frames(shared_telegrams):
    """Nine of layouts the models know; the other two follow full frames of other telegrams."""
    layouts, told = shipped_layouts(), []
    lines = [json.loads(line) for line in (shared_telegrams / "wmbus.jsonl").read_text().splitlines()]
    for line in lines:
        if "79" in (line["ci"] or ()):
            try:
                telegram = decode(bytes.fromhex(line["telegram"]), layouts=layouts)
            except DecodeError as error:
                told.append(error.code)
            else:
                told.append(telegram.faults[0].code if telegram.faults else "verified")
                assert telegram.security.verified
    assert sorted(told) == ["unknown_layout"] * 2 + ["verified"] * 8 + ["wrong_layout"]
