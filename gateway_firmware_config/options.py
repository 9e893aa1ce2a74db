"""Options of profiles: their kinds, and what is wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Option", "OptionValue"]

OptionValue = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen.

    Attributes:
        default: if nothing is said; its type is the option's.
        says: for people.
        choices: the only values there are; empty = any.
        required: it must be said.
        pattern: what the whole of a text must look like; ``None`` = any text.
    """

    default: OptionValue
    says: str
    choices: tuple[str, ...] = ()
    required: bool = False
    pattern: re.Pattern[str] | None = None

    @classmethod
    def of(
        cls,
        says: str,
        default: Any = "",
        choices: Sequence[str] = (),
        *,
        required: bool = False,
        pattern: str | None = None,
    ) -> Option:
        """Make an option of what a file says."""
        made = tuple(default) if isinstance(default, list) else default
        compiled = re.compile(pattern, re.ASCII) if pattern else None
        return cls(made, says, tuple(choices), required, compiled)

    def fault(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything is."""
        kind = type(self.default)
        if isinstance(value, list | tuple):
            good = kind is tuple and all(isinstance(one, str) for one in value)
        else:
            good = type(value) is kind
        if not good:
            return f"must be {_KINDS[kind]}"
        if self.choices and value not in self.choices:
            return f"there are: {', '.join(self.choices)}"
        if self.pattern and not self.pattern.fullmatch(str(value)):
            return f"must look like {self.pattern.pattern}"
        return None

    def parse(self, text: str) -> OptionValue:
        """Read a value as a person types it; what cannot be one is given as it is, for :meth:`fault`."""
        if isinstance(self.default, bool):
            return {"true": True, "false": False}.get(text, text)
        if isinstance(self.default, int) and text.isascii() and text.isdecimal():
            return int(text)
        return tuple(text.split(",")) if isinstance(self.default, tuple) else text


_KINDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts",
}
