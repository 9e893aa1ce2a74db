"""Streams of lines for ``nurt decode --format json``: the same answers as one by one, faster.

The answer to every line is that of :mod:`service.decode_lines`. Here a decoder remembers layouts, and a line
of a known layout is filled in instead of being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from decoders.decoder import Decoder
from decoders.errors import DecodeError
from service.decode_lines import Asked, Key, answer, json_line, read_line
from service.line_forms import LineForms

__all__ = ["DecodeStream", "Line"]

_OBJECT = ord("{")


class Line(NamedTuple):
    """One line of output; ``good``: its error is null."""

    text: bytes
    good: bool


class DecodeStream:
    """Answers lines.

    Args:
        key: for lines that bring none.
    """

    def __init__(self, key: Key = None) -> None:
        self._key = key
        self._decoder = Decoder()
        self._forms = LineForms()

    def answers(self, line: bytes) -> Iterator[Line]:
        """Answer one line; see :func:`service.decode_lines.read_line` for what it may hold."""
        quick = self._quick(line)
        if quick is not None:
            yield Line(quick, good=True)
            return
        for asked in read_line(line.decode("utf-8", errors="replace"), self._key):
            yield self._answer(asked)

    def _quick(self, line: bytes) -> bytes | None:
        """Answer a line whose telegram is of a known layout; ``None`` for any other."""
        try:
            asked = self._plainly_asked(line)
            fit = self._decoder.fit(asked.frame, asked.keys) if asked else None
        except (ValueError, TypeError, DecodeError):
            return None  # whatever is wrong, the long way says it in full
        return self._forms.json_line(fit) if fit else None

    def _plainly_asked(self, line: bytes) -> Asked | None:
        """Read a line without ornaments."""
        if line[:1] != b"{":
            return Asked(bytes.fromhex(line.decode("ascii")), self._key)
        said = orjson.loads(line)
        if said.get("model"):
            return None
        own = said.get("key")
        return Asked(bytes.fromhex(said.get("telegram")), bytes.fromhex(own) if own else self._key)

    def _answer(self, asked: Asked) -> Line:
        given = answer(asked, self._decoder.decode)
        return Line(json_line(given), given.trouble is None)
