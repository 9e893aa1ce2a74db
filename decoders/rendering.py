"""A telegram as text with holes: what repeats is written once, values go in by position.

The text of a value is made once and remembered: most values of a telegram (months before, dates, flags)
repeat from telegram to telegram, and looking a text up is cheaper than making any.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from operator import getitem, itemgetter
from typing import Any

from decoders.bulk_numbers import BulkNumbers, bulk_numbers
from decoders.number_texts import NumberText

__all__ = ["MOST_TEXTS", "Hole", "Memory", "Rendering", "Texts", "Unfit"]

MOST_TEXTS = 100_000
"""Some 20 MB."""

_NEW = 3
"""A telegram with so many times fewer new texts than numbers is written sooner by looking them up."""
_STREAK = 3
"""The first telegram of a layout has new texts always, the next ones may have the same."""
_MANY = 50


class Unfit(LookupError):
    """A value whose text would not go into this hole: the telegram must be told by the full way."""


class Memory:
    """How many texts are remembered in all; at the limit all are forgotten and made again as needed."""

    def __init__(self, most: int = MOST_TEXTS) -> None:
        self._most = most
        self.room = most
        self._all: weakref.WeakSet[Texts] = weakref.WeakSet()
        self._shared: weakref.WeakValueDictionary[Hashable, Texts] = weakref.WeakValueDictionary()

    def texts(self, key: Hashable, made: Callable[[], Callable[[Any], bytes]]) -> Texts:
        """Give the texts of one kind of value, shared by all who name it so.

        What is in the key lives as long as the texts do: a key that leads to whoever holds the texts would
        keep both for ever.
        """
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = Texts(made(), self)
            self._all.add(found)
        return found

    def forget(self) -> None:
        """Forget all texts."""
        self.room = self._most
        for texts in self._all:
            texts.clear()


class Texts(dict[Any, bytes]):
    """Bytes of a frame -> their text. Compared by identity.

    Attributes:
        memory: says how many may be remembered.
        number: how the numbers are written, if all texts are numbers.
    """

    __slots__ = ("__weakref__", "_make", "memory", "number")

    def __init__(self, make: Callable[[Any], bytes], memory: Memory) -> None:
        super().__init__()
        self.number = make if isinstance(make, NumberText) else None
        self._make = self.number.write if self.number else _tight(make)
        self.memory = memory

    def __missing__(self, data: Any) -> bytes:
        memory = self.memory
        if not memory.room:
            memory.forget()
        memory.room -= 1
        text = self[data] = self._make(data)
        return text

    def __hash__(self) -> int:  # type: ignore[override]  # a book of its own, not a value
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def _tight(make: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Copy each text made: what a JSON library gives may hold the kilobytes it was written into."""
    return lambda data: bytes(memoryview(make(data)))


Hole = tuple[int | tuple[int, ...], Texts]
"""Which of the lifted values a hole shows, or which of them together, and their texts."""


class Rendering:
    """One layout in one form of output.

    Args:
        constants: what stands before, between and after the holes.
        holes: the holes in their order.
    """

    def __init__(self, constants: Sequence[bytes], holes: Sequence[Hole]) -> None:
        self._parts: list[bytes] = [b""] * (2 * len(holes) + 1)
        self._parts[::2] = constants
        self._texts = tuple(texts for _, texts in holes)
        self._together = [_picker(place) for place, _ in holes if isinstance(place, tuple)]
        places = _numbered([place for place, _ in holes], -len(self._together))
        self._pick = _picker(places)
        self._bulk = bulk_numbers(constants, [*zip(places, self._texts, strict=True)])
        self._streak = 0
        """So many telegrams, one after the other, had mostly new texts."""
        self._new = 0
        """So many telegrams are written in bulk before texts are looked up again."""

    def __call__(self, values: tuple[Any, ...]) -> bytes:
        """Write a telegram.

        Args:
            values: what its layout lifted.

        Raises:
            Unfit: a value does not go into this text.
        """
        if self._together:
            values = (*values, *[pick(values) for pick in self._together])
        if self._bulk:
            return self._in_bulk(self._bulk, values)
        parts = self._parts.copy()
        parts[1::2] = map(getitem, self._texts, self._pick(values))
        return b"".join(parts)

    def _in_bulk(self, bulk: BulkNumbers, values: tuple[Any, ...]) -> bytes:
        """Write a telegram with many numbers: in bulk if most texts of the last ones looked up were new."""
        if self._new:
            self._new -= 1
            line = bulk(values)
            if line is not None:
                return line
        memory = self._texts[0].memory
        room = memory.room
        parts = self._parts.copy()
        parts[1::2] = map(getitem, self._texts, self._pick(values))
        self._streak = 0 if 0 <= _NEW * (room - memory.room) <= bulk.count else self._streak + 1
        if self._streak >= _STREAK:
            self._new = _MANY
        return b"".join(parts)


def _numbered(places: Sequence[int | tuple[int, ...]], together: int) -> list[int]:
    """Number the places; values shown together stand behind the others, and are counted from the end."""
    counted = iter(range(together, 0))
    return [next(counted) if isinstance(place, tuple) else place for place in places]


def _picker(places: Sequence[int]) -> Callable[[tuple[Any, ...]], Sequence[Any]]:
    """Return what gives the values at these places, in this order."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])
