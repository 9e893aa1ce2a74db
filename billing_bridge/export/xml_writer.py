"""Writes XML as it goes: elements within elements, text escaped, nothing kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

__all__ = ["XmlWriter"]


class XmlWriter:
    """An XML document in UTF-8. Characters XML 1.0 has no place for are left out."""

    def __init__(self, out: BinaryIO) -> None:
        """Begin a document."""
        self._out = XMLGenerator(out, "utf-8", short_empty_elements=True)
        self._out.startDocument()

    @contextmanager
    def element(self, name: str, /, **attributes: str) -> Iterator[None]:
        """Open an element; it is closed when the block ends."""
        self._out.startElement(name, AttributesImpl(attributes))
        yield
        self._out.endElement(name)

    def leaf(self, name: str, text: object, /, **attributes: str) -> None:
        """Write an element with text in it."""
        with self.element(name, **attributes):
            self._out.characters(_allowed(str(text)))

    def empty(self, name: str, /, **attributes: str) -> None:
        """Write an element with nothing in it."""
        with self.element(name, **attributes):
            pass


def _allowed(text: str) -> str:
    return "".join(sign for sign in text if sign in "\t\n" or sign >= " ")
