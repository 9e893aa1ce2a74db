"""The trace says which bytes are which field, in the words of the meter's model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.build import build
from decoders.models import by_name, models
from decoders.shipped_layouts import shipped_layouts
from decoders.trace import Understanding, trace
from decoders.wmbus import blocks
from metering.meter import MeterId

IPERL = MeterId("SEN", "12345699", "68", "07")
UNKNOWN = MeterId("XYZ", "12345678", "01", "07")
RECORDS = bytes.fromhex("0413181E0000 023B0404 01FD1700")
KEY = bytes(range(16))


def named(frame: bytes, *keys: bytes, model=None) -> dict[str, bytes]:
    """Give the bytes, in clear, of each name."""
    spans = trace(frame, lambda _: keys, shipped_layouts(), model).spans
    return {name: span.raw if span.plain is None else span.plain for span in spans for name in span.fields}


@pytest.mark.parametrize("form", ["plain", "sealed", "format A", "long"])
def test_data_carry_the_names_of_the_model_and_the_rest_names_by_rule(form):
    kind = {"sealed": {"mode": 5, "key": KEY}, "long": {"header": "long", "sender": UNKNOWN}}.get(form, {})
    frame = build(IPERL, RECORDS, **kind)
    frame = blocks.add_format_a(frame) if form == "format A" else frame
    assert named(frame, KEY) == {
        "total_m3": bytes.fromhex("181E0000"),
        "max_flow_m3h": bytes.fromhex("0404"),
        "error_flags": b"\0",
    }


def test_without_a_model_names_are_made_by_rule():
    assert list(named(build(UNKNOWN, RECORDS))) == ["total_m3", "flow_m3h", "error_flags"]
    assert trace(build(UNKNOWN, RECORDS)).model is None


def test_a_model_may_be_named():
    found = trace(build(UNKNOWN, RECORDS), model=by_name("iperl"))
    assert found.model is models()["iperl"]
    assert "max_flow_m3h" in named(build(UNKNOWN, RECORDS), model=by_name("iperl"))


def test_a_record_of_the_manufacturer_is_understood_where_the_model_has_a_field_for_it():
    """Of 04FF23 kamwater knows the meaning; of 04FF30 nobody knows what it means."""
    records = bytes.fromhex("04FF2300000000 04FF3000000000")
    known = trace(build(MeterId("KAM", "12345678", "1b", "16"), records))
    unknown = trace(build(UNKNOWN, records))
    assert known.count(Understanding.PARTLY) == 6  # VIB and data of the second
    assert unknown.count(Understanding.PARTLY) == 12


def test_payloads_of_the_manufacturer_carry_names_too():
    (golden, *_) = models()["mkradio4"].tests
    assert named(golden.telegram) == {"total_m3": b"\x38\x00", "target_m3": b"\xd2\x04"}


def test_where_reading_stops_the_model_is_still_known():
    found = trace(build(IPERL, RECORDS, mode=5, key=KEY))
    assert found.error is not None
    assert found.model is models()["iperl"]
    assert not any(span.fields for span in found.spans)


GOLDEN = [golden for model in models().values() for golden in model.tests]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(GOLDEN), st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_the_three_kinds_of_understanding_add_up_to_the_length(golden, at, other):
    frame = golden.telegram[:at] + other + golden.telegram[at + len(other) :]
    for bytes_ in (golden.telegram, frame):
        found = trace(bytes_, lambda _: [golden.key] if golden.key else [])
        assert sum(map(found.count, Understanding)) == len(bytes_)


@pytest.mark.shared
def test_of_real_telegrams_every_byte_is_accounted_for(shared_telegrams: Path):
    seen = dict.fromkeys(Understanding, 0)
    for name in ("wmbus", "wired", "independent"):
        for line in (shared_telegrams / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            keys = [bytes.fromhex(row["key"])] if row.get("key") else []
            found = trace(bytes.fromhex(row["telegram"]), lambda _, keys=keys: keys, shipped_layouts())
            counts = {one: found.count(one) for one in Understanding}
            assert sum(counts.values()) == len(found.frame) == len(row["telegram"]) // 2
            seen = {one: seen[one] + counts[one] for one in Understanding}
    print(f"\nbytes understood: {dict(seen)}")
    assert seen[Understanding.FULL] > 0.8 * sum(seen.values())
