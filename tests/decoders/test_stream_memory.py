"""What a stream forgets is gone: texts of layouts that left do not stay behind."""

from __future__ import annotations

import gc

import pytest
from soak_decode import Source

from metering.clock import SystemClock
from service.decode_stream import DecodeStream


@pytest.mark.parametrize("clock", [None, SystemClock()], ids=["json", "flat"])
def test_texts_of_layouts_that_left_are_let_go(clock):
    """A key of remembered texts that led to its own layout kept both for ever."""
    stream, source = DecodeStream(clock=clock), Source(3)
    for _ in range(1500):
        stream.answer(source.line())
    books = stream._forms._memory._all
    before = len(books)
    stream._decoder._kinds.clear()
    gc.collect()
    assert before > 500
    assert len(books) < before / 20
