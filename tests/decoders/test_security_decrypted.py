"""Payloads that reach us decrypted, their headers as sent; and the names of all ways to fail."""

import pytest

from decoders import DecodeError, RecordError, Security, SecurityError, Telegram, decode, peek
from decoders.build import EllSpec, build
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
OTHER = bytes.fromhex("F0E1D2C3B4A5968778695A4B3C2D1E0F")
RECORDS = bytes.fromhex("0C1427048502046D32371F1502FD170000")
LINK = EllSpec(ci=0x8D, access=9, session=1 << 29 | 0x123457)


def with_keys(*keys: bytes):
    return lambda _: keys


def refused(frame: bytes, *keys: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame, with_keys(*keys))
    return caught.value


def difvifs(telegram: Telegram) -> list[str]:
    return [record.difvif for record in telegram.records]


MODE5 = build(METER, RECORDS, access=0x2A, mode=5, key=KEY)
MODE7 = build(METER, RECORDS, access=0x75, mode=7, key=KEY, counter=2739, ell=EllSpec(access=0x75))
CTR = build(METER, RECORDS, header="none", key=KEY, ell=LINK)
PROTECTED = pytest.mark.parametrize("frame", [MODE5, MODE7, CTR], ids=["mode 5", "mode 7", "link"])


def already_plain(frame: bytes) -> bytes:
    """The frame with its payload in clear and its headers as sent, as some receivers deliver it."""
    known = decode(frame, with_keys(KEY))
    head = frame[: len(frame) - len(known.plain)]
    if known.security.link:
        head = (
            head[:-3]
            + build(METER, RECORDS, header="none", ell=EllSpec(ci=0x8D, session=0))[-len(known.plain) - 3 :][
                :3
            ]
        )
    return head + known.plain


@PROTECTED
@pytest.mark.parametrize("keys", [(), (KEY,), (OTHER,)], ids=["no key", "its key", "another key"])
def test_a_payload_that_came_decrypted_is_recognised(frame, keys):
    telegram = decode(already_plain(frame), with_keys(*keys))
    assert difvifs(telegram) == ["0C14", "046D", "02FD17"]
    assert (telegram.security.encrypted, telegram.security.verified) == (False, True)
    assert not telegram.security.authenticated


@PROTECTED
def test_peek_tells_encrypted_from_decrypted(frame):
    assert peek(frame).security.encrypted
    assert not peek(already_plain(frame)).security.encrypted


@pytest.mark.parametrize("keys", [(), (OTHER,)])
def test_a_decrypted_payload_needs_clean_records(keys):
    """``2F2F`` alone proves nothing: a ciphertext begins so once in 65536 times."""
    plain = already_plain(MODE5)
    broken = plain[:-3] + b"\x8f\x00\x00"  # a reserved DIF in a filler's place
    error = refused(broken, *keys)
    assert isinstance(error, RecordError)
    assert error.known is not None
    assert not error.known.security.verified


@pytest.mark.parametrize("keys", [(), (OTHER,)])
def test_a_payload_that_came_decrypted_may_end_in_a_receivers_checksum(keys):
    plain = already_plain(MODE5)
    frame = bytes((plain[0] + 2,)) + plain[1:] + b"\xde\x47"
    telegram = decode(frame, with_keys(*keys))
    assert telegram.security == Security(mode=5, verified=True)
    assert telegram.faults == ()
    assert difvifs(telegram) == ["0C14", "046D", "02FD17"]


def test_a_payload_in_clear_that_is_shorter_than_its_header_says_proves_nothing():
    plain = already_plain(MODE5)[:-6]  # fillers only
    telegram = decode(bytes((len(plain) - 1,)) + plain[1:])
    assert difvifs(telegram) == ["0C14", "046D", "02FD17"]
    assert not telegram.security.verified


