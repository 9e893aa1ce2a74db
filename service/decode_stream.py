"""Streams of lines for ``nurt decode``: the same answers as one by one, faster.

The answer to every line is that of :mod:`service.decode_lines`. Here a decoder remembers layouts, and a line
of a known layout is filled in instead of being made. Layouts of compact frames are learnt along the stream.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from decoders.decoder import Decoder
from decoders.errors import DecodeError
from decoders.rendering import MOST_TEXTS
from decoders.shipped_layouts import shipped_layouts
from service.asked import Asked, Given, Key, read_line
from service.decode_lines import Answer, answer, json_line
from service.line_forms import LineForms

__all__ = ["DecodeStream"]


_NOTHING = Given()


class DecodeStream:
    """Answers lines.

    Args:
        given: key and model for lines that bring none.
        tell: writes an answer as a line.
        texts: how many texts of values are remembered.
    """

    def __init__(
        self, given: Given = _NOTHING, tell: Callable[[Answer], bytes] = json_line, *, texts: int = MOST_TEXTS
    ) -> None:
        self._given = given
        self._tell = tell
        self._decoder = Decoder(shipped_layouts())
        self._forms = LineForms(texts)

    def answer(self, line: bytes) -> tuple[bytes, bool]:
        """Answer one line; see :func:`service.asked.read_line` for what it may hold.

        Returns:
            The lines of output, line ends included, and whether all of them are without error.
        """
        quick = self._quick(line) if self._tell is json_line else None
        if quick is not None:
            return quick, True
        asked = read_line(line.decode("utf-8", errors="replace"), self._given)
        told = [self._told(one) for one in asked]
        return b"".join([text for text, _ in told]), all(good for _, good in told)

    def forget_texts(self) -> None:
        """Forget the texts of all values, not the layouts."""
        self._forms.forget_texts()

    def _quick(self, line: bytes) -> bytes | None:
        """Answer a line whose telegram is of a known layout; ``None`` for any other."""
        try:
            frame, key = self._plainly_asked(line)
            keys = (key,) if key else ()
            fit = self._decoder.fit(frame, lambda _: keys)
        except (ValueError, TypeError, DecodeError):
            return None  # whatever is wrong, the long way says it in full
        return self._forms.json_line(fit) if fit else None

    def _plainly_asked(self, line: bytes) -> tuple[bytes, Key]:
        """Read a line without ornaments: the frame and its key; no frame if it is not such a line."""
        given = self._given
        if line[:1] != b"{":
            return (b"" if given.model else bytes.fromhex(line.decode("ascii"))), given.key
        said = orjson.loads(line)
        if given.model or said.get("model") or said.get("driver"):
            return b"", None
        own = said.get("key")
        return bytes.fromhex(said.get("telegram")), bytes.fromhex(own) if own else given.key

    def _told(self, asked: Asked) -> tuple[bytes, bool]:
        given = answer(asked, self._decoder.decode)
        return self._tell(given), given.trouble is None
