"""Forms of lines whose model reads the payload by table: which of them a telegram fills is said by its bytes.

Under one layout a payload may be one table today and another tomorrow (a heat cost allocator that begins to
send temperatures). Each table met has a form of its own, and a mask over the bytes that decided for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from decoders.decoder import Fit
from decoders.hooks import table_reader
from decoders.layout import TelegramLayout
from decoders.model import Model
from decoders.payload import Sent
from decoders.rendering import Memory, Rendering
from decoders.rows import Open, Table
from decoders.telegram import Telegram
from service.lifts import Lift, TableLift, liftable

__all__ = ["ByTable", "TableForms"]

_MOST = 16


class ByTable(NamedTuple):
    """A telegram whose payload the model read.

    Attributes:
        before: the telegram without what the model's reader read.
        telegram: with it.
        model: the model.
    """

    before: Telegram
    telegram: Telegram
    model: Model


class _Variant(NamedTuple):
    """One table, and what telegrams that have it are filled into.

    Attributes:
        mask: bits that decided for this table, as a number over the frame in clear.
        decided: their values.
        with_keys: the payload was opened with keys of the user's.
        lift: gives the bytes the rows depend on.
        form: the line.
    """

    mask: int
    decided: int
    with_keys: bool
    lift: Callable[[bytes], Sequence[bytes]]
    form: Rendering


class TableForms:
    """The forms met under one layout; those of the first tables stay."""

    def __init__(self) -> None:
        self._tries = _MOST
        self._variants: list[_Variant] = []
        self._open: Open | None = None

    def filled(self, layout: TelegramLayout, clear: bytes, keys: Sequence[bytes]) -> bytes | None:
        """Write the line of a frame that fits the layout; ``None`` if no form is for it.

        Raises:
            Unfit: a value does not go into the text.
        """
        if not self._variants:
            return None
        shown = self._open(clear, keys) if self._open else clear
        if shown is None:
            return None
        bits, with_keys = int.from_bytes(shown), bool(self._open and keys)
        for mask, decided, opened, lift, form in self._variants:
            if bits & mask == decided and opened is with_keys:
                return form((*layout.values(clear), *lift(shown)))
        return None

    def learn(
        self,
        fit: Fit,
        keys: Sequence[bytes],
        read: ByTable,
        memory: Memory,
        form_of: Callable[[Lift, Model | None], Rendering | None],
    ) -> None:
        """Learn the form of a telegram that none was for."""
        reader = table_reader(read.model.hook) if self._tries else None
        if reader is None:
            return
        self._tries -= 1
        table = reader(Sent(read.before, lambda _: keys))
        if not liftable(read.telegram, table):
            return
        self._open = table.open
        shown = table.open(fit[2], keys) if table.open else fit[2]
        if shown is None:
            return
        lift = TableLift(fit[0], memory, shown, read.telegram, table)
        form = form_of(lift, read.model)
        if form is not None:
            mask = _mask(len(shown), table)
            decided = int.from_bytes(shown) & mask
            self._variants.insert(0, _Variant(mask, decided, bool(table.open and keys), lift.lift, form))


def _mask(size: int, table: Table) -> int:
    """Cover the bytes that decided for a table."""
    mask = bytearray(size)
    for start, end in table.decided or ():
        mask[table.piece.at + start : table.piece.at + end] = b"\xff" * (end - start)
    return int.from_bytes(mask)
