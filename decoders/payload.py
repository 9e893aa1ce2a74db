"""Records out of bytes that are no records: what payload readers (:mod:`decoders.hooks`) are made of.

A manufacturer's own form becomes ordinary records, so that everything after it (models, readings, the trace)
needs to know one form only. There are two ways to make one:

- :func:`standard`: the bytes are, or were packed anew into, a data field of the standard.
- :func:`told`: no data field of the standard holds the value (thirds of a litre, a sum). The DIB says "no
  data", and the data are the payload's bytes the value was read from (:attr:`decoders.telegram.Record.told`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from operator import attrgetter

from decoders.errors import DecodeError, LayerError
from decoders.quick_records import quick_record
from decoders.telegram import Keys, Record, Telegram, Value, no_keys
from decoders.wmbus.encode import dib
from decoders.wmbus.header import Description, describe
from metering.reading import Function

__all__ = [
    "BY_OBSERVATION",
    "NOT_MINE",
    "Payload",
    "Piece",
    "Sent",
    "described",
    "described_without_data",
    "numbered_again",
    "record_of",
    "refused",
    "standard",
    "thirds",
    "told",
    "truncated",
]

BY_OBSERVATION = "by observation, not proved"
"""In the remark of a record whose place or scale nobody has described."""

_NO_DATA = 0x0
_MARK = b"\x2f\x2f"
_MARKED_MODES = frozenset({5, 7})
_MICRO = Decimal("0.000001")
_register = attrgetter("storage", "quantity", "function", "tariff", "subunit", "qualifiers")
"""Names the register of a record, whichever occurrence."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a payload reader found.

    Attributes:
        records: ordinary records, for the model's fields and for readings.
        whole: the application layer as a whole is of the manufacturer's form: records an ordinary walk found
            in it are accidents. Otherwise the payload's records stand behind the telegram's own.
        sound: nothing in it contradicts the form, down to its last byte. A payload that is not does not prove
            a key.
        encrypted: it had an encryption of its own, which a key opened.
        faults: what was wrong in an otherwise readable payload.
    """

    records: tuple[Record, ...] = ()
    whole: bool = False
    sound: bool = True
    encrypted: bool = False
    faults: tuple[DecodeError, ...] = field(default=())


NOT_MINE = Payload()
"""These bytes are not of the reader's form: the ordinary walk counts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a frame, in clear.

    Attributes:
        data: the bytes.
        at: where the first stands in the frame, counted from the L field.
    """

    data: bytes
    at: int

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> int:
        return self.data[index]

    def cut(self, start: int, end: int | None = None) -> Piece:
        """Return the bytes from ``start`` to before ``end``; behind the last there are none, at its end."""
        data = self.data[start:end]
        return Piece(data, self.at + (start if data else min(start, len(self.data))))

    def unsigned(self) -> int:
        """Return the number, low byte first."""
        return int.from_bytes(self.data, "little")

    def signed(self) -> int:
        """Return the number in two's complement, low byte first."""
        return int.from_bytes(self.data, "little", signed=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a payload reader takes.

    Attributes:
        telegram: as far as it could be read; ``plain`` is in clear.
        keys: gives the keys to try for a meter; to be asked only if the payload is encrypted once more.
    """

    telegram: Telegram
    keys: Keys = no_keys

    @property
    def ci(self) -> int:
        """CI field of the application layer."""
        return self.telegram.ci[-1] if self.telegram.ci else 0

    @property
    def application(self) -> Piece:
        """The application layer, without the ``2F2F`` that stands before encrypted ones."""
        plain = self.telegram.plain
        if self.telegram.security.mode in _MARKED_MODES:
            plain = plain.removeprefix(_MARK)
        return self._at_the_end(plain)

    @property
    def manufacturer_data(self) -> Piece:
        """The bytes after DIF 0F."""
        return self._at_the_end(self.telegram.manufacturer_data)

    def _at_the_end(self, data: bytes) -> Piece:
        """Place the last bytes of the application layer; a wired frame ends with a checksum and a stop."""
        end = len(self.telegram.frame) - (2 if self.telegram.wired else 0)
        return Piece(data, end - len(data))


def standard(header: str, piece: Piece, remark: str = "") -> Record:
    """Make a record whose data are in a form of the standard.

    Args:
        header: DIB and VIB in hexadecimal.
        piece: the data.
        remark: what to know of it.

    Raises:
        LayerError: ``truncated``: the payload ended inside the data.
    """
    said = described(header)
    data = piece.data
    if said.size is not None and said.size != len(data):
        raise truncated(piece, said.size)
    value, why = said.read(data)
    if said.remark or why:
        remark = "; ".join(filter(None, (remark, said.remark, why)))
    return record_of(said, piece, value, remark)


def told(  # noqa: PLR0913  the places a record names
    vib: str,
    value: Value,
    piece: Piece,
    *,
    storage: int = 0,
    function: Function = Function.INSTANTANEOUS,
    remark: str = "",
) -> Record:
    """Make a record whose value no data field of the standard holds.

    Args:
        vib: VIF and VIFEs in hexadecimal: quantity and unit; the factor does not count.
        value: in the unit the VIB has after decoding; ``None`` = the meter has no valid value.
        piece: the bytes it was read from.
        storage: storage number.
        function: instantaneous, maximum, minimum.
        remark: what to know of it.
    """
    return record_of(described_without_data(vib, storage, function), piece, value, remark)


def thirds(count: int, of: Decimal) -> Decimal:
    """Return a count of thirds in the unit; a third has no end, so it stops at the sixth decimal."""
    return (count * of / 3).quantize(_MICRO, rounding=ROUND_HALF_EVEN)


def refused(piece: Piece, sentence: str) -> LayerError:
    """Say why a payload that ought to be of the form is not; kept under the code of all such payloads."""
    return LayerError(
        "manufacturer_specific",
        f"the payload is the manufacturer's own: {sentence}",
        offset=piece.at,
        evidence={"length": len(piece), "begins": piece.data[:8].hex().upper()},
    )


def truncated(piece: Piece, needed: int) -> LayerError:
    """Say that a payload ends too early."""
    return LayerError(
        "truncated",
        f"the manufacturer's payload ends too early: {len(piece)} of {needed} bytes",
        offset=piece.at + len(piece),
        evidence={"received": len(piece), "needed": needed},
    )


def numbered_again(records: Sequence[Record]) -> tuple[Record, ...]:
    """Count the records of each register anew, after lists were joined."""
    seen: dict[tuple[object, ...], int] = {}
    counted = []
    for record in records:
        key = _register(record)
        number = seen.get(key, 0)
        counted.append(record if record.occurrence == number else _again(record, number))
        seen[key] = number + 1
    return tuple(counted)


def _again(record: Record, occurrence: int) -> Record:
    """Give the record another occurrence; spelled out because it is done for every month of a memory."""
    return quick_record(
        record.offset,
        record.dib,
        record.vib,
        record.data,
        record.function,
        record.storage,
        record.tariff,
        record.subunit,
        record.quantity,
        record.unit,
        record.qualifiers,
        record.value,
        record.remark,
        occurrence,
    )


@functools.lru_cache(maxsize=1024)
def described(header: str) -> Description:
    """Describe a header written in hexadecimal; the tables of the readers name a few hundred."""
    return describe(bytes.fromhex(header))


@functools.lru_cache(maxsize=4096)
def described_without_data(
    vib: str, storage: int = 0, function: Function = Function.INSTANTANEOUS
) -> Description:
    """Describe a header whose DIB says "no data"."""
    return describe(dib(_NO_DATA, function=function, storage=storage) + bytes.fromhex(vib))


def record_of(said: Description, piece: Piece, value: Value, remark: str) -> Record:
    """Make a record of what its header says, its data where they stand, value and remark."""
    register = said.register
    return quick_record(
        piece.at,
        said.dib,
        said.vib,
        piece.data,
        register.function,
        register.storage,
        register.tariff,
        register.subunit,
        register.quantity,
        said.unit,
        register.qualifiers,
        value,
        remark,
    )
