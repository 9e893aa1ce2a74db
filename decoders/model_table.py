"""One table of a model file: its keys are taken one by one, each checked, and what is left over is unknown.

A fault names the file, the table and the key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Any, TypeVar

from metering.errors import TelemetryError

__all__ = ["ModelFileError", "Table"]

_Member = TypeVar("_Member", bound=Enum)


class ModelFileError(TelemetryError):
    """A meter model file is not one.

    Attributes:
        source: the file.
        table: which table of it, ``[[field]] 3 total_m3``; empty for the file as a whole.
        key: which key; empty for the table as a whole.
        sentence: what is wrong.
    """

    def __init__(self, source: str, table: str, key: str, sentence: str) -> None:
        self.source = source
        self.table = table
        self.key = key
        self.sentence = sentence
        place = ", ".join(filter(None, (source, table, f"key {key}" if key else "")))
        super().__init__(f"{place}: {sentence}")


class Table:
    """One TOML table whose keys are taken one by one; what is left over is unknown."""

    def __init__(self, content: Mapping[str, Any], source: str, name: str = "") -> None:
        self._content = dict(content)
        self.source = source
        self.name = name

    def fault(self, key: str, sentence: str) -> ModelFileError:
        """Say what is wrong with a key."""
        return ModelFileError(self.source, self.name, key, sentence)

    def close(self) -> None:
        """Refuse what is left over."""
        for key in self._content:
            raise self.fault(key, "is not known here")

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._content

    def _take(self, key: str, wanted: type | UnionType, words: str) -> Any:
        value = self._content.pop(key)
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise self.fault(key, f"must be {words}, not {value!r}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text."""
        if not self.has(key):
            if default is None:
                raise self.fault(key, "is missing")
            return default
        return str(self._take(key, str, "a text"))

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; empty if the key is not there."""
        values = self._take(key, list, "a list of texts") if self.has(key) else []
        if not all(isinstance(value, str) for value in values):
            raise self.fault(key, "must be a list of texts")
        return tuple(values)

    def truth(self, key: str, *, default: bool = False) -> bool:
        """Take true or false."""
        return bool(self._take(key, bool, "true or false")) if self.has(key) else default

    def whole(self, key: str, default: int, *, least: int) -> int:
        """Take a whole number."""
        number = int(self._take(key, int, "a whole number")) if self.has(key) else default
        if number < least:
            raise self.fault(key, f"must be at least {least}, not {number}")
        return number

    def number_or_text(self, key: str) -> int | str:
        """Take a number or a text."""
        value: int | str = self._take(key, int | str, "a number or a text")
        return value

    def one_of(self, key: str, kind: type[_Member], default: _Member) -> _Member:
        """Take the name of a member."""
        value = self.text(key, default.value)
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(member.value for member in kind)
            raise self.fault(key, f"{value!r} is none of {known}") from None

    def hexadecimal(self, key: str) -> bytes:
        """Take bytes written in hexadecimal."""
        value = self.text(key)
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise self.fault(key, f"{value!r} is not bytes in hexadecimal") from None

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Take a table as it is."""
        return dict(self._take(key, dict, "a table"))

    def table(self, key: str) -> Table | None:
        """Take a table; ``None`` if the key is not there."""
        if not self.has(key):
            return None
        return Table(self.mapping(key), self.source, f"{self.name}, [{key}]")

    def tables(self, key: str, title: str = "name") -> Sequence[Table]:
        """Take a list of tables; faults name each by its number and the value of ``title``."""
        rows = self._take(key, list, "a list of tables") if self.has(key) else []
        if not all(isinstance(row, dict) for row in rows):
            raise self.fault(key, "must be a list of tables")
        return [
            Table(row, self.source, f"[[{key}]] {number} {row.get(title, '')}".rstrip())
            for number, row in enumerate(rows, 1)
        ]
