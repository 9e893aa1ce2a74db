"""What a meter's model tells of telegrams of one layout: which values, and out of which bytes each is made.

Which field takes which record depends on headers only, which repeat; so a told value depends on the data of a
few records and perhaps on the status byte, and its text can be remembered by those bytes. Where the
data decide what records there are (payload readers, profiles), the records must be made first, and values are
lifted from them instead of from bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from decoders.layout import TelegramLayout, maker
from decoders.matching import Binding, bind
from decoders.meaning import ABSENT, Absent, View, status_of, value_of
from decoders.model import Field, Form, Model
from decoders.number_texts import Text, Whole, shortest_text
from decoders.rendering import Hole, Memory, Unfit
from decoders.telegram import Record, Value
from decoders.wmbus.profile import says_profile

__all__ = ["Source", "Telling", "ToldForm", "of_layout", "told_form"]


class Telling(Protocol):
    """One way to tell values."""

    @property
    def view(self) -> View:
        """How the data of one record are read."""
        ...

    def text(self, name: str, value: Value, source: Record | None) -> bytes:
        """Write a told value as JSON; ``source``: a record of the header it was read from, if from one."""
        ...

    def whole(self, field: Field, record: Record) -> tuple[Whole, Decimal] | None:
        """Give what reads the stored whole number and the told value of 1, if there is no more to a field."""
        ...


class Source(NamedTuple):
    """Where the values of telegrams with the same records are lifted from.

    Attributes:
        kind: names this way of lifting; texts made in one way serve all layouts with the same headers.
        records: records of an example, profiles expanded.
        status: its status byte.
        data: for each record, which of the lifted values it is made of.
        status_at: which of them is the status byte.
        make: of the place of an example's record and a lifted value, another record.
        number: brings a text of data bytes to lifted values.
    """

    kind: Hashable
    records: Sequence[Record]
    status: int | None
    data: Sequence[int]
    status_at: int | None
    make: Callable[[int, Any], Record]
    number: Callable[[Text], Callable[[Any], bytes]]


def of_layout(layout: TelegramLayout) -> Source | None:
    """Lift values out of the bytes of a layout; ``None`` where a profile says what records there are."""
    example, places = layout.example, layout.places
    if any(map(says_profile, example.records)):
        return None
    return Source(
        "bytes",
        example.records,
        example.status,
        places.data,
        places.status,
        lambda place, data: maker(example.records[place])(data),
        lambda text: text,
    )


class ToldForm(NamedTuple):
    """What is told of telegrams of one layout.

    Attributes:
        names: names of the values, in their order.
        holes: how each is told.
        guards: holes that stay empty, or say that a telegram tells something else.
        taken: places of the records that some field took.
    """

    names: tuple[str, ...]
    holes: tuple[Hole, ...]
    guards: tuple[Hole, ...]
    taken: frozenset[int]


def told_form(source: Source, model: Model, telling: Telling, memory: Memory) -> ToldForm:
    """Say what a model tells of telegrams with these records."""
    bindings = bind(model, source.records)
    hidden = {binding.name for binding in bindings if binding.field.hidden}
    names = dict.fromkeys(binding.name for binding in bindings)
    parts = [_Part(name, source, bindings, telling) for name in names]
    told = [part for part in parts if part.value is not ABSENT and part.name not in hidden]
    return ToldForm(
        tuple(part.name for part in told),
        tuple(part.hole(memory, model) for part in told),
        tuple(part.guard(memory, model) for part in parts if part not in told),
        frozenset(place for part in parts for place in part.taken),
    )


class _Part:
    """One name: the bindings it takes to tell its value, and what the layout's example tells.

    Attributes:
        name: the name.
        value: what the example tells.
        taken: places of the records its fields took.
    """

    def __init__(self, name: str, source: Source, bindings: Sequence[Binding], telling: Telling) -> None:
        self.name = name
        self._from = source
        self._telling = telling
        needed = _needed(name, bindings)
        self._bindings = [binding for binding in bindings if binding.name in needed]
        self._data = sorted({binding.record for binding in self._bindings if binding.record is not None})
        self._status = any(binding.field.join for binding in self._bindings)
        self.value, self._silent = self._tell(source.records, source.status or 0)
        self.taken = [
            binding.record
            for binding, silent in zip(self._bindings, self._silent, strict=True)
            if binding.name == name and binding.record is not None and not silent
        ]
        self._source = source.records[self.taken[-1]] if self.taken else None

    def hole(self, memory: Memory, model: Model) -> Hole:
        """Give the hole of the value."""
        return self._place, memory.texts(self._key("told", model), self._maker)

    def guard(self, memory: Memory, model: Model) -> Hole:
        """Give a hole that stays empty as long as the same fields find something to tell."""
        return self._place, memory.texts(self._key("guard", model), lambda: self._guard)

    def _key(self, what: str, model: Model) -> tuple[object, ...]:
        headers = [record.dib + record.vib for record in self._from.records]
        about = self._from.kind, type(self._telling), model, self.name
        return what, *about, tuple(headers), tuple(self._silent)

    @property
    def _place(self) -> int | tuple[int, ...]:
        """Say which of the lifted values it depends on."""
        places = [self._from.data[place] for place in self._data]
        if self._status and self._from.status_at is not None:
            places.append(self._from.status_at)
        return places[0] if len(places) == 1 else tuple(places)

    def _maker(self) -> Text | Callable[[Any], bytes]:
        """Return the quick way from the stored number to its text if there is one, else the full one."""
        if len(self._bindings) == 1:
            (binding,) = self._bindings
            field = binding.field
            if binding.record is not None and field.form is Form.NUMBER and not (field.hook or field.join):
                whole = self._telling.whole(field, self._from.records[binding.record])
                if whole is not None and isinstance(self.value, Decimal | None):
                    return self._from.number(shortest_text(*whole))
        return self._text

    def _text(self, data: Any) -> bytes:
        value = self._told(data)
        if isinstance(value, Absent):
            raise Unfit
        return self._telling.text(self.name, value, self._source)

    def _guard(self, data: Any) -> bytes:
        self._told(data)
        return b""

    def _told(self, data: Any) -> Value | Absent:
        """Tell the value of other data; they must be as much as the example's."""
        lifted = (data,) if isinstance(self._place, int) else data
        records = list(self._from.records)
        for place, one in zip(self._data, lifted, strict=False):
            records[place] = self._from.make(place, one)
        status = lifted[-1][0] if len(lifted) > len(self._data) else 0
        value, silent = self._tell(records, status)
        if silent != self._silent:
            raise Unfit
        return value

    def _tell(self, records: Sequence[Record], status: int) -> tuple[Value | Absent, list[bool]]:
        """Tell the value, and which of the fields have nothing to tell."""
        known: dict[str, Value] = {}
        silent = []
        for binding in self._bindings:
            value = value_of(binding, records, known, self._telling.view) if not binding.field.join else ""
            silent.append(value is ABSENT)
            if not isinstance(value, Absent):
                known[binding.name] = value
        for binding in self._bindings:
            if binding.field.join:
                known[binding.name] = status_of(binding, self._bindings, records, status, known)
        return known.get(self.name, ABSENT), silent


def _needed(name: str, bindings: Sequence[Binding]) -> set[str]:
    """Give the names whose values it takes to tell this one, itself included."""
    needed, found = set(), {name}
    while found:
        needed |= found
        found = {other for one in bindings if one.name in found for other in _used(one, bindings)} - needed
    return needed


def _used(binding: Binding, bindings: Iterable[Binding]) -> Iterator[str]:
    yield from binding.field.of
    if binding.field.join:
        yield from (other.name for other in bindings if other.field.into == binding.name)