def test_bytes_left_over_behind_encrypted_blocks_disprove_no_key():
    frame = bytes((MODE5[0] + 2,)) + MODE5[1:] + b"\xde\x47"
    assert decode(frame, with_keys(OTHER, KEY)).security == Security(5, encrypted=True, verified=True)


def test_bytes_left_over_among_those_decrypted_disprove_the_key():
    """A wrong key gives such an end more often than a clean one."""
    payload = RECORDS + b"\x2f" * 12 + b"\x8f"
    error = refused(build(METER, payload, mode=5, key=KEY), KEY)
    assert (error.code, error.evidence) == ("truncated_record", {"bytes": "8F"})
    assert error.offset == 15 + 31
    assert error.known is not None
    assert not error.known.security.verified


def test_a_ciphertext_that_begins_like_fillers_is_still_decrypted():
    """60221 litres, with this key and access number, do."""
    frame = build(METER, b"\x04\x13" + (60221).to_bytes(4, "little"), access=0x2A, mode=5, key=KEY)
    assert frame[15:17] == b"\x2f\x2f"
    telegram = decode(frame, with_keys(KEY))
    assert telegram.security == Security(mode=5, encrypted=True, verified=True)
    assert difvifs(telegram) == ["0413"]


def test_no_encrypted_blocks_means_a_plain_payload():
    frame = bytearray(build(METER, RECORDS))
    frame[14] = 5
    telegram = decode(bytes(frame))
    assert telegram.security == Security(mode=5)
    assert difvifs(telegram) == ["0C14", "046D", "02FD17"]


def test_fillers_before_plain_records_prove_nothing():
    assert decode(build(METER, b"\x2f\x2f" + RECORDS)).security == Security()


def test_a_decrypted_list_that_does_not_hold_together_is_refused_with_what_was_read():
    """The key seems to fit, but only clean records would prove it, and these are not."""
    error = refused(build(METER, RECORDS, mode=5, key=KEY, clear_tail=b"\x0c\x13\x01"), KEY)
    assert isinstance(error, RecordError)
    assert error.known is not None
    assert difvifs(error.known)[:3] == ["0C14", "046D", "02FD17"]
    assert (error.known.security.encrypted, error.known.security.verified) == (True, False)


def test_a_mac_proves_records_that_end_in_a_fault():
    telegram = decode(
        build(METER, RECORDS, mode=7, key=KEY, counter=1, clear_tail=b"\x0c\x13\x01"), with_keys(KEY)
    )
    assert [fault.code for fault in telegram.faults] == ["truncated_record"]
    assert telegram.security.authenticated


PLAIN = build(METER, RECORDS)


@pytest.mark.parametrize("frame", [PLAIN, already_plain(MODE5), already_plain(CTR)], ids=["0", "5", "link"])
def test_who_wants_encryption_is_not_given_a_payload_in_clear(frame):
    with pytest.raises(SecurityError) as caught:
        decode(frame, with_keys(KEY), require_encryption=True)
    assert caught.value.code == "not_encrypted"
    assert caught.value.known == decode(frame, with_keys(KEY))
    assert decode(frame, with_keys(), require_encryption=True).records, "no key: nobody expects encryption"


@PROTECTED
def test_who_wants_encryption_is_given_what_came_encrypted(frame):
    assert decode(frame, with_keys(KEY), require_encryption=True) == decode(frame, with_keys(KEY))


def test_five_ways_to_fail_have_five_names():
    plain, tampered = already_plain(MODE5), bytearray(MODE7)
    tampered[-1] ^= 1
    unread = bytearray(build(METER, bytes(16)))
    unread[14] = 8
    with pytest.raises(SecurityError) as in_clear:
        decode(plain, with_keys(KEY), require_encryption=True)
    told = [
        refused(MODE5).code,
        refused(MODE5, OTHER).code,
        refused(bytes(tampered), KEY).code,
        refused(bytes(unread), KEY).code,
        in_clear.value.code,
    ]
    assert told == ["missing_key", "wrong_key", "bad_mac", "unsupported_mode", "not_encrypted"]
