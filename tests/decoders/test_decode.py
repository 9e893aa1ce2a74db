"""decode and peek: published telegrams, refusals, and the promise: a telegram or a documented error."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import decoders
from decoders import CODES, DecodeError, LayerError, RecordError, Security, Telegram, decode, peek
from decoders.build import EllSpec, build, build_wired
from decoders.decode import decode_frame, peek_frame
from decoders.wmbus import link, wired
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.crc import crc16
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")
GAS = [Decimal("28504.27"), datetime(2008, 5, 31, 23, 50), Decimal(0)]  # noqa: DTZ001  the meter's local time


def with_keys(*keys: bytes):
    return lambda _: keys


def result(frame: bytes, *keys: bytes) -> Telegram | DecodeError:
    try:
        return decode(frame, with_keys(*keys))
    except DecodeError as error:
        return error


def refused(frame: bytes, *keys: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame, with_keys(*keys))
    return caught.value


def test_exports_are_there():
    assert [name for name in decoders.__all__ if not hasattr(decoders, name)] == []


# --- published telegrams -------------------------------------------------------------------------

PROFILE_A = bytes.fromhex(
    "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
)
PROFILE_B = bytes.fromhex(
    "434493157856341233037AC98C2075900F002C25B30A000021924D4FBA372FB66E017A75002007109058475F4BC9D1281DF878B8"
    "0A1B0F98B629024AAC7279429398BFC549233C0140829B93BAA1"
)
RADIO_ADAPTER = bytes.fromhex(
    "530824484433221103378E80753A63665544330A31900F002C25B30A0000AF5D74DF73A600D9"
    "72785634129315330375002007109058475F4BC91DF878B80A1B0F98B629024AAC727942BFC549233C0140829B93"
)
PARTIAL = bytes.fromhex(
    "304493444433221155378C00757288776655934455080004100500DFE2A782146D1513581CD2F83F39040CFD1078563412"
)
WIRED = bytes.fromhex("6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916")


def test_oms_annex_n_profile_a():
    telegram = decode(PROFILE_A, with_keys(bytes.fromhex("0102030405060708090A0B0C0D0E0F11")))
    assert [record.value for record in telegram.records] == GAS
    assert (telegram.meter, telegram.sender, telegram.control, telegram.ci) == (METER, METER, 0x44, (0x7A,))
    assert (telegram.access, telegram.status) == (0x2A, 0)
    assert telegram.security == Security(mode=5, encrypted=True, verified=True)
    assert telegram.plain.hex().upper().startswith("2F2F0C1427048502046D32371F1502FD1700002F")
    assert len(telegram.frame) == telegram.frame[0] + 1


def test_oms_annex_n_wired():
    telegram = decode(WIRED)
    assert [record.value for record in telegram.records] == GAS
    assert (telegram.meter, telegram.wired, telegram.control, telegram.ci) == (METER, True, 0x08, (0x72,))
    assert (telegram.frame, telegram.records[0].offset, telegram.plain) == (WIRED, 19, RECORDS)


def test_oms_annex_n_profile_b():
    telegram = decode(PROFILE_B, with_keys(KEY))
    assert [record.value for record in telegram.records] == GAS
    assert (telegram.ci, telegram.access) == ((0x8C, 0x90, 0x7A), 0x75)
    assert telegram.security == Security(
        mode=7, encrypted=True, verified=True, authenticated=True, counter=0xAB3
    )


def test_cen_tr_17167_radio_adapter():
    telegram = decode(RADIO_ADAPTER, with_keys(KEY))
    assert [record.value for record in telegram.records] == GAS
    assert (str(telegram.meter), str(telegram.sender)) == ("ELS-12345678-33-03", "RAD-11223344-03-37")
    assert (telegram.control, telegram.ci) == (0x08, (0x8E, 0x90, 0x72))
    assert telegram.security.authenticated


def test_oms_annex_n_partial_encryption():
    telegram = decode(PARTIAL, with_keys(KEY))
    assert [record.difvif for record in telegram.records] == ["0B6E", "426C", "4B6E", "0CFD10"]
    assert [telegram.records[n].value for n in (0, 2)] == [Decimal(1234), Decimal(23456)]
    assert (telegram.access, telegram.status) == (0x75, 4)
    assert str(telegram.meter) == "QDS-55667788-55-08"


def test_record_offsets_count_from_the_length_field():
    telegram = decode(PARTIAL, with_keys(KEY))
    tail = telegram.records[-1]
    assert telegram.frame[tail.offset :] == tail.dib + tail.vib + tail.data


@pytest.mark.parametrize("frame", [PROFILE_A, PROFILE_B, RADIO_ADAPTER, PARTIAL, WIRED])
def test_peek_gives_the_headers_without_a_key(frame):
    key = bytes.fromhex("0102030405060708090A0B0C0D0E0F11") if frame is PROFILE_A else KEY
    full, seen = decode(frame, with_keys(key)), peek(frame)
    for name in ("frame", "meter", "sender", "control", "ci", "access", "status", "wired"):
        assert getattr(seen, name) == getattr(full, name), name
    assert (seen.security.mode, seen.security.counter) == (full.security.mode, full.security.counter)
    assert seen.security.encrypted == full.security.encrypted
    assert seen.records == ()


def test_the_compact_frame_of_en_13757_3_annex_g_needs_its_layout():
    error = refused(build(METER, bytes.fromhex("313B42A6D2042E163423"), header="none", ci=0x79))
    assert (error.code, error.evidence["signature"]) == ("unknown_layout", "313b")
    assert error.known is not None
    assert error.known.plain.hex() == "313b42a6d2042e163423"
    assert crc16(bytes.fromhex("02020215022A")).to_bytes(2, "little").hex() == "313b"


def test_an_encrypted_compact_frame_is_told_with_its_payload_in_clear():
    frame = build(METER, bytes.fromhex("313B42A6D2042E163423"), ci=0x7B, mode=5, key=KEY)
    error = refused(frame, KEY)
    assert (error.code, error.evidence["signature"]) == ("unknown_layout", "313b")


def test_the_format_frame_of_en_13757_3_annex_g_holds_no_values():
    telegram = decode(build(METER, bytes.fromhex("08313B02020215022A"), header="none", ci=0x69))
    assert (telegram.ci, telegram.records, telegram.security.verified) == ((0x69,), (), True)


# --- what is not for us --------------------------------------------------------------------------


@pytest.mark.parametrize("control", [code for code, said in link.CONTROL.items() if not said.from_meter])
def test_what_no_meter_says_is_told_with_its_sender(control):
    error = refused(build(METER, b"", control=control))
    assert isinstance(error, LayerError)
    assert error.code == "not_meter_data"
    assert error.known is not None
    assert error.known.meter == METER
    assert peek(build(METER, b"", control=control)).meter == METER


EXPECTED = {
    Content.NETWORK: "unsupported_layer",
    Content.COMMAND: "not_meter_data",
    Content.RESPONSE: "unsupported_layer",
    Content.APPLICATION_ERROR: "not_meter_data",
    Content.ALARM: "not_meter_data",
    Content.OTHER_PROTOCOL: "unsupported_layer",
    Content.MANAGEMENT: "not_meter_data",
    Content.MANUFACTURER: "manufacturer_specific",
    Content.RESERVED: "unknown_ci",
}


@pytest.mark.parametrize("ci", [entry.code for entry in CI if entry.content in EXPECTED])
def test_every_other_ci_field_is_refused_by_name(ci):
    frame = build(METER, b"\x00\x00", header=CI[ci].header.value, ci=ci)
    error = refused(frame)
    assert error.code == EXPECTED[CI[ci].content]
    assert error.evidence["ci"] == f"{ci:02X}"
    assert error.known is not None
    assert error.known.meter == METER


def test_manufacturer_payloads_are_kept_for_those_who_can_read_them():
    error = refused(build(METER, b"\x11\x22\x33", header="none", ci=0xA2))
    assert error.known is not None
    assert (error.known.ci, error.known.plain) == ((0xA2,), b"\x11\x22\x33")


def test_the_alarm_code_is_the_diehl_familys_own():
    frame = build(MeterId("HYD", "12345678", "85", "06"), b"\x01\x02\x03\x04\x05", header="none", ci=0x71)
    assert refused(frame).code == "manufacturer_specific"


def test_an_alarm_tells_its_bytes():
    error = refused(build(METER, b"\x04", header="short", ci=0x74))
    assert (error.code, error.evidence["alarm"]) == ("not_meter_data", "04")


@pytest.mark.parametrize(("ci", "name", "said"), [(0x6E, "error", 8), (0x74, "alarm", "08")])
def test_an_encrypted_alarm_or_error_needs_its_key(ci, name, said):
    frame = build(METER, b"\x08", ci=ci, mode=5, key=KEY)
    assert refused(frame).code == "missing_key"
    error = refused(frame, KEY)
    assert error.code == "not_meter_data"
    assert error.evidence[name] == said


def test_an_application_error_says_which():
    error = refused(build(METER, b"\x08", header="short", ci=0x6E))
    assert error.evidence["error"] == 8
    assert "application busy" in error.message


def test_extended_link_layer_v_is_told():
    assert refused(build(METER, bytes(20), header="none", ci=0x86)).code == "unsupported_layer"


@pytest.mark.parametrize("ci", [0x8C, 0x90])
def test_layers_out_of_order_are_told(ci):
    """A second extended link layer; an authentication layer inside another."""
    inner = bytes.fromhex("2075780C1300000000") if ci == 0x8C else bytes.fromhex("020000900200007800")
    outer = EllSpec() if ci == 0x8C else None
    assert refused(build(METER, inner, header="none", ci=ci, ell=outer)).code == "unsupported_layer"


def test_a_fragment_is_told():
    frame = build(METER, bytes.fromhex("020140780C13"), header="none", ci=0x90)
    error = refused(frame)
    assert (error.code, error.evidence) == ("fragment", {"fragment": 1, "more": 1})


# --- telegrams without records, and with bad ones ------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"\x2f", b"\x2f" * 14])
def test_no_records_is_a_fine_telegram(payload):
    telegram = decode(build(METER, payload))
    assert (telegram.records, telegram.faults, telegram.plain) == ((), (), payload)


@pytest.mark.parametrize(("ci", "header"), [(0x8A, "short"), (0x8B, "long")])
def test_a_transport_layer_without_application_gives_its_status(ci, header):
    telegram = decode(build(METER, b"", control=0x47, header=header, ci=ci, access=3, status=0x04))
    assert (telegram.status, telegram.access, telegram.records) == (0x04, 3, ())


def test_a_frame_that_ends_with_the_address_is_an_empty_telegram():
    frame = bytes.fromhex("0947") + build(METER, b"")[2:10]
    assert decode(frame) == Telegram(frame, METER, METER, 0x47)
    assert peek(frame) == decode(frame)


def test_a_truncated_last_record_leaves_the_good_ones():
    telegram = decode(build(METER, RECORDS + bytes.fromhex("0C1301")))
    assert [record.value for record in telegram.records] == GAS
    assert [(fault.code, fault.offset) for fault in telegram.faults] == [
        ("truncated_record", 15 + len(RECORDS))
    ]


def test_not_one_good_record_is_an_error():
    error = refused(build(METER, bytes.fromhex("0C1301")))
    assert isinstance(error, RecordError)
    assert (error.code, error.offset) == ("truncated_record", 15)
    assert error.known is not None
    assert error.known.plain == bytes.fromhex("0C1301")


def test_manufacturer_data_and_more_to_follow():
    telegram = decode(build(METER, RECORDS + bytes.fromhex("1F AABB")))
    assert (telegram.manufacturer_data, telegram.more_follows) == (b"\xaa\xbb", True)


# --- identity ------------------------------------------------------------------------------------


def test_a_wired_frame_without_long_header_has_no_identity():
    frame = wired.encode(bytes.fromhex("0801780C1300000000"))
    error = refused(frame)
    assert (error.code, error.known) == ("unsupported_layer", None)
    with pytest.raises(LayerError):
        peek(frame)


def test_a_wired_frame_with_an_unknown_control_field_is_no_frame():
    assert refused(wired.encode(bytes.fromhex("9901780C1300000000"))).code == "not_a_frame"


def test_the_fixed_structure_of_old_wired_meters_is_told():
    """The example printed in "The M-Bus: A Documentation", section 6.3.2."""
    frame = bytes.fromhex("68131368080573785634120A00E97E01000000350100003C16")
    assert refused(frame).code == "unsupported_layer"


def test_a_manufacturer_without_letters_in_the_long_header_is_told():
    frame = bytearray(build(METER, RECORDS, header="long"))
    frame[15:17] = b"\x00\x00"
    error = refused(bytes(frame))
    assert (error.code, error.evidence) == ("unsupported_layer", {"m": "0000"})
    assert error.known is None


def test_peek_falls_back_to_the_sender_where_the_link_is_encrypted():
    frame = build(METER, RECORDS, key=KEY, ell=EllSpec(ci=0x8D, access=8, session=1 << 29))
    seen = peek(frame)
    assert (seen.meter, seen.access, seen.status) == (METER, 8, None)
    assert (seen.security.link, seen.security.encrypted) == (1, True)


def test_a_frame_seen_already_is_not_normalised_again():
    frame = link.normalise(PROFILE_A)
    assert peek_frame(frame) == peek(PROFILE_A)
    assert decode_frame(link.normalise(WIRED)) == decode(WIRED)


# --- the promise ---------------------------------------------------------------------------------

SEEDS = [
    PROFILE_A,
    PROFILE_B,
    RADIO_ADAPTER,
    PARTIAL,
    WIRED,
    build(METER, RECORDS),
    build(METER, RECORDS, link_crc="B"),
    build(METER, RECORDS, header="none", key=KEY, ell=EllSpec(ci=0x8D, session=1 << 29)),
    build_wired(METER, RECORDS, mode=5, key=KEY),
]
"""Valid frames of every kind."""

HEADS = st.sampled_from(
    [PROFILE_A[1:10], bytes.fromhex("44A511780779194820"), bytes.fromhex("44304CDEFFE420CC01")]
)


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    """Arbitrary bytes behind a good link header, so that the layers above get something to read."""
    body = draw(HEADS) + draw(st.binary(min_size=1, max_size=80))
    return bytes((len(body),)) + body


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid frame with bytes replaced, removed or added."""
    frame = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(frame) - 1))
        frame[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(frame)


def keeps_the_promise(raw: bytes) -> None:
    for found in (result(raw), result(raw, KEY)):
        if isinstance(found, DecodeError):
            assert found.code in CODES
            assert 0 <= found.offset <= max(len(raw), 255)
        else:
            assert MeterId.parse(str(found.meter)) == found.meter
            assert peek(raw).sender == found.sender


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_give_a_telegram_or_a_documented_error(raw):
    keeps_the_promise(raw)


@given(framed())
@settings(max_examples=600, deadline=None)
def test_arbitrary_layers_give_a_telegram_or_a_documented_error(raw):
    keeps_the_promise(raw)


@given(damaged())
@settings(max_examples=600, deadline=None)
def test_damaged_frames_give_a_telegram_or_a_documented_error(raw):
    keeps_the_promise(raw)


@pytest.mark.parametrize("frame", SEEDS)
def test_frames_cut_short_give_a_telegram_or_a_documented_error(frame):
    for size in range(len(frame)):
        keeps_the_promise(frame[:size])


@given(framed() | damaged() | st.binary(max_size=60))
@settings(max_examples=400, deadline=None)
def test_peek_gives_an_identity_or_a_documented_error(raw):
    try:
        seen = peek(raw)
    except DecodeError as error:
        seen = error
    assert isinstance(seen, Telegram) or seen.code in CODES
