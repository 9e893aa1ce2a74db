"""The numbers of a long telegram written all at once, for those whose values are new every time.

:class:`decoders.rendering.Rendering` looks texts up, which is quickest as long as most of them have been
made before. Where most are new, making them one by one is most of the work. Here the data of all numbers
are read in one call, divided in one, written in one: some ten calls for a telegram instead of ten a number.
What needs care, such as marks for "invalid", is looked up all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import floordiv, getitem, itemgetter, mod, mul
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from decoders.number_texts import NumberText, Whole, decimals_table

if TYPE_CHECKING:
    from decoders.rendering import Hole

__all__ = ["LEAST", "BulkNumbers", "bulk_numbers"]

LEAST = 8
"""With fewer numbers the calls cost more than they save."""

_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_Values = tuple[Any, ...]
_Reader = Callable[[_Values], Sequence[int] | None]
_NO_DECIMALS = (b"",)
_write = b"%d".__mod__
_small = tuple(map(_write, range(10_000))).__getitem__


def bulk_numbers(constants: Sequence[bytes], holes: Sequence[Hole]) -> BulkNumbers | None:
    """Prepare the text of a layout; ``None`` if there are too few numbers in it.

    Args:
        constants: what stands before, between and after the holes.
        holes: the holes, each with one place.
    """
    count = sum(_number(hole) is not None for hole in holes)
    return BulkNumbers(constants, holes) if count >= LEAST else None


def _number(hole: Hole) -> NumberText | None:
    """Say how the number of a hole is written, if it is one with few decimals."""
    place, texts = hole
    number = texts.number if isinstance(place, int) else None
    if number is None or number.factor < 1 or decimals_table(number.places, number.short) is None:
        return None
    return number


class BulkNumbers:
    """A text with holes, most of which are numbers.

    Attributes:
        count: how many.
    """

    def __init__(self, constants: Sequence[bytes], holes: Sequence[Hole]) -> None:
        written = [_number(hole) for hole in holes]
        keys = [_key(hole, number) if number else None for hole, number in zip(holes, written, strict=True)]
        self._readers, order = _readers([*dict.fromkeys(key for key in keys if key)])
        self._steps = [10**key.places for key in order]
        self._factors = [key.factor for key in order]
        self._scaled = any(factor != 1 for factor in self._factors)
        self._told = [[hole for hole, key in enumerate(keys) if key == number] for number in order]
        self._holes = holes
        self._least = [key.whole.least for key in order]

        others = [hole for hole, key in zip(holes, keys, strict=True) if key is None]
        self._texts = [texts for _, texts in others]
        self._pick = _picker([place for place, _ in others])
        other = iter(range(len(order), len(order) + len(others)))
        firsts = [next(other) if key is None else order.index(key) for key in keys]
        self._firsts = itemgetter(*firsts)
        self._seconds = itemgetter(*[min(place, len(order)) for place in firsts])
        self._decimals = [_decimals(number) for number in written]
        self._parts = [b""] * (3 * len(holes) + 1)
        self._parts[::3] = constants
        self.count = len(holes) - len(others)

    def __call__(self, values: _Values) -> bytes | None:
        """Write a telegram; ``None`` if one of its numbers has digits that are none.

        Raises:
            Unfit: a value does not go into this text.
        """
        numbers: list[int] = []
        for read in self._readers:
            found = read(values)
            if found is None:
                return None
            numbers += found
        parts = self._filled(values, numbers) if min(numbers) >= 0 else self._signed(values, numbers)
        return b"".join(parts)

    def _filled(self, values: _Values, numbers: Sequence[int]) -> list[bytes]:
        """Fill in what stands before the point, and the point with what stands behind it."""
        if self._scaled:
            numbers = list(map(mul, numbers, self._factors))
        texts = _written([*map(floordiv, numbers, self._steps)])
        texts += map(getitem, self._texts, self._pick(values))
        rests = [*map(mod, numbers, self._steps), 0]
        parts = self._parts.copy()
        parts[1::3] = self._firsts(texts)
        parts[2::3] = map(getitem, self._decimals, self._seconds(rests))
        return parts

    def _signed(self, values: _Values, numbers: Sequence[int]) -> list[bytes]:
        """Fill in numbers of which some are below zero, or marks, or have no sign."""
        parts = self._filled(values, list(map(abs, numbers)))
        for number, least, told in zip(numbers, self._least, self._told, strict=True):
            if number < 0:
                for hole in told:
                    first = 3 * hole + 1
                    if number >= least:
                        parts[first] = b"-" + parts[first]
                    else:
                        place, texts = self._holes[hole]
                        parts[first : first + 2] = texts[values[cast("int", place)]], b""
        return parts


def _written(numbers: Sequence[int]) -> list[bytes]:
    """Write whole numbers; most are small."""
    try:
        return [*map(_small, numbers)]
    except IndexError:
        return [*map(_write, numbers)]


class _Key(NamedTuple):
    """One number, however often it is told; ``whole`` without its reader, which has no equal."""

    place: int
    factor: int
    places: int
    whole: Whole


def _key(hole: Hole, number: NumberText) -> _Key:
    return _Key(cast("int", hole[0]), number.factor, number.places, number.whole._replace(read=int))


def _decimals(number: NumberText | None) -> tuple[bytes, ...]:
    table = decimals_table(number.places, number.short) if number else None
    return table or _NO_DECIMALS


def _readers(wanted: Sequence[_Key]) -> tuple[list[_Reader], list[_Key]]:
    """Return what reads all numbers, and the order in which it gives them."""
    readers, order = [], []
    kinds = {
        _bcd: [key for key in wanted if key.whole.bcd],
        _packed: [key for key in wanted if not key.whole.bcd and key.whole.size in _CODES],
        _odd: [key for key in wanted if not key.whole.bcd and key.whole.size not in _CODES],
    }
    for reader, keys in kinds.items():
        if keys:
            readers.append(reader(_picker([key.place for key in keys]), [key.whole.size for key in keys]))
            order += keys
    return readers, order


def _packed(pick: Callable[[_Values], Sequence[bytes]], sizes: Sequence[int]) -> _Reader:
    """Read numbers of the processor's own sizes, as if all had a sign."""
    unpack = struct.Struct("<" + "".join(map(_CODES.__getitem__, sizes))).unpack
    return lambda values: unpack(b"".join(pick(values)))


def _odd(pick: Callable[[_Values], Sequence[bytes]], sizes: Sequence[int]) -> _Reader:  # noqa: ARG001  as others
    """Read numbers of three and six bytes."""
    return lambda values: [int.from_bytes(data, "little", signed=True) for data in pick(values)]


def _bcd(pick: Callable[[_Values], Sequence[bytes]], sizes: Sequence[int]) -> _Reader:
    """Read decimal digits, low byte first: the last number's first digit comes first when turned round."""
    unpack = struct.Struct("".join(f"{2 * size}s" for size in reversed(sizes))).unpack

    def read(values: _Values) -> Sequence[int] | None:
        digits = b"".join(pick(values))[::-1].hex()
        return [*map(int, unpack(digits.encode()))][::-1] if digits.isdecimal() else None

    return read


def _picker(places: Sequence[Any]) -> Callable[[_Values], Sequence[Any]]:
    """Return what gives the values at these places, in this order."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: [values[place] for place in places]
