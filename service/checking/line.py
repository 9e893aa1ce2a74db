"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Line", "State", "fault", "ok", "warning"]


class State(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at.

    Attributes:
        state: ok, warning (works, but not for long or not well), fault (does not work).
        what: what was looked at, in one or two words.
        sentence: what was found.
        do: what to do about it; empty if it is ok.
    """

    state: State
    what: str
    sentence: str
    do: str = ""


def ok(what: str, sentence: str) -> Line:
    """Say that all is well."""
    return Line(State.OK, what, sentence)


def warning(what: str, sentence: str, do: str) -> Line:
    """Say that it works, but not for long or not well."""
    return Line(State.WARNING, what, sentence, do)


def fault(what: str, sentence: str, do: str) -> Line:
    """Say that it does not work."""
    return Line(State.FAULT, what, sentence, do)
