"""Frames out of values: what is written is read back; what cannot be is refused."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, Security, Telegram, decode
from decoders.build import EllSpec, build, build_wired
from decoders.decode import decode_frame
from decoders.wmbus import link
from decoders.wmbus.encode import record
from decoders.wmbus.records import walk
from metering.errors import InvalidValue
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")


def keys_of(meter: MeterId, key: bytes):
    return lambda asked: (key,) if asked == meter else ()


# --- printed examples ----------------------------------------------------------------------------


def test_oms_annex_n_profile_a():
    key = bytes.fromhex("0102030405060708090A0B0C0D0E0F11")
    frame = build(METER, RECORDS, access=0x2A, synchronous=True, mode=5, key=key, link_crc="A")
    assert frame.hex().upper() == (
        "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A"
    )


def test_oms_annex_n_wired():
    frame = build_wired(METER, RECORDS, primary_address=0xFD, access=0x2A)
    assert frame.hex().upper() == (
        "6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916"
    )


def test_oms_annex_n_profile_b():
    frame = build(
        METER, RECORDS, access=0x75, mode=7, key=KEY, counter=0xAB3, ell=EllSpec(access=0x75), link_crc="A"
    )
    assert frame.hex().upper() == (
        "434493157856341233037AC98C2075900F002C25B30A000021924D4FBA372FB66E017A75002007109058475F4BC9D1281DF878B8"
        "0A1B0F98B629024AAC7279429398BFC549233C0140829B93BAA1"
    )


def test_cen_tr_17167_radio_adapter():
    frame = build(
        METER,
        RECORDS,
        sender=MeterId("RAD", "11223344", "03", "37"),
        control=0x08,
        header="long",
        access=0x75,
        mode=7,
        key=KEY,
        counter=0xAB3,
        ell=EllSpec(ci=0x8E, cc=0x80, access=0x75, receiver=MeterId("XYZ", "33445566", "0a", "31")),
    )
    assert frame.hex().upper() == (
        "530824484433221103378E80753A63665544330A31900F002C25B30A0000AF5D74DF73A600D9"
        "72785634129315330375002007109058475F4BC91DF878B80A1B0F98B629024AAC727942BFC549233C0140829B93"
    )


def test_oms_annex_n_partial_encryption():
    frame = build(
        MeterId("QDS", "55667788", "55", "08"),
        bytes.fromhex("0B6E341200426CFE044B6E563402"),
        sender=MeterId("QDS", "11223344", "55", "37"),
        header="long",
        status=4,
        mode=5,
        key=KEY,
        clear_tail=bytes.fromhex("0CFD1078563412"),
        ell=EllSpec(cc=0x00, access=0x75),
    )
    assert frame.hex().upper() == (
        "304493444433221155378C00757288776655934455080004100500DFE2A782146D1513581CD2F83F39040CFD1078563412"
    )


# --- round trips ---------------------------------------------------------------------------------

bytes_of = st.integers(0, 255)
meters = st.builds(
    MeterId,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3).filter(
        lambda maker: maker not in link.DIEHL
    ),
    st.text("0123456789", min_size=8, max_size=8),
    bytes_of.map("{:02x}".format),
    bytes_of.map("{:02x}".format),
)
volumes = st.builds(
    lambda vib, litres, storage: record(vib, Decimal(litres).scaleb(-3), field=4, storage=storage),
    st.sampled_from([b"\x13", b"\x93\x3c"]),
    st.integers(0, 2**31 - 1),
    st.integers(0, 40),
)
payloads = st.lists(volumes, max_size=6).map(b"".join)


@st.composite
def ells(draw: st.DrawFn) -> EllSpec | None:
    ci = draw(st.sampled_from([None, 0x8C, 0x8D, 0x8E, 0x8F]))
    if ci is None:
        return None
    encryption = draw(st.integers(0, 1))
    session = encryption << 29 | draw(st.integers(0, (1 << 29) - 1))
    return EllSpec(
        ci=ci,
        cc=draw(bytes_of),
        access=draw(bytes_of),
        session=session if ci in {0x8D, 0x8F} else None,
        receiver=draw(meters) if ci in {0x8E, 0x8F} else None,
    )


@st.composite
def orders(draw: st.DrawFn) -> dict:
    """Arguments of one telegram, any that fit together."""
    header = draw(st.sampled_from(["none", "short", "long"]))
    mode = 0 if header == "none" else draw(st.sampled_from([0, 2, 5, 7, 10]))
    ell = draw(ells().filter(lambda spec: mode != 2 or spec is None or not spec.encryption))
    meter = draw(meters)
    payload = draw(payloads)
    encrypted = mode != 0 or (ell is not None and ell.encryption > 0)
    size = 8 if mode == 2 else 16
    return {
        "meter": meter,
        "payload": payload,
        "sender": draw(st.sampled_from([None, meter]) if header != "long" else st.none() | meters),
        "control": draw(st.sampled_from([0x44, 0x46, 0x08, 0xC4])),
        "header": header,
        "access": draw(bytes_of),
        "status": draw(bytes_of),
        "synchronous": draw(st.booleans()),
        "mode": mode,
        "key": draw(st.binary(min_size=size, max_size=size)) if encrypted else None,
        "counter": draw(st.integers(0, 2**32 - 1)) if mode in {7, 10} else None,
        "clear_tail": draw(payloads) if mode and payload else b"",
        "ell": ell,
        "link_crc": draw(st.sampled_from(["none", "A", "B"])),
    }


@given(orders())
@settings(max_examples=400, deadline=None)
def test_what_is_built_is_read_back(order):
    key, mode, ell = order["key"], order["mode"], order["ell"]
    crc = order["link_crc"]

    telegram = decode_frame(link.normalise(build(**order), crc=crc), lambda _: (key,) if key else ())

    sealed = order["payload"] + order["clear_tail"]
    expected = walk(sealed, 0)
    assert values(telegram) == [(found.register, found.value) for found in expected.records]
    assert telegram.plain.replace(b"\x2f", b"") == sealed.replace(b"\x2f", b"")
    assert telegram.meter == order["meter"]
    assert telegram.sender == (order["sender"] or order["meter"])
    assert telegram.control == order["control"] & 0x7F
    assert telegram.status == (None if order["header"] == "none" else order["status"])
    assert telegram.access == (ell.access if ell else None if order["header"] == "none" else order["access"])
    linked = ell.encryption if ell else 0
    assert telegram.security == Security(
        mode=mode,
        link=linked,
        encrypted=mode != 0 or linked != 0,
        verified=mode != 0 or (ell is not None and ell.session is not None),
        authenticated=mode in {7, 10},
        counter=order["counter"],
    )
    assert telegram.faults == ()


@given(
    meters, payloads, st.integers(0, 250), bytes_of, bytes_of, st.binary(min_size=16, max_size=16) | st.none()
)
@settings(max_examples=200, deadline=None)
def test_what_is_built_for_the_wire_is_read_back(meter, payload, primary, access, status, key):  # noqa: PLR0917  fields
    mode = 5 if key else 0
    frame = build_wired(
        meter, payload, primary_address=primary, access=access, status=status, mode=mode, key=key
    )
    telegram = decode(frame, lambda _: (key,) if key else ())
    assert values(telegram) == [(found.register, found.value) for found in walk(payload, 0).records]
    assert (telegram.meter, telegram.sender, telegram.wired, telegram.frame) == (meter, meter, True, frame)
    assert (telegram.access, telegram.status, telegram.control) == (access, status, 0x08)
    assert telegram.security == Security(mode=mode, encrypted=mode == 5, verified=mode == 5)


# --- damage --------------------------------------------------------------------------------------


def values(telegram: Telegram) -> list:
    return [(found.register, found.value) for found in telegram.records]


def values_or_error(frame: bytes, key: bytes = KEY) -> list | DecodeError:
    try:
        return values(decode(frame, keys_of(METER, key)))
    except DecodeError as error:
        return error


PROTECTED = {
    "format A": build(METER, RECORDS, link_crc="A"),
    "MAC": build(METER, RECORDS, mode=7, key=KEY, counter=5),
    "MAC behind ELL I": build(METER, RECORDS, mode=7, key=KEY, counter=5, ell=EllSpec()),
    "payload CRC": build(METER, RECORDS, header="none", ell=EllSpec(ci=0x8D, session=77)),
    "payload CRC, encrypted": build(
        METER, RECORDS, header="none", key=KEY, ell=EllSpec(ci=0x8D, session=1 << 29)
    ),
    "wired checksum": build_wired(METER, RECORDS),
}


@pytest.mark.parametrize("name", PROTECTED)
def test_no_flipped_bit_gives_a_silently_different_value(name):
    """A checksum or code covers the values: each flipped bit is an error or changes no value."""
    frame = PROTECTED[name]
    whole = values_or_error(frame)
    assert len(whole) == 3
    errors = 0
    for bit in range(8 * len(frame)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        found = values_or_error(bytes(damaged))
        errors += isinstance(found, DecodeError)
        assert isinstance(found, DecodeError) or found == whole, bit
    assert errors > 4 * len(frame)


GOLDEN = {
    **PROTECTED,
    "plain": build(METER, RECORDS),
    "plain, long header": build(METER, RECORDS, header="long"),
    "no header": build(METER, RECORDS, header="none"),
    "format B": build(METER, RECORDS, link_crc="B"),
    "mode 5": build(METER, RECORDS, mode=5, key=KEY),
    "mode 5 with clear tail": build(METER, RECORDS, mode=5, key=KEY, clear_tail=RECORDS),
    "mode 10": build(METER, RECORDS, mode=10, key=KEY, counter=5),
    "mode 10 with clear tail": build(METER, RECORDS, mode=10, key=KEY, counter=5, clear_tail=RECORDS),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_frame_cut_short_never_gives_another_value(name):
    """What still can be read are the first values, unchanged."""
    whole = values_or_error(GOLDEN[name])
    for size in range(len(GOLDEN[name])):
        found = values_or_error(GOLDEN[name][:size])
        assert isinstance(found, DecodeError) or found == whole[: len(found)], size


# --- what cannot be built ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"control": 0x4F}, "C field 4F"),
        ({"control": 0x144}, "control 324 does not fit 8 bits"),
        ({"access": -1}, "access -1"),
        ({"status": 256}, "status 256"),
        ({"sender": MeterId("RAD", "11223344", "03", "37")}, "long header"),
        ({"mode": 9}, "security mode 9"),
        ({"mode": 2, "key": KEY}, "a key of 8 bytes"),
        ({"mode": 2, "key": KEY[:8], "ell": EllSpec(ci=0x8D, session=1 << 29)}, "one key cannot serve"),
        ({"mode": 2, "key": KEY[:8], "payload": bytes(247)}, "256 encrypted bytes"),
        ({"mode": 10, "key": KEY, "payload": b"", "clear_tail": RECORDS, "counter": 1}, "0 encrypted bytes"),
        ({"mode": 10, "key": KEY}, "message counter"),
        ({"mode": 5}, "a key of 16 bytes"),
        ({"mode": 5, "key": KEY[:8]}, "a key of 16 bytes"),
        ({"mode": 5, "key": KEY, "header": "none"}, "needs a short or long header"),
        ({"mode": 7, "key": KEY}, "message counter"),
        ({"mode": 5, "key": KEY, "counter": 1}, "message counter"),
        ({"mode": 7, "key": KEY, "counter": 1 << 32}, "counter 4294967296"),
        ({"key": KEY}, "nothing is to be encrypted"),
        ({"clear_tail": RECORDS}, "clear tail"),
        ({"payload": bytes(239), "mode": 5, "key": KEY}, "16 encrypted blocks"),
        ({"payload": bytes(242)}, "bytes after L"),
        ({"payload": bytes(238), "link_crc": "B"}, "bytes after L"),
        ({"meter": MeterId("els", "12345678", "33", "03")}, "canonical form"),
        ({"meter": MeterId("ELS", "1234567", "33", "03")}, "not a meter id"),
        ({"ell": EllSpec(ci=0x8D, session=1 << 29)}, "a key of 16 bytes"),
    ],
)
def test_arguments_that_do_not_make_a_telegram_are_refused(order, said):
    with pytest.raises(InvalidValue, match=said):
        build(**{"meter": METER, "payload": RECORDS, **order})


@pytest.mark.parametrize(
    "spec",
    [
        {"ci": 0x86},
        {"cc": 256},
        {"access": 300},
        {"session": 1},
        {"ci": 0x8D},
        {"ci": 0x8E},
        {"ci": 0x8D, "session": 2 << 29},
        {"ci": 0x8D, "session": 1 << 32},
        {"ci": 0x8D, "session": 0, "receiver": METER},
    ],
)
def test_an_extended_link_layer_that_cannot_be_is_refused(spec):
    with pytest.raises(InvalidValue):
        EllSpec(**spec)


def test_a_wired_frame_is_not_built_with_mode_7():
    with pytest.raises(InvalidValue):
        build_wired(METER, RECORDS, mode=7, key=KEY)


def test_a_wired_frame_too_long_is_refused():
    with pytest.raises(InvalidValue):
        build_wired(METER, bytes(241))
