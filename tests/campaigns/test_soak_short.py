"""The short form of the memory campaign (`make soak-decode` is the long one)."""

from __future__ import annotations

from soak_decode import Source, run

from service.decode_stream import DecodeStream


def test_what_a_stream_remembers_is_bounded() -> None:
    """Telegrams of thousands of meters, few texts allowed: never more than so many are kept."""
    source, stream = Source(20261120), DecodeStream(texts=500)
    for _ in range(4000):
        stream.answer(source.line())
    for forms in (stream._forms, stream._records):
        kept = sum(len(texts) for texts in forms._memory._all)
        assert 0 < kept <= 500


def test_the_campaign_counts_what_it_holds() -> None:
    told: list[str] = []
    held = run(500, seed=3, told=told.append)
    assert len(held) == len(told) == 10
    assert all(50 << 20 < one < 1 << 30 for one in held)
    assert "500 telegrams" in told[-1]
