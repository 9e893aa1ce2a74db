"""Readings that are not on a meter's line, or begin a new one, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Doubt", "DoubtKind"]


class DoubtKind(StrEnum):
    """Why a reading is not on the line, or begins a new one."""

    NOT_A_NUMBER = "not_a_number"
    IMPOSSIBLE_TIME = "impossible_time"
    FUTURE = "future"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """Another index at the same moment; the lowest counts."""
    DECODE_ERROR = "decode_error"
    """Off the line, and the readings after it are back on it."""
    OUT_OF_ORDER = "out_of_order"
    """A few litres low for one reading, soon after another: an older reading with a newer time."""
    ROLL_OVER = "roll_over"
    JUMP = "jump"
    """A rise no meter of this size can make, confirmed by the readings after it."""
    FALL = "fall"
    """A fall, confirmed by the readings after it."""
    MICRO_FALL = "micro_fall"
    """A fall of a few litres: the line goes on from the lower index."""
    CONTRADICTORY = "contradictory"
    """One of readings of which so many contradict each other that there is no line at all."""
    HELD = "held"
    """Off the line, and too few readings after it to decide."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubtful reading.

    Attributes:
        kind: what it is taken for.
        at: its meter time, UTC seconds.
        known_at: when that could be known, UTC seconds.
        index: what it said, litres.
        before: index of the line before it, litres; NaN where there was none.
        readings: how many readings it stands for: of thousands of one kind the last doubt tells the rest.
    """

    kind: DoubtKind
    at: int
    known_at: int
    index: float
    before: float = float("nan")
    readings: int = 1
