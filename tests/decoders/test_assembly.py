"""Fragments and continued telegrams are put together, in any order, and nothing else is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, decode
from decoders.assembly import Assembly
from decoders.build import EllSpec, build, build_wired
from decoders.trace import trace
from decoders.wmbus import afl, ciphers
from decoders.wmbus.link import normalise
from metering.meter import MeterId

METER = MeterId("ELS", "12345678", "33", "03")
NEIGHBOUR = MeterId("ELS", "12345679", "33", "03")
GATEWAY = MeterId("XYZ", "33445566", "0a", "31")
KEY = bytes(range(16))
COUNTER = (2739).to_bytes(4, "little")
RECORDS = b"".join(bytes.fromhex("8410 13") + number.to_bytes(4, "little") for number in range(60))


def keys(_meter: MeterId) -> tuple[bytes, ...]:
    return (KEY,)


def derived(purpose: bytes) -> bytes:
    return ciphers.derive(KEY, purpose, COUNTER, bytes.fromhex("78563412"))


def message(records: bytes = RECORDS, *, broken: int = 0) -> tuple[bytes, bytes]:
    """One transport message of mode 7, all of it encrypted that the header can count, and its code."""
    plain = b"\x2f\x2f" + records
    sealed, tail = plain[:240], plain[240:]
    sealed += b"\x2f" * (-len(sealed) % 16)
    count = len(sealed) // 16
    header = bytes.fromhex("7A 75 00") + (0x0700 | count << 4).to_bytes(2, "little") + b"\x10"
    transport = header + ciphers.encrypt_cbc(derived(ciphers.ENCRYPTION), bytes(16), sealed) + tail
    length = len(transport).to_bytes(2, "little")
    code = ciphers.cmac(derived(ciphers.MAC), b"\x35" + COUNTER + length + transport)[:8]
    return transport, bytes((code[0] ^ broken,)) + code[1:]


def fragments(
    size: int, meter: MeterId = METER, ell: EllSpec | None = None, *, broken: int = 0, longer: int = 0
) -> list[bytes]:
    transport, code = message(broken=broken)
    cuts = [transport[at : at + size] for at in range(0, len(transport), size)]
    frames = []
    for number, part in enumerate(cuts, 1):
        first, last = number == 1, number == len(cuts)
        layer = afl.write(
            fragment=number,
            more=not last,
            control=0x35 if first else None,
            counter=COUNTER if first else b"",
            mac=code if last else b"",
            length=(len(transport) + longer).to_bytes(2, "little") if first else b"",
        )
        key = KEY if ell and ell.encryption else None
        frames.append(build(meter, layer[1:] + part, header="none", ci=0x90, ell=ell, key=key))
    return frames


@pytest.mark.parametrize(
    "ell",
    [
        None,
        EllSpec(access=9),
        EllSpec(ci=0x8E, receiver=GATEWAY),
        EllSpec(ci=0x8D, session=0),
        EllSpec(ci=0x8F, session=1 << 29 | 5, receiver=GATEWAY),
    ],
    ids=["no ELL", "8C", "8E", "8D", "8F encrypted"],
)
def test_fragments_become_the_message_with_its_code_checked(ell):
    assembly = Assembly(keys)
    *before, last = fragments(100, ell=ell)
    assert [assembly.take(frame) for frame in before] == [None] * len(before)
    telegram = assembly.take(last)
    assert [int(record.value * 1000) for record in telegram.records] == list(range(60))
    assert telegram.security.authenticated
    assert telegram.security.counter == 2739
    assert telegram.meter == METER
    assert assembly.waiting() == 0
    assert b"".join(span.raw for span in trace(before[0]).spans) == before[0]


def test_one_fragment_alone_is_told_as_such():
    frame = fragments(100)[1]
    with pytest.raises(DecodeError) as caught:
        decode(frame, keys)
    assert (caught.value.code, caught.value.evidence["fragment"]) == ("fragment", 2)
    assert caught.value.known.meter == METER


@given(st.randoms(use_true_random=False), st.integers(40, 200))
@settings(max_examples=40, deadline=None)
def test_order_repetition_and_neighbours_do_not_matter(shuffle: random.Random, size: int):
    assembly = Assembly(keys)
    mine = fragments(size)
    heard = [*mine, *mine[: len(mine) // 2], *fragments(size, NEIGHBOUR)[:1]]
    shuffle.shuffle(heard)
    found = [telegram for telegram in map(assembly.take, heard) if telegram is not None]
    assert len([one for one in found if one.meter == METER]) >= 1
    assert all(len(one.records) == 60 for one in found)


def test_a_changed_code_is_told_and_the_message_forgotten():
    assembly = Assembly(keys)
    *before, last = fragments(100, broken=1)
    for frame in before:
        assembly.take(frame)
    with pytest.raises(DecodeError) as caught:
        assembly.take(last)
    assert (caught.value.code, assembly.waiting()) == ("bad_mac", 0)


def test_a_length_that_does_not_fit_is_told():
    assembly = Assembly(keys)
    *before, last = fragments(100, longer=1)
    for frame in before:
        assembly.take(frame)
    with pytest.raises(DecodeError) as caught:
        assembly.take(last)
    assert caught.value.code == "bad_length"


def test_fragments_of_two_messages_never_make_a_third():
    """The second message's first fragment begins anew; what follows of the first does not fit it."""
    assembly = Assembly(keys)
    first, second = fragments(150), fragments(151)
    assembly.take(first[0])
    assembly.take(second[0])
    for frame in first[1:-1]:
        assembly.take(frame)
    with pytest.raises(DecodeError) as caught:
        assembly.take(first[-1])
    assert caught.value.code == "bad_length"


