"""Where each key stands in a TOML file, so that a wrong setting can be told with its line.

The standard library reads TOML but forgets the lines. This scanner walks a text that ``tomllib`` has
already accepted and needs only as much of the grammar (TOML 1.0) as it takes to skip values and to
see keys.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

__all__ = ["KeyPath", "key_lines"]

KeyPath = tuple[str | int, ...]
"""Way to a value: keys, and numbers for elements of arrays."""

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Give the line (from 1) of every key, table and array element of a valid TOML text."""
    return dict(_Scanner(text).document())


class _Scanner:
    """A cursor over the text; every method leaves it behind what it has read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tables: dict[KeyPath, int] = {}  # arrays of tables: how many elements so far

    def document(self) -> Iterator[tuple[KeyPath, int]]:
        table: KeyPath = ()
        while self._skip_space():
            if self._peek() == "[":
                table = self._header()
                yield table, self._line()
            else:
                yield from self._pair(table)

    def _header(self) -> KeyPath:
        """Read ``[a.b]`` or ``[[a.b]]``; an element of an array of tables gets its number."""
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        path = self._inside(self._key())
        self._at = self._text.index("]", self._at) + (2 if array else 1)
        if array:
            self._tables[path] = self._tables.get(path, -1) + 1
            path = (*path, self._tables[path])
        return path

    def _inside(self, keys: KeyPath) -> KeyPath:
        """Go into the newest element of each array of tables on the way to the last key."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path])
        return (*path, keys[-1])

    def _pair(self, table: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        self._skip_space()
        line = self._line()
        keys = self._key()
        for depth in range(1, len(keys) + 1):
            yield (*table, *keys[:depth]), line
        self._at = self._text.index("=", self._at) + 1
        yield from self._value((*table, *keys))

    def _key(self) -> KeyPath:
        """Read a key: bare, quoted, dotted."""
        parts: list[str] = []
        while True:
            self._skip_space()
            match = _STRING.match(self._text, self._at) or _BARE.match(self._text, self._at)
            if match is None:
                return tuple(parts)
            parts.append(_unquoted(match.group()))
            self._at = match.end()
            self._skip_space()
            if self._peek() != ".":
                return tuple(parts)
            self._at += 1

    def _value(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        self._skip_space()
        match self._peek():
            case "[":
                yield from self._array(path)
            case "{":
                yield from self._inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_SCALAR)

    def _array(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        self._at += 1
        number = 0
        while self._skip_space() and self._peek() != "]":
            yield (*path, number), self._line()
            yield from self._value((*path, number))
            self._skip_comma()
            number += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        self._at += 1
        while self._skip_space() and self._peek() != "}":
            yield from self._pair(path)
            self._skip_comma()
        self._at += 1

    def _skip_comma(self) -> None:
        self._skip_space()
        if self._peek() == ",":
            self._at += 1

    def _skip_space(self) -> bool:
        """Skip blanks, line ends and comments; tell whether there is more."""
        self._take(_SPACE)
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1


def _unquoted(part: str) -> str:
    """Give the key a quoted part stands for; escapes are left to ``tomllib``."""
    if part[0] not in "\"'":
        return part
    return next(iter(tomllib.loads(f"{part} = 0")))
