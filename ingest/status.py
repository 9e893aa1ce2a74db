"""The status flags of a telegram: the status byte, and the words its model makes of status records.

A meter says the same thing for months, so what was made of a status is remembered: asking costs about a
microsecond. The words are the model's (:mod:`decoders.words`); which of them count is :mod:`metering.status`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from decoders import Telegram
from decoders.meaning import EXACT, tell
from decoders.model import Field, Form, Model
from decoders.wmbus.header import describe
from decoders.words import tpl_words
from metering.status import StatusFlag, flags_of_words

__all__ = ["status_flags"]

_MOST = 20_000
"""Statuses remembered."""
_ABOUT = ("status", "error", "alarm", "fraud")
"""Parts of the names of fields that tell how a meter is now."""
_NOT_NOW = ("histor", "previous")
_STANDARD = 0x1F
"""Bits of the status byte that EN 13757-7 gives a meaning."""
_NONE = StatusFlag(0)
_known: dict[tuple[object, ...], StatusFlag] = {}


class _Own(NamedTuple):
    """What of a model tells the status.

    Attributes:
        model: cut down to it.
        names: of the fields whose words count.
        quantities: of the records they may take.
        own_byte: its status byte has meanings of its own where the standard has some.
    """

    model: Model
    names: frozenset[str]
    quantities: frozenset[str]
    own_byte: bool


def status_flags(telegram: Telegram, model: Model | None) -> StatusFlag:
    """Give what the meter says of itself in a telegram; nothing if all is well or it says nothing."""
    own = _own(model) if model else None
    if own is None:
        return _of_byte(telegram.status or 0)
    said = [one.dib + one.vib + one.data for one in telegram.records if one.quantity in own.quantities]
    key = (own.model.name, telegram.status, *said)
    flags = _known.get(key)
    if flags is None:
        if len(_known) >= _MOST:
            _known.clear()
        flags = _known[key] = _read(telegram, own)
    return flags


def _read(telegram: Telegram, own: _Own) -> StatusFlag:
    values = tell(telegram, own.model, EXACT).values
    texts = [text for name in own.names if isinstance(text := values.get(name), str)]
    flags = flags_of_words(word for text in texts for word in text.split())
    return flags if own.own_byte else flags | _of_byte(telegram.status or 0)


@functools.lru_cache(maxsize=256)
def _of_byte(status: int) -> StatusFlag:
    """Give what the five standard bits say; the manufacturer's three are the model's to name."""
    return flags_of_words(tpl_words(status & _STANDARD, None)) if status & _STANDARD else _NONE


@functools.cache
def _own(model: Model) -> _Own | None:
    told = [field for field in model.fields if _tells(field)]
    names = {field.name for field in told}
    taken = [*told, *(field for field in model.fields if field.into in names and field.name not in names)]
    operands = {name for field in taken for name in field.of}
    fields = tuple(field for field in model.fields if field in taken or field.name in operands)
    if not told:
        return None
    own_byte = any(field.tpl_flags and field.tpl_flags.mask & _STANDARD for field in fields)
    return _Own(replace(model, fields=fields), frozenset(names), frozenset(_quantities(fields)), own_byte)


def _tells(field: Field) -> bool:
    if field.join:
        return True
    about = any(part in field.name for part in _ABOUT) and not any(part in field.name for part in _NOT_NOW)
    return field.form is Form.FLAGS and about and not field.into


def _quantities(fields: Iterable[Field]) -> Iterable[str]:
    for field in fields:
        if field.where is not None:
            header = field.where.header
            yield describe(header).register.quantity if header else field.where.quantity
