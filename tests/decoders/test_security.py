"""Keys and proofs: which key opens a telegram, what proves it, what is told when none does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import CODES, DecodeError, Security, SecurityError, Telegram, decode
from decoders.build import EllSpec, build, build_wired
from decoders.wmbus import ciphers
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
RADIO = MeterId("RAD", "11223344", "03", "37")
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
OTHER = bytes.fromhex("F0E1D2C3B4A5968778695A4B3C2D1E0F")
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")
TAIL = bytes.fromhex("0CFD1078563412")
LINK = EllSpec(ci=0x8D, access=9, session=1 << 29 | 0x123457)


def with_keys(*keys: bytes):
    return lambda _: keys


def refused(frame: bytes, *keys: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame, with_keys(*keys))
    return caught.value


def outcome(frame: bytes, *keys: bytes) -> Telegram | DecodeError:
    try:
        return decode(frame, with_keys(*keys))
    except DecodeError as error:
        return error


def difvifs(telegram: Telegram) -> list[str]:
    return [record.difvif for record in telegram.records]


MODE5 = build(METER, RECORDS, access=0x2A, mode=5, key=KEY)
MODE7 = build(METER, RECORDS, access=0x75, mode=7, key=KEY, counter=2739, ell=EllSpec(access=0x75))
CTR = build(METER, RECORDS, header="none", key=KEY, ell=LINK)
PROTECTED = pytest.mark.parametrize("frame", [MODE5, MODE7, CTR], ids=["mode 5", "mode 7", "link"])


# --- the primitives against printed values -------------------------------------------------------


def test_derived_keys_of_oms_annex_n():
    number = bytes.fromhex("78563412")
    counter = bytes.fromhex("B30A0000")
    encryption = ciphers.derive(KEY, ciphers.ENCRYPTION, counter, number)
    mac = ciphers.derive(KEY, ciphers.MAC, counter, number)
    assert encryption.hex().upper() == "ECCF39D475D730B8284FDFDC1995D52F"
    assert mac.hex().upper() == "C9CD19FF5A9AAD5A6BBDA13BD2C4C7AD"


def test_initialisation_vector_of_oms_annex_n():
    iv = ciphers.cbc_iv(bytes.fromhex("9315785634123303"), 0x2A)
    assert iv.hex().upper() == "9315785634123303" + "2A" * 8


def test_a_repeater_on_the_way_changes_no_key_stream():
    """The hop and repeat bits of CC do not enter the counter block."""
    blocks = {ciphers.counter_block(bytes(8), 0x20 | bits, bytes(4)) for bits in (0x00, 0x02, 0x10, 0x12)}
    assert len(blocks) == 1


# --- what a fitting key gives --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (MODE5, Security(mode=5, encrypted=True, verified=True)),
        (MODE7, Security(mode=7, encrypted=True, verified=True, authenticated=True, counter=2739)),
        (CTR, Security(link=1, encrypted=True, verified=True)),
    ],
    ids=["mode 5", "mode 7", "link"],
)
def test_what_protected_the_telegram_is_told(frame, expected):
    telegram = decode(frame, with_keys(KEY))
    assert telegram.security == expected
    assert difvifs(telegram) == ["0C14", "046D", "02FD17"]


@PROTECTED
def test_several_keys_are_tried_in_order(frame):
    assert decode(frame, with_keys(OTHER, KEY)).security.verified
    assert decode(frame, with_keys(KEY, OTHER)).security.verified


@PROTECTED
def test_keys_of_another_length_are_passed_over(frame):
    assert decode(frame, with_keys(KEY[:8], KEY)).security.verified


@pytest.mark.parametrize("mode", [5, 7])
def test_a_clear_tail_continues_the_records(mode):
    counter = 1 if mode == 7 else None
    frame = build(METER, RECORDS, mode=mode, key=KEY, counter=counter, clear_tail=TAIL)
    assert difvifs(decode(frame, with_keys(KEY))) == ["0C14", "046D", "02FD17", "0CFD10"]
    assert frame.endswith(TAIL)


def test_a_wired_frame_is_decrypted_with_the_address_of_its_long_header():
    frame = build_wired(METER, RECORDS, access=0x2A, mode=5, key=KEY)
    assert decode(frame, with_keys(KEY)).security == Security(mode=5, encrypted=True, verified=True)


def test_the_meter_behind_a_radio_adapter_gives_the_key_and_the_vector():
    asked = []

    def keys(meter: MeterId) -> tuple[bytes, ...]:
        asked.append(meter)
        return (KEY,) if meter == METER else ()

    frame = build(METER, RECORDS, sender=RADIO, header="long", access=7, mode=5, key=KEY)
    telegram = decode(frame, keys)
    assert (telegram.meter, telegram.sender, asked) == (METER, RADIO, [METER])


def test_link_encryption_asks_for_the_sender():
    asked = []

    def keys(meter: MeterId) -> tuple[bytes, ...]:
        asked.append(meter)
        return (KEY,)

    decode(build(METER, RECORDS, sender=RADIO, header="long", key=KEY, ell=LINK), keys)
    assert asked == [RADIO]


def test_keys_are_asked_once_per_address():
    asked = []

    def keys(meter: MeterId) -> tuple[bytes, ...]:
        asked.append(meter)
        return (OTHER, KEY)

    both = build(METER, RECORDS, access=3, mode=5, key=KEY, ell=LINK)
    assert decode(both, keys).security == Security(mode=5, link=1, encrypted=True, verified=True)
    assert asked == [METER]


def test_plain_telegrams_ask_for_no_key():
    def keys(meter: MeterId) -> tuple[bytes, ...]:
        raise AssertionError(meter)

    assert decode(build(METER, RECORDS), keys).security == Security()


def test_link_encryption_for_a_named_receiver():
    ell = EllSpec(ci=0x8F, session=1 << 29 | 5, receiver=RADIO)
    assert decode(build(METER, RECORDS, key=KEY, ell=ell), with_keys(KEY)).security.verified


# --- what no key, a wrong key and a damaged telegram give ----------------------------------------


@PROTECTED
def test_without_a_key_the_telegram_is_known_as_far_as_its_headers_say(frame):
    error = refused(frame)
    assert isinstance(error, SecurityError)
    assert error.code == "missing_key"
    assert error.known is not None
    assert (error.known.meter, error.known.records) == (METER, ())
    assert error.known.security.encrypted
    assert not error.known.security.verified


@pytest.mark.parametrize(("frame", "code"), [(MODE5, "wrong_key"), (MODE7, "bad_mac"), (CTR, "wrong_key")])
def test_wrong_keys_are_told_with_their_number(frame, code):
    error = refused(frame, OTHER, OTHER[::-1])
    assert (error.code, error.evidence) == (code, {"keys_tried": 2})


@PROTECTED
def test_a_key_of_another_length_is_told(frame):
    error = refused(frame, KEY[:8])
    assert (error.code, error.evidence) == ("bad_key", {"keys": 1, "length": 8})


@PROTECTED
@pytest.mark.parametrize("keys", [(OTHER,), (KEY[:8],), (OTHER, KEY[:8])])
def test_no_error_shows_a_key(frame, keys):
    error = refused(frame, *keys)
    shown = f"{error} {error!r} {error.evidence} {error.known}".lower()
    assert not [key for key in keys if key.hex() in shown or repr(key).lower() in shown]


def test_an_altered_authenticated_telegram_is_not_decrypted():
    altered = bytearray(MODE7)
    altered[-1] ^= 1
    error = refused(bytes(altered), KEY)
    assert error.code == "bad_mac"
    assert error.known is not None
    assert error.known.plain == bytes(altered)[-32:]


def test_fewer_bytes_than_are_said_to_be_encrypted():
    body = MODE5[1:-16]
    error = refused(bytes((len(body),)) + body, KEY)
    assert (error.code, error.evidence) == ("truncated", {"encrypted": 32, "received": 16})


@pytest.mark.parametrize("mode", [1, 4, 6, 8, 9, 10, 13, 15, 31])
def test_other_modes_are_named(mode):
    frame = bytearray(build(METER, bytes(32)))
    frame[14] = mode
    error = refused(bytes(frame), KEY)
    assert (error.code, error.evidence["mode"]) == ("unsupported_mode", mode)


def test_mode_7_without_any_counter_is_told():
    frame = bytearray(build(METER, b"\x10" + bytes(16)))
    frame[13:15] = b"\x10\x07"
    assert refused(bytes(frame), KEY).code == "unsupported_mode"


def by_hand(configuration: str, rest: bytes) -> bytes:
    """A frame with a short header put together here: access number 75, status 0, then what is given."""
    return build(METER, bytes.fromhex("7500" + configuration) + rest, header="none", ci=0x7A)


def test_mode_7_with_its_counter_in_the_transport_header_and_no_mac():
    counter = (2739).to_bytes(4, "little")
    key = ciphers.derive(KEY, ciphers.ENCRYPTION, counter, bytes.fromhex("78563412"))
    sealed = ciphers.encrypt_cbc(key, ciphers.NO_IV, b"\x2f\x2f" + RECORDS + b"\x2f" * 13)
    frame = by_hand("2027", b"\x10" + counter + sealed)
    assert decode(frame, with_keys(OTHER, KEY)).security == Security(
        7, 0, encrypted=True, verified=True, counter=2739
    )
    assert refused(frame, OTHER).code == "wrong_key"


def test_mode_7_with_the_persistent_key():
    sealed = ciphers.encrypt_cbc(KEY, ciphers.NO_IV, b"\x2f\x2f" + RECORDS + b"\x2f" * 13)
    telegram = decode(by_hand("2007", b"\x00" + sealed), with_keys(KEY))
    assert telegram.security == Security(7, 0, encrypted=True, verified=True)


def test_fifteen_blocks_of_mode_7_are_all_that_came():
    sealed = ciphers.encrypt_cbc(KEY, ciphers.NO_IV, b"\x2f\x2f" + RECORDS + b"\x2f" * 13)
    assert decode(by_hand("F007", b"\x00" + sealed), with_keys(KEY)).security.verified
    assert refused(by_hand("F007", b"\x00" + sealed[:-1]), KEY).code == "truncated"


def test_a_gmac_is_told():
    layer = bytes.fromhex("13 002C 28 B30A0000") + bytes(12)
    transport = bytes.fromhex("7A 7500 2007 10") + bytes(32)
    error = refused(build(METER, layer + transport, header="none", ci=0x90), KEY)
    assert error.code == "unsupported_mode"
    assert "authentication type" in error.message


def test_an_unknown_key_derivation_is_told():
    frame = bytearray(MODE7)
    assert frame[frame.index(b"\x20\x07") + 2] == 0x10
    frame[frame.index(b"\x20\x07") + 2] = 0x20
    assert refused(bytes(frame), KEY).code == "unsupported_mode"


def test_a_mac_beside_another_mode_is_not_ignored():
    """Else one flipped bit, CI 7A into 78, would make an authenticated telegram a plain one."""
    frame = bytearray(MODE7)
    at = len(frame) - 32 - 6
    assert frame[at] == 0x7A
    frame[at] = 0x78
    assert refused(bytes(frame), KEY).code == "unsupported_mode"


@pytest.mark.parametrize("keys", [(), (KEY,)])
def test_clearing_the_number_of_blocks_does_not_disable_the_mac(keys):
    frame = bytearray(MODE7)
    frame[frame.index(b"\x20\x07")] = 0x00
    assert refused(bytes(frame), *keys).code == ("bad_mac" if keys else "missing_key")


@given(st.lists(st.binary(max_size=20), max_size=3), st.sampled_from([MODE5, MODE7, CTR]))
@settings(max_examples=200, deadline=None)
def test_whatever_the_keys_are_the_promise_holds(keys, frame):
    result = outcome(frame, *keys)
    assert isinstance(result, Telegram) or result.code in CODES
