"""Security modes besides 5 and 7: DES, AES-CCM, the scrambling of the Diehl family."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import CODES, DecodeError, Security, decode, peek
from decoders.build import build
from decoders.trace import trace
from decoders.wmbus import ccm, ciphers
from decoders.wmbus.diehl import DEFAULT_AES_KEY, PUBLISHED_KEYS, unscramble
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
DES_KEY = bytes.fromhex("0123456789ABCDEF")
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
OTHER = bytes.fromhex("F0E1D2C3B4A5968778695A4B3C2D1E0F")
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")
GAS = ["0C14", "046D", "02FD17"]


def opened(frame: bytes, *keys: bytes):
    return decode(frame, lambda _: keys)


def refused(frame: bytes, *keys: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        opened(frame, *keys)
    return caught.value


def difvifs(telegram) -> list[str]:
    return [record.difvif for record in telegram.records]


def by_hand(configuration: int, rest: bytes, meter: MeterId = METER, access: int = 0x2A) -> bytes:
    """A frame with a short header put together here."""
    head = bytes((access, 0)) + configuration.to_bytes(2, "little")
    return build(meter, head + rest, header="none", ci=0x7A)


# --- DES -----------------------------------------------------------------------------------------


def des(records: bytes = RECORDS, tail: bytes = b"") -> bytes:
    return build(METER, records, mode=2, key=DES_KEY, clear_tail=tail)


def test_single_des_gives_the_block_its_standard_prints():
    """FIPS 81, first block of the example of mode ECB, which CBC with vector 0 is for one block."""
    plain = bytes.fromhex("4E6F772069732074")
    assert ciphers.encrypt_des(DES_KEY, plain).hex().upper() == "3FA40E8A984D4815"
    assert ciphers.decrypt_des(DES_KEY, ciphers.encrypt_des(DES_KEY, plain * 3)) == plain * 3


def test_mode_2_opens_with_eight_bytes():
    telegram = opened(des(), DES_KEY)
    assert difvifs(telegram) == GAS
    assert telegram.security == Security(2, encrypted=True, verified=True)
    assert difvifs(opened(des(tail=bytes.fromhex("0CFD1078563412")), KEY, DES_KEY)) == [*GAS, "0CFD10"]


def test_mode_2_tells_its_keys_apart():
    assert refused(des()).code == "missing_key"
    assert refused(des(), KEY).message == "a key has 8 bytes"
    assert refused(des(), bytes(8)).code == "wrong_key"
    assert refused(by_hand(0x0210, bytes(8)), DES_KEY).code == "truncated"
    assert refused(by_hand(0x0209, bytes(16)), DES_KEY).code == "unsupported_mode"


@pytest.mark.parametrize("mode", [2, 3])
def test_payloads_that_came_decrypted_are_recognised(mode):
    telegram = opened(by_hand(mode << 8 | 16, b"\x2f\x2f" + RECORDS))
    assert telegram.security == Security(mode, verified=True)
    assert not peek(telegram.frame).security.encrypted


def test_mode_3_says_why_it_is_not_read():
    error = refused(by_hand(0x0310, bytes(16)), DES_KEY)
    assert error.code == "unsupported_mode"
    assert "day of transmission" in error.message


# --- AES-CCM -------------------------------------------------------------------------------------

COUNTER = (0x000E578C).to_bytes(4, "little")
ADDRESS = bytes.fromhex("931578563412 3303")


def sealed_ccm(count: int = 0xFF, extension: str = "1001", size: int = 8, tail: bytes = b"") -> bytes:
    """Profile D by hand: CF, extension, counter, ciphertext, tag."""
    head = bytes((0x7A, 0x2A, 0)) + (0x2A00 | count).to_bytes(2, "little") + bytes.fromhex(extension)
    key = ciphers.derive(KEY, ciphers.ENCRYPTION, COUNTER, ADDRESS[2:6]) if extension[0] == "1" else KEY
    sealed = AESCCM(key, size).encrypt(ADDRESS + b"\x00" + COUNTER[::-1], RECORDS, head)
    body = head[1:] + COUNTER + sealed[:-size] + tail + sealed[-size:]
    return build(METER, body, header="none", ci=0x7A)


def test_the_nonce_is_address_zero_and_counter_high_byte_first():
    assert ccm.nonce(ADDRESS, COUNTER).hex().upper() == "931578563412330300000E578C"


def test_mode_10_is_built_as_by_hand():
    assert build(METER, RECORDS, access=0x2A, mode=10, key=KEY, counter=0x000E578C) == sealed_ccm()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (sealed_ccm(), GAS),
        (sealed_ccm(extension="1000", size=4), GAS),
        (sealed_ccm(extension="1002", size=12), GAS),
        (sealed_ccm(extension="0003", size=16), GAS),
        (sealed_ccm(count=len(RECORDS), tail=bytes.fromhex("0CFD1078563412")), [*GAS, "0CFD10"]),
    ],
    ids=["tag 8", "tag 4", "tag 12", "persistent key, tag 16", "partly encrypted"],
)
def test_mode_10_opens_and_proves_every_byte(frame, said):
    telegram = opened(frame, OTHER, KEY)
    assert difvifs(telegram) == said
    assert telegram.security == Security(
        10, encrypted=True, verified=True, authenticated=True, counter=0x000E578C
    )
    assert telegram.plain.startswith(RECORDS)
    assert refused(frame).code == "missing_key"
    assert refused(frame, OTHER).code == "bad_mac"
    assert refused(frame, DES_KEY).code == "bad_key"


def test_no_flipped_bit_of_a_frame_in_mode_10_gives_values():
    frame = sealed_ccm()
    for bit in range(8 * 10, 8 * len(frame)):
        altered = bytearray(frame)
        altered[bit // 8] ^= 1 << bit % 8
        try:
            telegram = opened(bytes(altered), KEY)
        except DecodeError:
            continue
        assert not telegram.security.verified


@pytest.mark.parametrize("configuration", [0x2A00, 0x0AFF])
def test_mode_10_needs_a_counter_and_something_encrypted(configuration):
    assert refused(by_hand(configuration, b"\x10\x01" + bytes(30)), KEY).code == "unsupported_mode"


@pytest.mark.parametrize("size", range(25))
def test_mode_10_cut_short(size):
    rest = b"\x10\x01" + COUNTER + bytes(size)
    found = refused(by_hand(0x2A10, rest), KEY)
    assert found.code == ("truncated" if size < 24 else "bad_mac")


def test_the_trace_tells_the_tag():
    found = trace(sealed_ccm(), lambda _: (KEY,))
    assert [(len(span.raw), span.meaning) for span in found.spans][-1] == (8, "authentication tag")
    assert b"".join(span.raw for span in found.spans) == sealed_ccm()


# --- the Diehl family ----------------------------------------------------------------------------

DIEHL = MeterId("HYD", "60904720", "8b", "06")
VOLUMES = bytes.fromhex("0413DDC00000 426CBF23 441382BB0000")


def real_data(records: bytes, key: bytes | None = None) -> bytes:
    """Version and device type stand before the number, the sum of the records in the last header byte."""
    body = bytes.fromhex("44 2423 8B06 20479060 7A 2A00 10") + bytes((sum(records) & 0xEF | 0x10,)) + records
    frame = bytes((len(body),)) + body
    return frame if key is None else frame[:15] + unscramble(frame, key)


@pytest.mark.parametrize("key", [None, *PUBLISHED_KEYS, OTHER[:8]])
def test_real_data_are_unscrambled(key):
    frame = real_data(VOLUMES, key)
    telegram = opened(frame, OTHER)
    assert telegram.meter == DIEHL
    assert difvifs(telegram) == ["0413", "426C", "4413"]
    assert (telegram.security.encrypted, telegram.security.verified) == (key is not None, False)
    assert peek(frame).security.encrypted == (key is not None)


def test_real_data_under_a_key_nobody_gave():
    assert refused(real_data(VOLUMES, OTHER)).code == "missing_key"
    assert refused(real_data(VOLUMES, OTHER), KEY).code == "wrong_key"


def test_real_data_of_other_makes_are_not_read():
    frame = by_hand(0x1800, VOLUMES)
    assert refused(frame, KEY).code == "unsupported_mode"


def test_diehl_meters_that_were_given_no_key_have_a_published_one():
    frame = build(DIEHL, RECORDS, mode=5, key=DEFAULT_AES_KEY)
    assert opened(frame).security == Security(5, encrypted=True, verified=True)
    assert refused(frame, OTHER).code == "wrong_key"
    assert refused(build(DIEHL, RECORDS, mode=5, key=KEY)).code == "missing_key"
    assert refused(build(METER, RECORDS, mode=5, key=DEFAULT_AES_KEY)).code == "missing_key"


@given(st.binary(max_size=60), st.integers(0, 0xFFFF), st.sampled_from([METER, DIEHL]))
@settings(max_examples=300, deadline=None)
def test_any_configuration_gives_a_telegram_or_a_documented_error(rest, configuration, meter):
    try:
        opened(by_hand(configuration, rest, meter), KEY, DES_KEY)
    except DecodeError as error:
        assert error.code in CODES  # noqa: PT017  either outcome is fine
