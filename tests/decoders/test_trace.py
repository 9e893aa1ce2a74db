"""The trace covers every byte, says what it means, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import EllSpec, build
from decoders.telegram import no_keys
from decoders.trace import Trace, Understanding, trace
from decoders.wmbus.address import wire
from decoders.wmbus.blocks import add_format_a, add_format_b
from metering.meter import MeterId

KEY_A = bytes.fromhex("0102030405060708090A0B0C0D0E0F11")
KEY_B = bytes.fromhex("000102030405060708090A0B0C0D0E0F")

MODE_5 = bytes.fromhex(
    "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
)
"""OMS Vol. 2, annex N.2.1: security profile A, frame format A with its checksums."""
WIRED = bytes.fromhex("6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916")
"""The same meter on wired M-Bus, annex N.2.2."""
PROFILE_B = bytes.fromhex(
    "434493157856341233037AC98C2075900F002C25B30A000021924D4FBA372FB66E017A75002007109058475F4BC9D1281DF878B80A1B0F98"
    "B629024AAC7279429398BFC549233C0140829B93BAA1"
)
"""Annex N: security profile B."""
PARTIAL = bytes.fromhex(
    "304493444433221155378C00757288776655934455080004100500DFE2A782146D1513581CD2F83F39040CFD1078563412"
)
"""Annex N: one encrypted block, then a record in clear; behind a radio adapter."""
METER = MeterId.parse("KAM-76348799-1b-16")
GAS = WIRED[19:-2]
"""The records of the gas meter."""
LINKED = build(METER, GAS, header="none", key=KEY_B, ell=EllSpec(ci=0x8D, access=0x91, session=0x217CD320))
"""The same records under link encryption."""


def knows(key: bytes):
    return lambda _meter: [key]


def covers(found: Trace, frame: bytes) -> bool:
    """Spans in order, without gap or overlap, none empty, each over its own bytes."""
    at = 0
    for span in found.spans:
        if span.offset != at or not span.raw or frame[at : at + len(span.raw)] != span.raw:
            return False
        if span.plain is not None and len(span.plain) != len(span.raw):
            return False
        at += len(span.raw)
    return at == len(frame)


def told(found: Trace) -> list[tuple[str, str, str]]:
    return [(span.layer, span.meaning, span.value) for span in found.spans]


@pytest.mark.parametrize(
    ("frame", "key"), [(MODE_5, KEY_A), (WIRED, KEY_A), (PROFILE_B, KEY_B), (LINKED, KEY_B)]
)
def test_with_the_key_every_byte_is_understood(frame, key):
    found = trace(frame, knows(key))
    assert found.error is None
    assert covers(found, frame)
    assert found.count(Understanding.NOT) == 0
    assert ("application", "data", "28504.27 m3") in told(found)
    assert found.telegram is not None
    assert [record.quantity for record in found.telegram.records] == ["volume", "datetime", "error_flags"]


def test_the_oms_gas_meter_byte_by_byte():
    found = trace(WIRED)
    assert [(span.raw.hex(), span.meaning, span.value) for span in found.spans] == [
        ("68", "start", ""),
        ("20", "L field", "32 bytes follow the second start"),
        ("20", "L field, repeated", ""),
        ("68", "start, repeated", ""),
        ("08", "C field", "RSP-UD"),
        ("fd", "A field", "primary address 253"),
        ("72", "CI field", "full frame, long header"),
        ("78563412", "identification number", "12345678"),
        ("9315", "manufacturer", "ELS"),
        ("33", "version", "33"),
        ("03", "device type", "gas"),
        ("2a", "access number", "42"),
        ("00", "status", "no error"),
        ("0000", "configuration field", "security mode 0"),
        ("0c", "DIF", "8-digit BCD, instantaneous"),
        ("14", "VIF", "volume [m3]"),
        ("27048502", "data", "28504.27 m3"),
        ("04", "DIF", "32-bit integer, instantaneous"),
        ("6d", "VIF", "datetime"),
        ("32371f15", "data", "2008-05-31T23:50:00"),
        ("02", "DIF", "16-bit integer, instantaneous"),
        ("fd17", "VIF, VIFE", "error flags"),
        ("0000", "data", "0"),
        ("89", "checksum", "fits"),
        ("16", "stop", ""),
    ]


def test_checksums_a_receiver_left_in_have_their_place():
    """A value cut by a block checksum is told once; its bytes before and behind keep their decryption."""
    found = trace(MODE_5, knows(KEY_A))
    assert [span.offset for span in found.spans if span.meaning == "block checksum"] == [10, 28, 46, 53]
    begin, end = (span for span in found.spans if span.offset in {27, 30})
    assert (begin.plain, begin.value) == (b"\x32", "2008-05-31T23:50:00")
    assert (end.plain, end.meaning, end.value) == (b"\x37\x1f\x15", "data, continued", "")


def test_without_a_key_the_encrypted_part_is_one_span():
    found = trace(PARTIAL)
    assert found.error is not None
    assert found.error.code == "missing_key"
    (sealed,) = (span for span in found.spans if span.meaning == "encrypted")
    assert (sealed.offset, len(sealed.raw), sealed.plain) == (26, 16, None)
    assert found.count(Understanding.NOT) == 16


def test_records_in_clear_behind_an_encrypted_part_are_told_without_a_key():
    assert told(trace(PARTIAL))[-1] == ("application", "data", "12345678")


def test_a_wrong_key_changes_nothing():
    assert told(trace(PARTIAL, knows(KEY_A)))[:-4] == told(trace(PARTIAL))[:-4]
    assert trace(PARTIAL, knows(KEY_A)).count(Understanding.NOT) == 16


def test_an_encrypted_link_without_key_ends_in_one_span():
    found = trace(LINKED)
    assert covers(found, LINKED)
    assert (found.spans[-1].layer, found.spans[-1].meaning) == ("extended link", "encrypted")
    assert found.spans[-1].offset == 17


def test_decrypted_bytes_stand_beside_the_received_ones():
    found = trace(LINKED, knows(KEY_B))
    plain = b"".join(span.plain or span.raw for span in found.spans if span.offset >= 19)
    assert plain == b"\x78" + GAS


def test_no_key_is_in_a_trace():
    for key in (KEY_A, KEY_B):
        text = repr(trace(MODE_5, knows(key))) + repr(trace(PROFILE_B, knows(key)))
        assert key.hex() not in text.lower()
        assert repr(key)[2:-1] not in text


@pytest.mark.parametrize(
    ("records", "last"),
    [
        ("015B16 0FAABB", ("application", "manufacturer data", "")),
        ("015B16 1F", ("application", "DIF", "more records follow")),
        ("015B16 0413AA", ("application", "not readable as a record", "the data of a record are cut off")),
        ("015B16 DE47", ("application", "left over", "perhaps a checksum the receiver left on")),
        ("015B16 2F2F", ("application", "filler", "")),
        ("02FF20 7100", ("application", "data", "113")),
    ],
)
def test_tails_of_the_record_list(records, last):
    frame = build(METER, bytes.fromhex(records))
    found = trace(frame)
    assert covers(found, frame)
    assert told(found)[-1] == last


@pytest.mark.parametrize(
    ("records", "understanding"),
    [
        ("0413 01000000", Understanding.FULL),
        ("02FF30 7100", Understanding.PARTLY),
        ("04933F 01000000", Understanding.PARTLY),
        ("0293FF01 0100", Understanding.PARTLY),
        ("026F 0100", Understanding.PARTLY),
    ],
)
def test_what_only_the_manufacturer_knows_is_understood_partly(records, understanding):
    assert trace(build(METER, bytes.fromhex(records))).spans[-1].understanding is understanding


def test_a_compact_frame_shows_its_signature():
    frame = build(METER, bytes.fromhex("313B 42A6 D204 2E16 3423"), header="none", ci=0x79)
    found = trace(frame)
    assert ("application", "format signature", "313B") in told(found)
    assert found.count(Understanding.NOT) == 6


def test_a_payload_of_the_manufacturers_own_ends_in_one_span():
    """The Diehl family puts its address in an order of its own there; both are said."""
    frame = build(MeterId.parse("DME-76348799-1b-07"), b"\x01\x02\x03\x04\x05", header="none", ci=0xA1)
    found = trace(frame)
    assert covers(found, frame)
    assert found.error is not None
    assert found.error.code == "manufacturer_specific"
    assert ("link", "A field, in the manufacturer's own order", "DME-071B7634-99-87") in told(found)
    assert (found.spans[-1].raw, found.spans[-1].understanding) == (
        b"\x01\x02\x03\x04\x05",
        Understanding.NOT,
    )


@pytest.mark.parametrize("frame", [b"", b"\xe5", bytes.fromhex("105BFD5816"), b"\x00" * 20, b"\x68" * 12])
def test_what_is_no_data_frame_is_one_span_with_the_reason(frame):
    found = trace(frame)
    assert covers(found, frame)
    assert found.error is not None
    assert len(found.spans) == bool(frame)


def test_bytes_appended_by_the_receiver_are_told_apart():
    frame = build(METER, bytes.fromhex("015B16")) + b"\x42"
    found = trace(frame)
    assert covers(found, frame)
    assert (found.spans[-1].layer, found.spans[-1].raw) == ("receiver", b"\x42")


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_covered(frame):
    assert covers(trace(frame, knows(KEY_A)), frame)


LAYERS = st.sampled_from(
    [
        bytes.fromhex(ci)
        for ci in ("72", "78", "7A", "8C", "8D", "8E", "8F", "90", "79", "7B", "73", "A0", "6E", "8A")
    ]
)


@given(
    st.lists(LAYERS | st.binary(max_size=40), max_size=5),
    st.sampled_from([bytes, add_format_a, add_format_b]),
)
@settings(max_examples=400, deadline=None)
def test_any_frame_with_a_link_layer_is_covered(parts, checked):
    body = b"\x44" + wire(METER) + b"".join(parts)[:200]
    frame = checked(bytes((len(body),)) + body)
    assert covers(trace(frame, knows(KEY_A)), frame)


@given(
    st.binary(max_size=180),
    st.sampled_from([(0, None), (5, KEY_A), (7, KEY_A)]),
    st.sampled_from(
        [None, EllSpec(), EllSpec(ci=0x8D, session=0x20000001), EllSpec(ci=0x8E, receiver=METER)]
    ),
    st.sampled_from(["none", "A", "B"]),
)
@settings(max_examples=300, deadline=None)
def test_any_built_frame_is_covered(payload, protection, ell, checksums):
    """With the right key, a wrong one and none; what is decrypted is what was built."""
    mode, key = protection
    frame = build(
        METER,
        payload,
        mode=mode,
        key=KEY_A if ell and ell.session else key,
        counter=7 if mode == 7 else None,
        ell=ell,
        link_crc=checksums,
    )
    for keys in (knows(KEY_A), knows(KEY_B), no_keys):
        assert covers(trace(frame, keys), frame)
    if mode:
        opened = trace(frame, knows(KEY_A)).spans
        assert payload in b"".join(
            span.plain or span.raw for span in opened if span.meaning != "block checksum"
        )


@given(st.integers(0, len(PROFILE_B)), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_truncated_and_altered_frames_are_covered(at, value):
    for frame in (MODE_5, PROFILE_B, PARTIAL, WIRED):
        for damaged in (frame[:at], frame[:at] + bytes((value,)) + frame[at + 1 :]):
            assert covers(trace(damaged, knows(KEY_B)), damaged)
