"""A stream of lines is answered as its lines are one by one, byte for byte."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, Record, decode
from decoders.build import build
from decoders.models import models
from decoders.reading import read
from decoders.shipped_layouts import shipped_layouts
from decoders.wmbus import blocks
from decoders.wmbus.profile import is_profile
from metering.clock import FixedClock
from metering.meter import MeterId
from service.asked import Asked, Given, read_line
from service.decode_lines import Answer, answer, decoding, json_line
from service.decode_stream import DecodeStream
from service.flat_lines import flat_line
from service.record_forms import RecordForms

METER = MeterId.parse("SEN-12345699-68-07")
UNKNOWN = MeterId.parse("XYZ-12345699-68-07")
"""No model reads it."""
RADIO = MeterId.parse("RAD-11223344-03-37")
KEY = bytes(range(16))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CLOCK = FixedClock(NOW)


def one_by_one(line: bytes, key: bytes | None = None, using=None, *, flat=False) -> tuple[bytes, bool]:
    answers = [answer(asked, using) for asked in read_line(line.decode(errors="replace"), Given(key))]
    told = [flat_line(one, NOW) if flat else json_line(one) for one in answers]
    return b"".join(told), all(given.trouble is None for given in answers)


def line_of(frame: bytes, key: bytes | None = None) -> bytes:
    return json.dumps({"telegram": frame.hex(), "key": key and key.hex()}).encode() + b"\n"


KINDS = {
    "0413": 4, "023B": 2, "426C": 2, "046D": 4, "066D": 6, "0C13": 4, "0B3B": 3, "0C78": 4, "0513": 4,
    "02FD0B": 2, "01FD17": 1, "0779": 8, "0420": 4, "0422": 4, "02FD74": 2, "042B": 4, "0406": 4, "040E": 4,
    "0DFD0F05": 5, "0D1303": 3, "0D13C2": 2, "047C036D3378": 4, "0013": 0, "02933B": 2,
}  # fmt: skip
"""Headers with their LVAR, and bytes of data."""

RECORDS = st.lists(
    st.sampled_from(sorted(KINDS.items())).flatmap(
        lambda kind: st.lists(
            st.binary(min_size=kind[1], max_size=kind[1]) | st.just(b"\x12" * kind[1]), min_size=3, max_size=3
        ).map(lambda data: [bytes.fromhex(kind[0]) + one for one in data])
    ),
    max_size=6,
)


MAKES = [
    ("SEN", "68", "07"),
    ("XYZ", "68", "07"),
    ("ZRI", "88", "07"),
    ("DME", "70", "07"),
    ("HYD", "85", "07"),
]


@settings(max_examples=250, deadline=None)
@given(
    RECORDS,
    st.sampled_from(["plain", "long", "sealed", "format A"]),
    st.sampled_from(MAKES),
    st.booleans(),
    st.booleans(),
)
def test_every_stream_is_answered_as_each_line_alone(records, form, make, flat, crowded):
    """Three telegrams of one layout, twice; in a crowded memory texts are forgotten all the time."""
    clock = CLOCK if flat else None
    stream = DecodeStream(clock=clock, texts=3) if crowded else DecodeStream(clock=clock)
    frames = []
    for number in range(3):
        meter = MeterId(make[0], f"0000000{number}", *make[1:])
        payload = b"".join(record[number] for record in records)
        if form == "long":
            frames.append(build(meter, payload, header="long", sender=RADIO))
        else:
            sealed = {"mode": 5, "key": KEY} if form == "sealed" else {}
            frames.append(build(meter, payload, status=8 * number, **sealed))
    if form == "format A":
        frames = list(map(blocks.add_format_a, frames))
    for line in [line_of(frame, KEY if form == "sealed" else None) for frame in frames] * 2:
        assert stream.answer(line) == one_by_one(line, flat=flat)


GOLDEN = [test.telegram for model in models().values() for test in model.tests]


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(GOLDEN),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0x00, 0xFF, 0x12, 0x80, 0x01])), max_size=5),
    st.sampled_from([None, "iperl", "kamheat", "nosuch", "auto"]),
    st.booleans(),
)
def test_telegrams_of_all_models_are_answered_as_alone(frame, changes, name, flat):
    """As they are, then with other bytes where values stand, if not elsewhere."""
    stream, using = DecodeStream(clock=CLOCK if flat else None), decoding(shipped_layouts())
    other = bytearray(frame)
    for place, byte in changes:
        at = 15 + int(place * (len(other) - 16))
        other[at] = byte
    for one in (frame, bytes(other)) * 2:
        line = json.dumps({"telegram": one.hex(), "model": name}).encode()
        assert stream.answer(line) == one_by_one(line, using=using, flat=flat)


def test_profiles_with_values_without_and_unreadable_ones_are_told_as_alone_in_any_order():
    told = 0
    for frame in GOLDEN:
        profiles = [record for record in decoded(frame) if is_profile(record)]
        for profile in profiles:
            start = profile.offset + len(profile.dib) + len(profile.vib) + 3
            size = len(profile.data) - 3
            empty = frame[:start] + b"\xff" * size + frame[start + size :]
            unreadable = frame[: start - 2] + b"\0" + empty[start - 1 :]
            for order in itertools.permutations((frame, empty, unreadable)):
                stream = DecodeStream()
                assert [stream.answer(line_of(one)) for one in order * 2] == [
                    one_by_one(line_of(one)) for one in order * 2
                ]
            told += 1
    assert told


def decoded(frame: bytes) -> tuple[Record, ...]:
    try:
        return decode(frame).records
    except DecodeError:
        return ()


PLAIN = build(METER, bytes.fromhex("0413181E0000"), access=1).hex()
SEALED = build(METER, bytes.fromhex("0413181E0000"), mode=5, key=KEY, access=1).hex()
LINES = [
    PLAIN, PLAIN.upper(), f"0x{PLAIN}", f" {PLAIN[:20]} | {PLAIN[20:30]}_{PLAIN[30:]}\r\n", f"{PLAIN} ", "",
    f"T1;1;1;2026-01-02 03:04:05.000;97;148;12345699;0x{PLAIN};0x{PLAIN}", "{", "{}", "[1]",
    '{"telegram": 5}', '{"telegram": null, "key": 5}', json.dumps({"telegram": PLAIN, "key": "s3cret"}),
    PLAIN + "zz", "ą", "2", json.dumps({"telegram": PLAIN, "key": 12}),
    json.dumps({"telegram": PLAIN, "key": "", "model": ""}),
    json.dumps({"telegram": PLAIN, "key": "00"}), json.dumps({"telegram": PLAIN, "key": "  "}), SEALED,
    json.dumps({"telegram": PLAIN, "model": "nosuch"}), f" {json.dumps({'telegram': PLAIN})}", PLAIN[:-2],
    json.dumps({"telegram": PLAIN, "key": 0}), json.dumps({"telegram": PLAIN, "driver": "iperl"}),
    json.dumps({"telegram": SEALED, "key": KEY.hex()}), json.dumps({"telegram": SEALED, "key": "FF" * 16}),
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(LINES).map(str.encode) | st.binary(max_size=20), max_size=12),
    st.sampled_from([None, KEY]),
)
def test_lines_of_every_sort_are_answered_as_alone(lines, key):
    stream = DecodeStream(Given(key))
    for line in [*lines, *lines]:
        assert stream.answer(line) == one_by_one(line, key)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(KINDS.items())), min_size=12, max_size=24),
    st.randoms(use_true_random=False),
    st.sampled_from(MAKES),
    st.booleans(),
)
def test_long_telegrams_whose_values_are_all_new_are_answered_as_alone(kinds, dice, make, flat):
    """In bulk: numbers of every length and of both signs, marks for nothing, digits that are none."""
    stream = DecodeStream(clock=CLOCK if flat else None)
    for number in range(6):
        payload = b"".join(bytes.fromhex(header) + some_data(dice, size) for header, size in kinds)
        line = line_of(build(MeterId(make[0], f"0000000{number}", *make[1:]), payload))
        assert stream.answer(line) == one_by_one(line, flat=flat)


def some_data(dice, size: int) -> bytes:
    decimal = bytes.fromhex("".join(dice.choice("0123456789") for _ in range(2 * size)))
    return dice.choice([decimal, decimal, dice.randbytes(size), bytes(size), b"\xff" * size])


def test_a_text_with_a_unit_in_its_name_is_not_taken_for_one_without():
    """LVAR data are text, or bytes where they cannot be; only the bytes' field has a unit in its name."""
    stream = DecodeStream()
    for data in (b"abc", b"\x01\x02\x03", b"abd"):
        line = line_of(build(METER, b"\x0d\x13\x03" + data))
        assert stream.answer(line) == one_by_one(line)


