"""The short form of the fuzzing campaign (`make fuzz` is the long one)."""

from __future__ import annotations

from fuzz_decode import run


def test_mutated_frames_give_a_telegram_or_a_documented_error_within_5_ms() -> None:
    """Eight thousand mutations; the long campaign's result is in docs/campaigns.md."""
    ended = run(8000, seed=20261120)
    assert sum(ended.values()) == 8000
    assert ended["telegram"] > 100
    assert len(ended) > 8, "mutations reach many layers"


def test_mutated_frames_are_answered_in_a_stream_as_alone() -> None:
    """``--lines`` is the long form."""
    ended = run(3000, seed=20261121, lines=True)
    assert sum(ended.values()) == 3000
    assert ended["telegram"] > 100
