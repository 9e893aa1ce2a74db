"""Many telegrams at once, for archives and replays: columns of numbers instead of telegrams.

Frames of one layout stand below one another as a matrix of bytes, and each record is a few columns of it.
Whatever fits no layout is decoded alone. NumPy is loaded with
this module, which nothing else needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np
from numpy.typing import NDArray

from decoders.decoder import Decoder, Fit
from decoders.errors import DecodeError
from decoders.layout import TelegramLayout
from decoders.number_texts import one, whole_numbers
from decoders.telegram import Keys, Record, Telegram, Value, no_keys
from decoders.wmbus.header import describe
from decoders.wmbus.raw import BCD
from decoders.wmbus.vif import WIDE, Kind
from metering.meter import MeterId

__all__ = ["Alone", "Batch", "Column", "Table", "decode_many"]

Bytes = NDArray[np.uint8]
Whole = NDArray[np.int64]
"""Whole numbers; eight unsigned bytes do not go in and stay bytes."""

_LONGEST = 8
_MINUS, _NINE = 0x0F, 9


@dataclass(frozen=True, slots=True)
class Column:
    """One record of every telegram of a table.

    Attributes:
        record: the record in the telegram the layout was learnt from: register, unit.
        data: data bytes, one row a telegram.
        raw: stored whole numbers; ``None`` if the record stores none.
        valid: where ``raw`` is a value; elsewhere the meter says there is none.
        one: value of the stored number 1 in the record's unit.
    """

    record: Record
    data: Bytes
    raw: Whole | None
    valid: NDArray[np.bool_]
    one: Decimal | None

    def value(self, row: int) -> Value:
        """Give one value, as the record of that telegram has it."""
        if self.raw is None or self.one is None:
            return describe(self.record.dib + self.record.vib).read(self.data[row].tobytes())[0]
        return WIDE.multiply(Decimal(int(self.raw[row])), self.one) if self.valid[row] else None


@dataclass(frozen=True, slots=True)
class Table:
    """All telegrams of one layout.

    Attributes:
        layout: the layout.
        places: which of the frames these are, in their order.
        frames: those frames.
        clear: the same in clear, one row a frame.
        columns: one a record, in wire order.
    """

    layout: TelegramLayout
    places: Whole
    frames: Sequence[bytes]
    clear: Bytes
    columns: tuple[Column, ...]

    def telegram(self, row: int) -> Telegram:
        """Give one telegram whole."""
        return self.layout.telegram(self.frames[row], self.clear[row].tobytes())

    def meter(self, row: int) -> MeterId:
        """Give the meter of one telegram."""
        return self.layout.meter(self.layout.values(self.clear[row].tobytes()))


Alone = tuple[int, Telegram | DecodeError]
"""A frame of no layout: which one, and what decoding it alone gave."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of many frames: each stands in exactly one table, or alone."""

    tables: tuple[Table, ...]
    alone: tuple[Alone, ...]


def decode_many(frames: Iterable[bytes], decoder: Decoder, keys: Keys = no_keys) -> Batch:
    """Decode many frames as received.

    Args:
        frames: in any order; fast where many have the same layout.
        decoder: knows layouts, learns new ones.
        keys: gives the keys to try for a meter; asked for each telegram that needs one.
    """
    fitted: dict[TelegramLayout, list[_Row]] = defaultdict(list)
    alone: list[Alone] = []
    for place, frame in enumerate(frames):
        fit = _fit(decoder, frame, keys)
        if fit is None:
            told = _alone(decoder, frame, keys)
            fit = _fit(decoder, frame, keys) if isinstance(told, Telegram) else None
            if fit is None:
                alone.append((place, told))
                continue
        fitted[fit[0]].append((place, fit[1], fit[2]))
    return Batch(tuple(_table(layout, rows) for layout, rows in fitted.items()), tuple(alone))


_Row = tuple[int, bytes, bytes]
"""Place, frame, frame in clear."""


def _fit(decoder: Decoder, frame: bytes, keys: Keys) -> Fit | None:
    try:
        fit = decoder.fit(frame, keys)
    except DecodeError:
        return None
    return fit if fit and not fit[0].own else None


def _alone(decoder: Decoder, frame: bytes, keys: Keys) -> Telegram | DecodeError:
    try:
        return decoder.decode(frame, keys)
    except DecodeError as error:
        return error


# --- columns -------------------------------------------------------------------------------------


def _table(layout: TelegramLayout, rows: Sequence[_Row]) -> Table:
    places, frames, clear = zip(*rows, strict=True)
    matrix = np.frombuffer(b"".join(clear), np.uint8).reshape(len(rows), -1)
    slots = [layout.slots[place] for place in layout.places.data]
    columns = [
        _column(record, matrix[:, slot]) for record, slot in zip(layout.example.records, slots, strict=True)
    ]
    return Table(layout, np.array(places, np.int64), frames, matrix, tuple(columns))


def _column(record: Record, data: Bytes) -> Column:
    said = describe(record.dib + record.vib)
    if whole_numbers(said) is None or (said.size == _LONGEST and said.kind is not Kind.NUMBER):
        return Column(record, data, None, np.zeros(len(data), np.bool_), None)
    raw, valid = _bcd(data) if record.dib[0] & 0x0F in BCD else _integers(data, said.kind)
    return Column(record, data, raw, valid, cast("Decimal", said.read(one(said))[0]))


def _integers(data: Bytes, kind: Kind) -> tuple[Whole, NDArray[np.bool_]]:
    """Read types B, C and D."""
    size = data.shape[1]
    wide = np.zeros((len(data), _LONGEST), np.uint8)
    wide[:, _LONGEST - size :] = data  # at the top, so that the shift down spreads the sign
    shift = 8 * (_LONGEST - size)
    if kind is Kind.NUMBER:
        raw = wide.view("<i8")[:, 0] >> shift
        return raw, np.not_equal(raw, -(1 << 8 * size - 1))
    raw = (wide.view("<u8")[:, 0] >> np.uint64(shift)).astype(np.int64)
    return raw, np.not_equal(raw, (1 << 8 * size) - 1 if kind is Kind.UNSIGNED else -1)


def _bcd(data: Bytes) -> tuple[Whole, NDArray[np.bool_]]:
    """Read type A; a top digit F is a minus sign."""
    digits = np.empty((len(data), 2 * data.shape[1]), np.int64)
    digits[:, ::2], digits[:, 1::2] = data & 0x0F, data >> 4
    negative = digits[:, -1] == _MINUS
    digits[negative, -1] = 0
    raw = digits @ (10 ** np.arange(digits.shape[1], dtype=np.int64))
    return np.where(negative, -raw, raw), np.all(digits <= _NINE, axis=1)
