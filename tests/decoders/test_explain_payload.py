"""The trace of manufacturers' payloads: what was read, from which bytes, and what nobody understands."""

from __future__ import annotations

from itertools import pairwise

import pytest

from decoders.build import build
from decoders.model import Golden, Model
from decoders.models import models
from decoders.trace import Span, Trace, Understanding, trace
from metering.meter import MeterId

FULL, PARTLY, NOT = Understanding.FULL, Understanding.PARTLY, Understanding.NOT
GOLDEN = [
    pytest.param(model, golden, id=f"{model.name}-{number}")
    for model in models().values()
    if model.hook
    for number, golden in enumerate(model.tests, 1)
]


def explained(model: Model, golden: Golden) -> Trace:
    return trace(golden.telegram, lambda _: [golden.key] if golden.key else [], model=model)


def span_at(traced: Trace, offset: int) -> Span:
    return next(span for span in traced.spans if span.offset <= offset < span.offset + len(span.raw))


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_spans_cover_the_frame_without_gap_or_overlap(model: Model, golden: Golden):
    traced = explained(model, golden)
    assert b"".join(span.raw for span in traced.spans) == golden.telegram
    assert all(span.offset + len(span.raw) == after.offset for span, after in pairwise(traced.spans))
    assert sum(traced.count(one) for one in Understanding) == len(golden.telegram)


@pytest.mark.parametrize(("model", "golden"), GOLDEN)
def test_the_bytes_of_every_value_are_understood(model: Model, golden: Golden):
    traced = explained(model, golden)
    assert traced.error is None
    assert traced.telegram is not None
    for record in traced.telegram.records:
        assert span_at(traced, record.offset).understanding is not NOT or record.quantity.startswith("man")


def test_a_value_says_where_it_comes_from_and_what_to_know_of_it():
    total, rest = trace(bytes.fromhex("10 44 1486 78563412 03 03 A0 01000000 0055")).spans[-2:]
    assert (total.meaning, total.value) == ("volume", "0.000333 m3 (counted in thirds of a litre)")
    assert (rest.understanding, rest.raw) == (NOT, b"\x00\x55")


def test_what_is_told_by_observation_is_understood_partly():
    meter = MeterId("APA", "12345678", "05", "07")
    traced = trace(build(meter, bytes.fromhex("0F 00000000000000 43 9001 10 40E20100 FF 1234")))
    days, total = span_at(traced, 24), span_at(traced, 27)
    assert (days.understanding, total.understanding) == (PARTLY, FULL)
    assert total.value == "123.456 m3"


def test_values_that_share_bytes_share_a_span():
    model = models()["bfw240radio"]
    (golden,) = model.tests
    months = span_at(explained(model, golden), 25)
    assert len(months.raw) == 3
    assert months.meaning == "hca units, storage 19; hca units, storage 18"


def test_scrambled_bytes_are_shown_as_received_and_in_clear():
    model = models()["izarv2"]
    total = span_at(explained(model, model.tests[0]), 16)
    assert total.raw == model.tests[0].telegram[16:20]
    assert total.plain == (987654).to_bytes(4, "little")


def test_an_unknown_payload_is_not_understood():
    traced = trace(bytes.fromhex("0F 44 A815 78563412 01 07 A0 0100000055"))
    assert traced.error is not None
    assert traced.spans[-1].understanding is NOT
