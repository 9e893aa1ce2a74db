"""Status and error words: numbers become names people can search for.

The transport layer's status byte has names of its own (EN 13757-7, status field); a model may know more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from decoders.model import FlagMethod, FlagWord, Join

__all__ = ["joined", "tpl_words", "words"]

_LOW_TWO: Mapping[int, str] = {1: "BUSY", 2: "ERROR", 3: "ALARM"}
_SINGLE: Mapping[int, str] = {0x04: "POWER_LOW", 0x08: "PERMANENT_ERROR", 0x10: "TEMPORARY_ERROR"}
_STANDARD_BITS, _MANUFACTURER_BITS = 0x1F, 0xE0
_SHOWN = 0xFFFFFFFF
"""Of a leftover, at most the low 32 bits are told."""


def words(word: FlagWord, number: int) -> list[str]:
    """Tell a number by a flag word's table; sorted, empty if nothing is set."""
    if word.method is FlagMethod.DECIMAL_DIGITS:
        return sorted(_digits(word, number))
    if word.method is FlagMethod.INDEX:
        return _looked_up(word, number & word.mask)
    return sorted(set(_bits(word, number & word.mask)))


def tpl_words(status: int, word: FlagWord | None) -> list[str]:
    """Tell the status byte: standard names in the order of the bits, then the manufacturer's.

    A table that covers one of the five standard bits tells the whole byte.
    """
    if word and word.mask & _STANDARD_BITS:
        return words(word, status)
    found = [_LOW_TWO[status & 3]] if status & 3 else []
    found += [name for bit, name in _SINGLE.items() if status & bit]
    if word:
        return found + words(word, status)
    own = status & _MANUFACTURER_BITS
    return [*found, f"UNKNOWN_{own:02X}"] if own else found


def joined(join: Join, record: Iterable[str], tpl: Iterable[str], others: Iterable[str]) -> str:
    """Put a status text together; ``OK`` if nothing is set.

    Args:
        join: which parts count and in which order.
        record: words of the field's own record.
        tpl: words of the status byte.
        others: texts of fields joined into this one.
    """
    parts = [
        *record,
        *(tpl if join is not Join.RECORD else ()),
        *(name for text in others for name in text.split()),
    ]
    told = dict.fromkeys(name for name in parts if name and name != "OK")
    return " ".join(told if join is Join.TPL_IN_ORDER else sorted(told)) or "OK"


def _bits(word: FlagWord, number: int) -> list[str]:
    """Name the bits; of two names for one bit the first counts, what is left over is told in hexadecimal."""
    rest, found = number, []
    for flag in word.names:
        there = rest & flag.code == flag.code
        if there != flag.when_clear:
            found.append(flag.text)
        rest &= ~flag.code
    return [*found, f"{word.rest}_{rest & _SHOWN:X}"] if rest else found


def _looked_up(word: FlagWord, number: int) -> list[str]:
    found = [flag.text for flag in word.names if flag.code == number]
    if not found:
        return [f"{word.rest}_{number & _SHOWN:X}"]
    return [text for text in found if text]


def _digits(word: FlagWord, number: int) -> list[str]:
    """Take the largest code that fits away, in the order of the table."""
    rest = number % word.mask
    found = []
    for flag in word.names:
        if flag.code <= rest:
            rest -= flag.code
            found.append(flag.text)
    return [*found, f"{word.rest}_{rest}"] if rest else found