def test_a_line_of_a_known_layout_takes_the_quick_way(monkeypatch):
    stream = DecodeStream()
    stream.answer(line_of(build(UNKNOWN, bytes.fromhex("041301000000"))))
    monkeypatch.setattr("service.decode_stream.answer", None)
    written, good = stream.answer(line_of(build(UNKNOWN, bytes.fromhex("0413181E0000"))))
    assert good
    assert b'"total_m3":7.704}' in written


def test_a_meter_with_a_model_takes_the_quick_way_too(monkeypatch):
    for clock, expected in (
        (None, b'"model":"iperl","fields":{"total_m3":7.704}'),
        (CLOCK, b'"total_m3":7.704,'),
    ):
        stream = DecodeStream(clock=clock)
        stream.answer(line_of(build(METER, bytes.fromhex("041301000000"))))
        with monkeypatch.context() as patch:
            patch.setattr("service.decode_stream.answer", None)
            written, good = stream.answer(line_of(build(METER, bytes.fromhex("0413181E0000"))))
        assert good
        assert expected in written


@pytest.mark.shared
@pytest.mark.parametrize("flat", [False, True])
def test_real_telegrams_are_answered_as_alone(shared_telegrams, flat):
    lines = (shared_telegrams / "wmbus.jsonl").read_bytes().splitlines(keepends=True)
    wired = (shared_telegrams / "wired.jsonl").read_bytes().splitlines(keepends=True)
    stream, using = DecodeStream(clock=CLOCK if flat else None), decoding(shipped_layouts())
    for line in [*lines, *wired] * 2:
        assert stream.answer(line) == one_by_one(line, using=using, flat=flat)


@pytest.mark.parametrize("zeros", [("0", "0.000"), ("0.000", "0")])
def test_one_zero_is_not_told_as_another(zeros: tuple[str, str]):
    """0 and 0.000 are equal, so a book of texts by value alone takes one for the other."""
    frame = build(MeterId.parse("ZRI-12345699-0b-16"), bytes.fromhex("0F 01 00000000 00000000 000000"))
    telegram, model, _ = read(frame)
    forms = RecordForms()
    for zero in map(Decimal, zeros):
        records = tuple(replace(one, value=zero) for one in telegram.records if one.quantity == "volume")
        one = replace(telegram, records=records)
        lines = [forms.json_line(one, model) for _ in range(3)]
        assert set(lines[1:]) == {json_line(Answer(Asked(frame), one, model, None))}
