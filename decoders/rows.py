"""Payload readers as tables: which value stands where in what a manufacturer wrote in a form of its own.

A reader that gives a :class:`Table` need not make records: :func:`payload_of` does. And whoever reads streams
can lift the values out of the next telegram by position, as long as the bytes that decided which rows there
are say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from decoders.errors import DecodeError
from decoders.payload import NOT_MINE, Payload, Piece, described, described_without_data, record_of, truncated
from decoders.telegram import Record, Value
from decoders.wmbus.header import Description

__all__ = ["NO_TABLE", "Open", "Row", "Table", "field", "fields_of", "payload_of", "value"]

Open = Callable[[bytes, Sequence[bytes]], bytes | None]
"""A frame and the keys to try -> the frame with the payload in clear; ``None`` = only the reader can say."""


class Row(NamedTuple):
    """One record of a payload.

    Attributes:
        said: what its header says.
        start: where its data begin in the piece.
        end: before which they end.
        of: which bytes of the piece it depends on.
        read: these bytes -> value, where no data field of the standard holds it.
        packed: these bytes -> data in a form of the standard.
        remark: what to know of it.
    """

    said: Description
    start: int
    end: int
    of: tuple[int, int]
    read: Callable[[bytes], Value] | None = None
    packed: Callable[[bytes], bytes] | None = None
    remark: str = ""

    @property
    def quick(self) -> bool:
        """Whether the bytes are the data, in a form of the standard."""
        return self.read is None and self.packed is None

    def tell(self, raw: bytes) -> tuple[bytes, Value, str]:
        """Give data, value and remark told by the bytes the row depends on."""
        if self.read:
            first = self.of[0]
            return raw[self.start - first : self.end - first], self.read(raw), self.remark
        data = self.packed(raw) if self.packed else raw
        found, why = self.said.read(data)
        return data, found, "; ".join(filter(None, (self.remark, self.said.remark, why)))

    def record(self, piece: Piece) -> Record:
        """Make the record.

        Raises:
            LayerError: ``truncated``: the payload ends inside the data.
        """
        raw, shown = piece.data[slice(*self.of)], piece.cut(self.start, self.end)
        if len(raw) != self.of[1] - self.of[0]:
            raise truncated(shown, self.end - self.start)
        data, found, remark = self.tell(raw)
        return record_of(self.said, Piece(data, shown.at), found, remark)


@dataclass(frozen=True, slots=True)
class Table:
    """What a reader that works by table found.

    Attributes:
        piece: the bytes the rows count from, in clear.
        rows: the records; none = these bytes are not of the reader's form.
        decided: parts of the piece that decided which rows there are, beside what the headers of telegram
            and records say and how long it is; ``None`` = that cannot be told.
        whole: see :class:`decoders.payload.Payload`, as the following.
        sound: nothing in it contradicts the form.
        encrypted: it had an encryption of its own, which a key opened.
        faults: what was wrong in an otherwise readable payload.
        open: opens the next frame of this table; ``None`` = there is nothing to open.
    """

    piece: Piece
    rows: tuple[Row, ...] = ()
    decided: tuple[tuple[int, int], ...] | None = ()
    whole: bool = False
    sound: bool = True
    encrypted: bool = False
    faults: tuple[DecodeError, ...] = ()
    open: Open | None = None


NO_TABLE = Table(Piece(b"", 0))
"""Not of the reader's form, as the headers say."""


def field(  # noqa: PLR0913  the places a row names
    header: str,
    start: int,
    end: int,
    packed: Callable[[bytes], bytes] | None = None,
    *,
    of: tuple[int, int] | None = None,
    remark: str = "",
) -> Row:
    """Make a row whose data are in a form of the standard; see :func:`decoders.payload.standard`."""
    return Row(described(header), start, end, of or (start, end), None, packed, remark)


def value(  # noqa: PLR0913  the places a row names
    vib: str,
    read: Callable[[bytes], Value],
    start: int,
    end: int,
    *,
    storage: int = 0,
    of: tuple[int, int] | None = None,
    remark: str = "",
) -> Row:
    """Make a row whose value no data field of the standard holds; see :func:`decoders.payload.told`."""
    return Row(described_without_data(vib, storage), start, end, of or (start, end), read, None, remark)


@lru_cache(maxsize=256)
def fields_of(*items: tuple[int, str]) -> tuple[Row, ...]:
    """Make the rows of a block of fixed layout.

    Args:
        items: where the data begin, and DIB and VIB in hexadecimal.
    """
    return tuple(field(header, at, at + (described(header).size or 0)) for at, header in items)


def payload_of(table: Table) -> Payload:
    """Make the records of a table.

    Raises:
        LayerError: ``truncated``: the payload ends inside the data of a row.
    """
    if not table.rows and not table.faults:
        return NOT_MINE
    records = tuple([row.record(table.piece) for row in table.rows])
    return Payload(records, table.whole, table.sound, table.encrypted, table.faults)
