"""The fast way gives what the full walk gives, telegram for telegram, error for error, in bounded memory."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from decoders import DecodeError, Telegram, decode
from decoders.build import EllSpec, build, build_wired
from decoders.decoder import Decoder
from decoders.number_texts import NOTHING, one, plain_text, whole_numbers
from decoders.wmbus import blocks, ciphers
from decoders.wmbus.cipher_cache import CipherCache
from decoders.wmbus.compact import compact_frame
from decoders.wmbus.crc import crc_big
from decoders.wmbus.header import describe
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.link import normalise
from decoders.wmbus.no_checksums import masks_of, may_hold
from metering.meter import MeterId

METER = MeterId.parse("SEN-12345699-68-07")
RADIO = MeterId.parse("RAD-11223344-03-37")
DIEHL = MeterId.parse("HYD-66953825-85-07")
KEY, OTHER = bytes(range(16)), bytes(range(16, 32))
HEADERS = [
    "0413", "023B", "426C", "046D", "0C13", "0B3B", "01FD17", "0513", "043C", "02FD0B", "0779", "0013",
    "0C78", "844013", "04933C", "0613", "036D", "066D", "8211046C", "0E13", "0A5A", "02FD74",
]  # fmt: skip
"""Of every data field and kind; the sizes of their data say themselves."""
VARIABLE = ["0DFD0F", "0D13", "0D78"]


@st.composite
def layouts(draw):
    """Give the constant parts of a list of records: header, LVAR, size of data."""
    plain = st.sampled_from(HEADERS).map(bytes.fromhex).map(lambda header: (header, describe(header).size))
    long = st.tuples(
        st.sampled_from(VARIABLE).map(bytes.fromhex),
        st.sampled_from([(0x00, 0), (0x05, 5), (0xC2, 2), (0xD1, 1), (0xE3, 3), (0xF8, 4)]),
    ).map(lambda pair: (pair[0] + bytes((pair[1][0],)), pair[1][1]))
    filler = st.just((b"\x2f", 0))
    parts = draw(st.lists(plain | long | filler, max_size=7))
    if draw(st.booleans()):
        parts.append((draw(st.sampled_from([b"\x0f", b"\x1f"])), draw(st.integers(0, 9))))
    return parts


@st.composite
def values(draw, parts):
    """Fill a layout."""
    data = [draw(st.binary(min_size=size, max_size=size) | st.just(bytes(size))) for _, size in parts]
    return b"".join(header + filled for (header, _), filled in zip(parts, data, strict=True))


FORMS = [
    {},
    {"header": "none"},
    {"header": "long", "sender": RADIO},
    {"mode": 5, "key": KEY},
    {"mode": 5, "key": KEY, "header": "long", "sender": RADIO},
    {"mode": 7, "key": KEY, "counter": 99, "ell": EllSpec(access=3)},
    {"ell": EllSpec(access=3)},
    {"ell": EllSpec(access=3), "mode": 5, "key": KEY},
    {"ell": EllSpec(ci=0x8D, access=3, session=0x123456)},
    {"ell": EllSpec(ci=0x8D, access=3, session=1 << 29 | 0x123456), "key": KEY},
    {"ell": EllSpec(ci=0x8F, access=3, session=1 << 29 | 0x123456, receiver=RADIO), "key": KEY},
]
KEYS = [(), (KEY,), (OTHER,), (OTHER, KEY), (b"short", KEY), (b"short",)]


@st.composite
def streams(draw):
    """Give frames of a few layouts, some changed on the way, each with the keys at hand."""
    frames = []
    for _ in range(draw(st.integers(1, 2))):
        parts, form = draw(layouts()), draw(st.sampled_from(FORMS))
        for _ in range(draw(st.integers(1, 4))):
            form = {name: value for name, value in form.items() if name != "counter"} | (
                {"counter": draw(st.integers(0, 9))} if "counter" in form else {}
            )
            meter = draw(st.sampled_from([METER, METER, DIEHL, MeterId.parse("SEN-00000001-68-07")]))
            frame = build(
                meter,
                draw(values(parts)),
                **form,
                **(
                    {}
                    if "none" in form.values()
                    else {"access": draw(st.integers(0, 255)), "status": draw(st.integers(0, 255))}
                ),
            )
            frames.append((draw(changed(frame)), draw(st.sampled_from(KEYS))))
    return frames


@st.composite
def changed(draw, frame):
    """Leave the frame alone, or do to it what happens on the air and in receivers."""
    how = draw(st.sampled_from(["not", "not", "not", "byte", "cut", "format A", "format B", "more"]))
    if how == "byte":
        place = draw(st.integers(0, len(frame) - 1))
        return frame[:place] + bytes((draw(st.integers(0, 255)),)) + frame[place + 1 :]
    if how == "cut":
        return frame[: draw(st.integers(0, len(frame)))]
    if how == "format A":
        return blocks.add_format_a(frame)
    if how == "format B" and 12 <= len(frame) <= 120:
        return blocks.add_format_b(frame)
    return frame + b"\x55" if how == "more" else frame


def keys_of(*keys: bytes):
    return lambda _: keys


def outcome(decoding, frame, keys):
    """Give the telegram, or everything an error tells."""
    try:
        return decoding(frame, keys)
    except DecodeError as error:
        return type(error), error.code, error.message, error.offset, error.evidence, error.known


def same(told):
    """Make telegrams comparable: errors among their faults are compared by what they tell."""
    if isinstance(told, Telegram) and told.faults:
        return [(fault.code, fault.offset, fault.message) for fault in told.faults], told.records
    if isinstance(told, tuple) and told[-1] is not None:
        return (*told[:-1], same(told[-1]))
    return told


# --- the same as the full walk -------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(streams())
def test_every_stream_is_decoded_as_each_frame_alone(frames):
    """Twice: the second time all layouts are known."""
    decoder = Decoder()
    for frame, keys in frames * 2:
        assert same(outcome(decoder.decode, frame, keys_of(*keys))) == same(
            outcome(decode, frame, keys_of(*keys))
        )


def test_a_known_layout_is_lifted_without_the_full_walk(monkeypatch):
    decoder = Decoder()
    for form in (FORMS[0], FORMS[2], FORMS[3], FORMS[6], FORMS[8], FORMS[9]):
        decoder.decode(build(METER, bytes.fromhex("041301000000"), **form), keys_of(KEY))
    monkeypatch.setattr("decoders.decoder.decode_frame", None)
    for form in (FORMS[0], FORMS[2], FORMS[3], FORMS[6], FORMS[8], FORMS[9]):
        telegram = decoder.decode(build(METER, bytes.fromhex("041302000000"), **form), keys_of(KEY))
        assert [record.value for record in telegram.records] == [Decimal("0.002")]


def test_wired_frames_of_a_known_layout_are_lifted(monkeypatch):
    decoder = Decoder()
    decoder.decode(build_wired(METER, bytes.fromhex("041301000000")))
    monkeypatch.setattr("decoders.decoder.decode_frame", None)
    frame = build_wired(METER, bytes.fromhex("041305000000"))
    assert decoder.decode(frame).records[0].value == Decimal("0.005")
    assert decoder.decode(frame).frame == frame


def test_keys_are_asked_at_most_once_per_address():
    decoder, asked = Decoder(), []

    def keys(meter):
        asked.append(meter)
        return (OTHER,)

    frame = build(METER, bytes.fromhex("041301000000"), mode=5, key=KEY)
    decoder.decode(frame, keys_of(KEY))
    with pytest.raises(DecodeError, match="fits"):
        decoder.decode(frame, keys)
    assert asked == [METER]


@pytest.mark.shared
def test_real_telegrams_are_decoded_as_alone(shared_telegrams):
    import json

    decoder, fitted = Decoder(), 0
    lines = (shared_telegrams / "wmbus.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines * 2):
        said = json.loads(line)
        frame, keys = (
            bytes.fromhex(said["telegram"]),
            keys_of(*filter(None, [bytes.fromhex(said["key"] or "")])),
        )
        alone = same(outcome(decode, frame, keys))
        assert same(outcome(decoder.decode, frame, keys)) == alone
        if number >= len(lines) and isinstance(alone, Telegram):
            fitted += decoder.fit(frame, keys) is not None
    print(f"{fitted} of {len(lines)} real telegrams are lifted by position")
    assert fitted >= 200


# --- memory --------------------------------------------------------------------------------------


def test_layouts_are_bounded_and_the_used_ones_stay():
    decoder = Decoder(most=40)
    often = build(METER, bytes.fromhex("041301000000"))
    for number in range(300):
        decoder.decode(often)
        decoder.decode(build(METER, bytes((0x04, 0x90 | number & 0x0F, number >> 4 & 0x3F)) + bytes(4)))
        assert len(decoder) <= 40
        assert decoder.fit(often)


def test_ciphers_are_bounded_and_right():
    cache = CipherCache(most=3)
    for number in range(20):
        key, data = bytes((number % 5,)) * 16, bytes(range(number, number + 48))
        assert cache.decrypt_cbc(key, OTHER, data) == ciphers.decrypt_cbc(key, OTHER, data)
        counter = bytes(range(13)) + bytes(3)
        assert cache.xor_ctr(key, counter, data[number:]) == ciphers.xor_ctr(key, counter, data[number:])
        assert len(cache._decryptors) <= 3
        assert len(cache._encryptors) <= 3


def test_a_cache_of_ciphers_shows_no_key():
    cache = CipherCache()
    cache.decrypt_cbc(KEY, OTHER, bytes(16))
    assert repr(KEY)[2:-1] not in repr(cache)


# --- parts ---------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=8, max_size=250), st.sampled_from(["none", "first", "second", "B"]))
def test_the_quick_look_for_checksums_agrees_with_computing_them(body, planted):
    frame = bytearray(bytes((len(body) + 1, 0x44)) + body)
    parts = [(0, 10), (12, 28)]
    if blocks.fits_format_b(frame[0]):
        parts.append(blocks.blocks_b(frame[0])[0])
    start, end = {"first": parts[0], "second": parts[1], "B": parts[-1]}.get(planted, (0, 0))
    if end and end + 2 <= len(frame):
        frame[end : end + 2] = crc_big(bytes(frame[start:end]))
    held = any(blocks.holds(bytes(frame), *part) for part in parts)
    assert may_hold(int.from_bytes(frame), masks_of(len(frame))) == held
    if not held:
        assert normalise(bytes(frame)).crc == "none"


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(HEADERS), st.binary(min_size=8, max_size=8), st.booleans())
@example("0413", b"\x00\x00\x00\x80\0\0\0\0", False)
@example("0C13", b"\x01\x00\x00\xf0\0\0\0\0", False)
def test_numbers_are_written_as_their_decimals_are(header, data, digits):
    said = describe(bytes.fromhex(header))
    read = whole_numbers(said)
    if read is None:
        return
    data = bytes(byte >> 4 & 7 | byte & 7 for byte in data) if digits else data
    data = data[: said.size]
    value, _ = said.read(data)
    written = plain_text(read, said.read(one(said))[0])(data)
    assert written == (NOTHING if value is None else format(value, "f").encode())


# --- compact frames ------------------------------------------------------------------------------

RECORD_HEADERS = b"\x04\x13\x02\x3b\x0d\xfd\x0f"


def compact(index: int, flow: int, text: bytes) -> bytes:
    payload = b"\x04\x13" + index.to_bytes(4, "little") + b"\x02\x3b" + flow.to_bytes(2, "little")
    return compact_frame(payload + b"\x0d\xfd\x0f" + bytes((len(text),)) + text)


def test_compact_frames_of_a_known_layout_are_lifted(monkeypatch):
    decoder = Decoder(Layouts([RECORD_HEADERS]))
    session = EllSpec(ci=0x8D, access=3, session=1 << 29 | 0x123456)
    for form in ({"header": "none"}, {"header": "none", "ell": session, "key": KEY}):
        decoder.decode(build(METER, compact(1, 2, b"abc"), ci=0x79, **form), keys_of(KEY))
    monkeypatch.setattr("decoders.decoder.decode_frame", None)
    for form in ({"header": "none"}, {"header": "none", "ell": session, "key": KEY}):
        frame = build(METER, compact(7704, 9, b"xyz"), ci=0x79, **form)
        telegram = decoder.decode(frame, keys_of(KEY))
        assert telegram == decode(frame, keys_of(KEY), Layouts([RECORD_HEADERS]))
        assert telegram.records[0].value == Decimal("7.704")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.binary(max_size=5), st.integers(0, 60), st.integers(0, 255))
def test_changed_compact_frames_are_decoded_as_alone(index, text, place, byte):
    decoder = Decoder(Layouts([RECORD_HEADERS]))
    frame = bytearray(build(METER, compact(index, 5, text), ci=0x79, header="none"))
    assert decoder.decode(bytes(frame)) == decode(bytes(frame), layouts=Layouts([RECORD_HEADERS]))
    frame[place % len(frame)] = byte
    told = outcome(decoder.decode, bytes(frame), keys_of())
    alone = outcome(lambda one, _: decode(one, layouts=Layouts([RECORD_HEADERS])), bytes(frame), keys_of())
    assert same(told) == same(alone)
