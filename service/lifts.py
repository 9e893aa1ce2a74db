"""Where the values of a line are lifted from: the bytes of a known layout, or those of a payload's table.

A form (:mod:`service.line_forms`) is a text with holes. A lift says what stands in them: for each record the
hole of its value and that of its field, and what a model tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from operator import itemgetter
from typing import Any

import orjson

from decoders.fields import field_value
from decoders.layout import TelegramLayout, maker
from decoders.number_texts import Text
from decoders.quick_records import made_again
from decoders.rendering import Hole, Memory, Unfit
from decoders.rows import Row, Table
from decoders.telegram import Record, Telegram
from decoders.told_form import Source, of_layout
from decoders.wmbus.header import describe
from decoders.wmbus.profile import says_profile
from decoders.wmbus.vif import Kind
from service.decode_lines import plain, to_the_second
from service.tellings import field_text, value_text

__all__ = ["Lift", "TableLift", "liftable"]


class Lift:
    """Values out of the bytes of a layout.

    Attributes:
        layout: the layout.
        telegram: an example.
        example: its lifted values.
    """

    def __init__(self, layout: TelegramLayout, memory: Memory) -> None:
        self.layout = layout
        self.telegram = layout.example
        self.example: tuple[Any, ...] = layout.values(layout.clear)
        self._memory = memory

    @property
    def source(self) -> Source | None:
        """What a model tells its values from; ``None`` where a profile says what records there are."""
        return of_layout(self.layout)

    def values(self) -> list[Hole]:
        """Give the holes of the records' values."""
        return [self._value(place) for place in range(len(self.telegram.records))]

    def field(self, place: int) -> Hole:
        """Give the hole of a record's field, named by rule."""
        record = self.telegram.records[place]
        header, named_as_text = record.dib + record.vib, isinstance(record.value, str)
        if describe(header).kind is Kind.MOMENT and not named_as_text:
            return self._value(place)
        texts = self._memory.texts(("field", header, named_as_text), partial(field_text, record))
        return self.layout.places.data[place], texts

    def _value(self, place: int) -> Hole:
        record = self.telegram.records[place]
        header = record.dib + record.vib
        texts = self._memory.texts(("value", header), partial(value_text, header))
        return self.layout.places.data[place], texts


class TableLift(Lift):
    """Values out of a layout and of the rows behind its records, or instead of them.

    Args:
        layout: the layout.
        memory: remembers texts.
        clear: a frame that fits it, its payload in clear.
        telegram: what was read of it.
        table: what the payload reader found.
    """

    def __init__(
        self, layout: TelegramLayout, memory: Memory, clear: bytes, telegram: Telegram, table: Table
    ) -> None:
        super().__init__(layout, memory)
        at = table.piece.at
        self.lift = _lifter([slice(at + row.of[0], at + row.of[1]) for row in table.rows])
        self.telegram = telegram
        self.example = (*layout.values(clear), *self.lift(clear))
        self._table = table
        self._first = len(telegram.records) - len(table.rows)
        self._kind = object()
        """Stands for this lift in keys of texts, which must not keep it alive."""

    @property
    def source(self) -> Source:
        """What a model tells its values from."""
        own = range(len(self.layout.slots), len(self.layout.slots) + len(self._table.rows))
        data = [*self.layout.places.data[: self._first], *own]
        records, status = self.telegram.records, self.telegram.status
        return Source(
            self._kind, records, status, data, self.layout.places.status, self._make, lambda text: text
        )

    def field(self, place: int) -> Hole:
        """Give the hole of a record's field, named by rule."""
        return (
            super().field(place)
            if place < self._first
            else self._hole("field", place, self._field_text(place))
        )

    def _value(self, place: int) -> Hole:
        return (
            super()._value(place)
            if place < self._first
            else self._hole("value", place, self._value_text(place))
        )

    def _hole(self, what: str, place: int, text: Text) -> Hole:
        texts = self._memory.texts((self._kind, what, place), lambda: text)
        return len(self.layout.slots) + place - self._first, texts

    def _row(self, place: int) -> Row:
        return self._table.rows[place - self._first]

    def _make(self, place: int, raw: bytes) -> Record:
        record = self.telegram.records[place]
        if place < self._first:
            return maker(record)(raw)
        data, value, _ = self._row(place).tell(raw)
        return made_again(record, data, value)

    def _value_text(self, place: int) -> Text:
        row = self._row(place)
        if row.quick:
            return value_text(row.said.dib + row.said.vib)

        def text(raw: bytes) -> bytes:
            record = self._make(place, raw)
            return orjson.dumps(plain(record.value, seconds=to_the_second(record)))

        return text

    def _field_text(self, place: int) -> Text:
        example = self.telegram.records[place]
        if self._row(place).quick:
            return field_text(example)

        def text(raw: bytes) -> bytes:
            record = self._make(place, raw)
            if isinstance(record.value, str) is not isinstance(example.value, str):
                raise Unfit  # a text's field has no unit in its name
            value = record.value if isinstance(record.value, date) else field_value(record)
            return orjson.dumps(plain(value, seconds=to_the_second(record)))

        return text


def liftable(telegram: Telegram, table: Table) -> bool:
    """Whether the next telegram's values can be lifted out of its bytes."""
    return (
        table.decided is not None
        and table.sound
        and not (table.faults or telegram.faults or any(map(says_profile, telegram.records)))
    )


def _lifter(slices: Sequence[slice]) -> Callable[[bytes], Sequence[bytes]]:
    """Return what cuts all slices out of a frame."""
    return itemgetter(*slices) if len(slices) > 1 else lambda clear: [clear[one] for one in slices]
