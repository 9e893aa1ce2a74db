"""Spans: what each stretch of a frame means, laid down from the first byte to the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Span", "Spans", "Understanding"]


class Understanding(StrEnum):
    """How far a stretch of bytes is understood."""

    FULL = "full"
    PARTLY = "partly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of bytes with one meaning.

    Attributes:
        offset: where it begins, counted from the first byte of the frame it belongs to.
        raw: its bytes as received.
        layer: ``link``, ``extended link``, ``authentication``, ``transport``, ``application``, ``receiver``.
        meaning: what these bytes are: ``C field``, ``DIF``, ``data``, ...
        value: what they say, in words; empty if there is nothing to say.
        understanding: how far that is all.
        plain: its bytes decrypted, if it came encrypted and a key fits.
        fields: names of the fields read from it.
    """

    offset: int
    raw: bytes
    layer: str
    meaning: str
    value: str = ""
    understanding: Understanding = Understanding.FULL
    plain: bytes | None = None
    fields: tuple[str, ...] = ()

    def part(self, start: int, end: int, offset: int, raw: bytes) -> Span:
        """Return bytes ``start`` to ``end`` of this span, placed elsewhere; the first tells the value."""
        whole = end - start == len(self.raw)
        return Span(
            offset,
            raw,
            self.layer,
            self.meaning if not start else f"{self.meaning}, continued",
            self.value if whole or not start else "",
            self.understanding,
            None if self.plain is None else self.plain[start:end],
            self.fields if whole or not start else (),
        )


@dataclass(slots=True)
class Spans:
    """Lays spans over a frame one after another, so that they cover it without gap or overlap.

    Attributes:
        received: the frame as received.
        clear: the same bytes with encrypted parts replaced, as far as a key opened them.
        laid: the spans so far.
        at: where the next one begins.
    """

    received: bytes
    clear: bytes
    laid: list[Span] = field(default_factory=list)
    at: int = 0

    def lay(
        self,
        size: int,
        layer: str,
        meaning: str,
        value: str = "",
        understanding: Understanding = Understanding.FULL,
    ) -> None:
        """Lay a span over the next ``size`` bytes, or over what is left of them; nothing over none."""
        end = min(self.at + size, len(self.received))
        if end <= self.at:
            return
        raw, clear = self.received[self.at : end], self.clear[self.at : end]
        plain = clear if self._opened(end) else None
        self.laid.append(Span(self.at, raw, layer, meaning, value, understanding, plain))
        self.at = end

    def lay_until(
        self,
        end: int,
        layer: str,
        meaning: str,
        value: str = "",
        understanding: Understanding = Understanding.FULL,
    ) -> None:
        """Lay a span up to the byte at ``end``."""
        self.lay(end - self.at, layer, meaning, value, understanding)

    def rest(self, layer: str, meaning: str, value: str = "") -> None:
        """Lay a span nobody understands over all that is left."""
        self.lay(len(self.received) - self.at, layer, meaning, value, Understanding.NOT)

    def _opened(self, end: int) -> bool:
        """Whether the next bytes came encrypted; a single byte may be its own cipher by chance."""
        return self.received[self.at : end] != self.clear[self.at : end]
