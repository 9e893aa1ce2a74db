"""Many telegrams at once: each is in one table or alone, with the values it has by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import DecodeError, Telegram, decode
from decoders.batch import Batch, decode_many
from decoders.build import build
from decoders.decoder import Decoder
from metering.meter import MeterId

KEY = bytes(range(16))
METERS = [MeterId("SEN", f"0000000{number}", "68", "07") for number in range(3)]
HEADERS = {
    "0413": 4, "023B": 2, "01FD17": 1, "07FD17": 8, "0779": 8, "0C13": 4, "0E78": 6, "0E13": 6, "046D": 4,
    "0513": 4, "0613": 6, "04933C": 4, "0DFD0F05": 5, "03FD0B": 3, "07FD0B": 8, "0420": 4,
}  # fmt: skip


def decimal_digits(data: bytes) -> bytes:
    return bytes(int(str(byte % 100), 16) for byte in data)


@st.composite
def telegrams(draw):
    """Give frames of a few layouts in any order, some of them sealed, some nonsense."""
    frames = []
    for headers in draw(st.lists(st.lists(st.sampled_from(sorted(HEADERS)), max_size=5), max_size=2)):
        for _ in range(draw(st.integers(1, 5))):
            payload = b""
            for header in headers:
                data = draw(st.binary(min_size=HEADERS[header], max_size=HEADERS[header]))
                edge = draw(st.sampled_from(["any", "any", "digits", "minus", "ones", "least"]))
                data = {
                    "digits": decimal_digits(data),
                    "minus": decimal_digits(data)[:-1] + b"\xf1",
                    "ones": b"\xff" * len(data),
                    "least": bytes(len(data) - 1) + b"\x80",
                }.get(edge, data)
                payload += bytes.fromhex(header) + data
            sealed = {"mode": 5, "key": KEY} if draw(st.booleans()) else {}
            frames.append(build(draw(st.sampled_from(METERS)), payload, **sealed))
    frames += draw(st.lists(st.binary(max_size=30), max_size=2))
    return draw(st.permutations(frames))


def keys(_: MeterId) -> tuple[bytes, ...]:
    return (KEY,)


def told(frame: bytes) -> Telegram | DecodeError:
    try:
        return decode(frame, keys)
    except DecodeError as error:
        return error


def same(one: Telegram | DecodeError) -> object:
    """Make results comparable: errors are told by their code and place."""
    if isinstance(one, DecodeError):
        return one.code, one.offset
    return replace(one, faults=()), list(map(same, one.faults))


def in_order(batch: Batch) -> Iterator[tuple[int, Telegram | DecodeError]]:
    for table in batch.tables:
        for row, place in enumerate(table.places):
            yield int(place), table.telegram(row)
    yield from batch.alone


def check(frames: list[bytes]) -> Batch:
    batch = decode_many(frames, Decoder(), keys)
    assert sorted(place for place, _ in in_order(batch)) == list(range(len(frames)))
    for place, one in in_order(batch):
        assert same(one) == same(told(frames[place]))
    for table in batch.tables:
        for row, place in enumerate(table.places):
            telegram = told(frames[place])
            assert table.meter(row) == telegram.meter
            values = [column.value(row) for column in table.columns]
            assert values == [record.value for record in telegram.records]
            assert list(map(str, values)) == [str(record.value) for record in telegram.records]
    return batch


@settings(max_examples=200, deadline=None)
@given(telegrams())
def test_every_frame_stands_in_one_place_with_its_own_values(frames):
    check(frames)


def test_numbers_of_one_layout_are_columns():
    frames = [build(METERS[0], b"\x04\x13" + number.to_bytes(4, "little")) for number in range(100)]
    (table,) = check(frames).tables
    assert table.columns[0].raw.tolist() == list(range(100))
    assert table.columns[0].one.as_tuple().exponent == -3


@pytest.mark.shared
def test_real_telegrams_have_their_own_values(shared_telegrams):
    lines = (shared_telegrams / "wmbus.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [bytes.fromhex(json.loads(line)["telegram"]) for line in lines]
    batch = decode_many(frames, Decoder())
    count = 0
    for table in batch.tables:
        for row, place in enumerate(table.places):
            telegram = decode(frames[place])
            assert table.telegram(row) == telegram
            assert [column.value(row) for column in table.columns] == [r.value for r in telegram.records]
            count += 1
    assert count + len(batch.alone) == len(frames)
    assert count > 150


def test_payloads_of_the_manufacturers_own_are_refused_though_their_headers_are_known():
    meter = MeterId.parse("TCH-12345678-45-43")
    frames = [
        build(meter, bytes(10), header="none", ci=0xA2),
        build(meter, b"\x01" * 10, header="none", ci=0xA2),
    ]
    decoder = Decoder()
    assert decoder.fit_own(frames[0])
    found = decode_many(frames, decoder)
    assert not found.tables
    assert [(place, error.code) for place, error in found.alone] == [
        (0, "manufacturer_specific"),
        (1, "manufacturer_specific"),
    ]
