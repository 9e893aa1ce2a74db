"""XML from strangers: no document type, no entities, bounded in size, depth and elements.

What "billion laughs" and external entities need is a document type; no invoice has one, so it is refused
before anything is expanded. A path that must be there and is not, or that holds what it may not, is told.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from billing_bridge.invoices.invoice import NotAnInvoice

__all__ = ["MOST_BYTES", "Node", "parse"]

MOST_BYTES = 20 * 1024 * 1024
_MOST_DEPTH = 60
_MOST_ELEMENTS = 200_000


class _Builder(ET.TreeBuilder):
    """Builds a tree as long as the document stays within bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def doctype(self, name: str, *_where: str | None) -> None:
        """Refuse a document type before its entities mean anything."""
        raise NotAnInvoice(f"it has a document type ({name}); invoices have none, and it may be an attack")

    def start(self, tag: Any, attrs: Any) -> Any:
        """Open an element."""
        self._depth += 1
        self._elements += 1
        if self._depth > _MOST_DEPTH or self._elements > _MOST_ELEMENTS:
            raise NotAnInvoice("its elements are nested too deeply or too many for an invoice")
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Any:
        """Close an element."""
        self._depth -= 1
        return super().end(tag)


@dataclass(frozen=True, slots=True)
class Node:
    """An element, and where it is; names are looked up without their namespace.

    Attributes:
        element: the element.
        path: for what is wrong: ``Faktura/Fa``.
    """

    element: ET.Element
    path: str

    @property
    def namespace(self) -> str:
        """Of the element."""
        return self.element.tag[1:].partition("}")[0] if self.element.tag.startswith("{") else ""

    @property
    def name(self) -> str:
        """Of the element, without namespace."""
        return _bare(self.element.tag)

    def all(self, path: str) -> Iterator[Node]:
        """Give the elements at a path of bare names."""
        first, _, rest = path.partition("/")
        for child in self.element:
            if _bare(child.tag) == first:
                found = Node(child, f"{self.path}/{first}")
                yield from found.all(rest) if rest else (found,)

    def first(self, path: str) -> Node | None:
        """Give the first element at a path."""
        return next(self.all(path), None)

    def text(self, *paths: str) -> str:
        """Give the text at the first of some paths that has any; empty if none has."""
        for path in paths:
            for found in self.all(path):
                if said := " ".join((found.element.text or "").split()):
                    return said
        return ""

    def needed(self, *paths: str) -> str:
        """Give the text at the first of some paths.

        Raises:
            NotAnInvoice: there is none.
        """
        said = self.text(*paths)
        if not said:
            raise NotAnInvoice(f"{self.path} has no {' or '.join(paths)}")
        return said

    def number(self, *paths: str) -> Decimal | None:
        """Give an amount; ``None`` if there is none.

        Raises:
            NotAnInvoice: what stands there is no number.
        """
        said = self.text(*paths)
        if not said:
            return None
        try:
            value = Decimal(said)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or len(said) > 40:
            raise NotAnInvoice(f"{self.path}/{paths[0]}: {said[:40]!r} is not an amount")
        return value

    def day(self, *paths: str) -> date | None:
        """Give a day; ``None`` if there is none.

        Raises:
            NotAnInvoice: what stands there is no date.
        """
        said = self.text(*paths)
        try:
            return date.fromisoformat(said[:10]) if said else None
        except ValueError:
            raise NotAnInvoice(f"{self.path}/{paths[0]}: {said[:40]!r} is not a date") from None

    def moment(self, path: str) -> datetime | None:
        """Give a time in UTC; ``None`` if there is none. One without zone is taken as UTC.

        Raises:
            NotAnInvoice: what stands there is no time.
        """
        said = self.text(path)
        try:
            moment = datetime.fromisoformat(said) if said else None
            return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise NotAnInvoice(f"{self.path}/{path}: {said[:40]!r} is not a time") from None


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def parse(content: bytes) -> Node:
    """Read a document.

    Raises:
        NotAnInvoice: not XML, not in bounds, or with a document type.
    """
    if len(content) > MOST_BYTES:
        raise NotAnInvoice(f"it is larger than {MOST_BYTES // 1024 // 1024} MB")
    parser = ET.XMLParser(target=_Builder())  # noqa: S314  see the builder
    try:
        parser.feed(content)
        root = parser.close()
    except ET.ParseError as wrong:
        raise NotAnInvoice(f"it is not XML: {wrong}") from None
    except (ValueError, LookupError) as wrong:
        raise NotAnInvoice(f"it is in an encoding that is not read: {wrong}") from None
    return Node(root, _bare(root.tag))