def test_no_more_messages_wait_than_allowed():
    assembly = Assembly(keys, limit=3)
    for serial in range(10):
        assembly.take(fragments(100, MeterId("ELS", f"{serial:08}", "33", "03"))[0])
    assert assembly.waiting() == 3


def test_more_bytes_than_a_message_can_have_are_refused():
    assembly = Assembly()

    def send(count: int) -> None:
        for number in range(1, count):
            part = afl.write(fragment=number, more=True) + bytes(200)
            assembly.take(build(METER, part[1:], header="none", ci=0x90))

    with pytest.raises(DecodeError) as caught:
        send(200)
    assert (caught.value.code, assembly.waiting()) == ("bad_length", 0)


# --- more records follow -------------------------------------------------------------------------

VOLUME = bytes.fromhex("0413 01000000")


def wired(access: int, payload: bytes) -> bytes:
    return build_wired(METER, payload, access=access)


def test_a_readout_of_three_telegrams_is_one():
    assembly = Assembly()
    first, second, last = wired(7, VOLUME + b"\x1f"), wired(8, VOLUME + b"\x1f\xaa"), wired(9, VOLUME)
    assert assembly.take(first) is None
    assert assembly.take(second) is None
    assert assembly.take(second) is None, "asked again, the meter repeats itself"
    telegram = assembly.take(last)
    assert [(record.difvif, record.occurrence) for record in telegram.records] == [
        ("0413", 0),
        ("0413", 1),
        ("0413", 2),
    ]
    assert (telegram.manufacturer_data, telegram.more_follows) == (b"\xaa", False)
    assert telegram.frame == first + second + last
    assert assembly.waiting() == 0


def test_a_telegram_that_does_not_continue_stands_alone():
    assembly = Assembly()
    assembly.take(wired(7, VOLUME + b"\x1f"))
    assert len(assembly.take(wired(9, VOLUME)).records) == 1


def test_a_telegram_in_one_piece_comes_at_once():
    frame = build(METER, VOLUME)
    assert Assembly().take(frame) == decode(frame)


def test_an_endless_readout_is_given_up():
    assembly = Assembly()
    for access in range(3000):
        assert assembly.take(wired(access % 256, VOLUME + b"\x1f")) is None
    assert assembly.waiting() <= 1


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_gives_telegrams_or_documented_errors(parts):
    assembly = Assembly(keys, limit=2)
    for flags, content in parts:
        frame = build(METER, bytes((2,)) + flags.to_bytes(2, "little") + content, header="none", ci=0x90)
        try:
            assembly.take(frame)
        except DecodeError:
            normalise(frame)
    assert assembly.waiting() <= 2
