"""A telegram's layout: what repeats from telegram to telegram, and where the values stand in between.

A meter sends the same headers for years. A layout is learnt from one decoded telegram
(:mod:`decoders.layout_learning`): a mask over the frame
in clear covers every bit the full walk's decisions depend on; what may differ are addresses, access number,
status, record data and manufacturer data. A frame that agrees under the mask would be walked into the same
structure with other values, so its values are lifted out by position. One that does not agree is no business
of this layout.

The headers that a compact frame leaves out are those of its first telegram; the checksum of the full frame
proves each. Telegrams with faults are not learnt and take the full walk every time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from decoders.lengths import left_over
from decoders.quick_records import quick_record, quick_telegram
from decoders.telegram import Record, Security, Telegram
from decoders.wmbus import link
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.blocks import is_damaged_format_b
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.crc import crc_little
from decoders.wmbus.header import describe
from decoders.wmbus.records import FILLER, is_left_over
from metering.meter import MeterId

__all__ = ["Maker", "Places", "TelegramLayout", "is_compact", "is_own", "maker"]

_SPECIAL = frozenset((0x0F, 0x1F, FILLER))

Maker = Callable[[bytes], Record]
"""Makes a record out of its data bytes."""


class Places(NamedTuple):
    """Which of the lifted values is what; ``None`` = the layout has none.

    Attributes:
        sender: link-layer address, eight bytes in link order.
        meter: transport-layer address, eight bytes in transport order.
        access: access number that counts.
        status: status byte.
        counter: message counter, low byte first.
        manufacturer: manufacturer data.
        plain: everything from the first DIF on.
        data: data of the records, LVAR byte included, in the order of the records.
    """

    sender: int | None
    meter: int | None
    access: int | None
    status: int | None
    counter: int | None
    manufacturer: int | None
    plain: int
    data: range


class TelegramLayout:
    """One layout.

    Attributes:
        mask: bits that repeat, as a number over the frame in clear, first byte highest.
        repeated: their values.
        slots: where the values stand.
        values: gives the values of a frame that fits: bytes at each of the places.
        places: which value is what.
        example: the telegram it was learnt from.
        clear: its frame in clear.
        own: only the headers are the standard's; :func:`decoders.decode.decode` refuses such telegrams.
        renderings: what others have prepared for this layout, by a name of theirs.
        standard_sender: the link-layer address is written as the standard says.
        stray: bytes behind the records that are none; a receiver's.
        used: a frame fitted since :meth:`reset`.
    """

    __slots__ = (
        "_also",
        "_makers",
        "clear",
        "example",
        "mask",
        "own",
        "places",
        "renderings",
        "repeated",
        "slots",
        "standard_sender",
        "stray",
        "used",
        "values",
    )

    def __init__(
        self, clear: bytes, mask: bytes, slots: Sequence[slice], places: Places, example: Telegram
    ) -> None:
        self.clear = clear
        self.mask = int.from_bytes(mask)
        self.repeated = int.from_bytes(clear) & self.mask
        self.slots = tuple(slots)
        self.values = _lifter(slots)
        self.places = places
        self.example = example
        self.own = is_own(example)
        self.standard_sender = identity(example.frame[2:10]) == example.sender
        self.renderings: dict[object, object] = {}
        self.used = False
        self._makers = tuple(map(maker, example.records))
        self.stray = len(left_over(example))
        self._also = _also(example, self.stray)

    def fits(self, clear: bytes, bits: int) -> bool:
        """Whether a frame in clear has this layout.

        Args:
            clear: the frame.
            bits: the same as a number, first byte highest.
        """
        if bits & self.mask != self.repeated or (self._also and not self._also(clear)):
            return False
        self.used = True
        return True

    def telegram(self, frame: bytes, clear: bytes) -> Telegram:
        """Give the telegram of a frame that fits.

        Args:
            frame: as received, without checksums.
            clear: the same with its encrypted bytes replaced; without the last two if it is a wired one.
        """
        values, places, example = self.values(clear), self.places, self.example
        data = values[places.data.start : places.data.stop]
        meter = self.meter(values)
        return quick_telegram(
            frame,
            meter,
            self._sender(values, meter),
            example.control,
            example.ci,
            None if places.access is None else values[places.access][0],
            None if places.status is None else values[places.status][0],
            self._security(values),
            tuple([make(one) for make, one in zip(self._makers, data, strict=True)]),
            b"" if places.manufacturer is None else values[places.manufacturer],
            example.more_follows,
            values[places.plain],
            (),
            example.wired,
        )

    def same(self, other: TelegramLayout) -> bool:
        """Whether the same frames fit both."""
        return self.mask == other.mask and self.repeated == other.repeated

    def reset(self) -> bool:
        """Say whether a frame fitted since the last time this was asked."""
        used, self.used = self.used, False
        return used

    def meter(self, values: Sequence[bytes]) -> MeterId:
        """Give the meter a frame is of, told by its values."""
        if self.places.meter is not None:
            return identity(link_order(values[self.places.meter])) or self.example.meter
        return self._sender(values, self.example.meter)

    def sender(self, address: bytes) -> MeterId:
        """Give the sender whose link-layer address this is."""
        if self.standard_sender:
            return identity(address) or self.example.sender
        frame = self.example.frame  # the Diehl family: what stands where depends on what follows
        return link.header(frame[:2] + address + frame[10:]).sender

    def _sender(self, values: Sequence[bytes], otherwise: MeterId) -> MeterId:
        if self.places.sender is None:
            return otherwise if self.example.wired else self.example.sender
        return self.sender(values[self.places.sender])

    def _security(self, values: Sequence[bytes]) -> Security:
        known = self.example.security
        if self.places.counter is None:
            return known
        return replace(known, counter=int.from_bytes(values[self.places.counter], "little"))


def is_compact(ci: int) -> bool:
    """Whether a compact frame follows this CI field."""
    return CI[ci].content is Content.COMPACT


def is_own(telegram: Telegram) -> bool:
    """Whether the telegram's payload is the manufacturer's own, as its CI field says."""
    return bool(telegram.ci) and CI[telegram.ci[-1]].content is Content.MANUFACTURER


def _also(example: Telegram, stray: int) -> Callable[[bytes], bool] | None:
    """Return what else must hold of a frame, beside what its mask says."""
    if example.ci[-1:] and is_compact(example.ci[-1]):
        return _full_frame(example)
    if stray:
        return lambda clear: _is_stray(clear[-stray:]) and not is_damaged_format_b(clear)
    return None


def _is_stray(rest: bytes) -> bool:
    """Whether bytes behind the records are surely none, manufacturer data or fillers."""
    return is_left_over(rest) and rest[0] not in _SPECIAL


def _full_frame(example: Telegram) -> Callable[[bytes], bool]:
    """Return what checks a compact frame: with the headers put back it has the checksum it brings."""
    headers = [record.dib + record.vib for record in example.records]
    slots = [slice(record.offset, record.offset + len(record.data)) for record in example.records]
    parts = [b""] * (2 * len(headers))
    parts[::2] = headers
    start = example.records[0].offset

    def fits(clear: bytes) -> bool:
        full = parts.copy()
        full[1::2] = map(clear.__getitem__, slots)
        return crc_little(b"".join(full)) == clear[start - 2 : start]

    return fits


def _lifter(slots: Sequence[slice]) -> Callable[[bytes], tuple[bytes, ...]]:
    """Return what cuts all slots out of a frame; all but the last stand in wire order."""
    form, at = "", 0
    *apart, plain = slots
    for slot in apart:
        form += f"{slot.start - at}x{slot.stop - slot.start}s"
        at = slot.stop
    unpack = struct.Struct(form).unpack_from
    return lambda clear: (*unpack(clear), clear[plain])


def maker(record: Record) -> Maker:
    """Return what makes this record out of other data."""
    said = describe(record.dib + record.vib)
    read, known = said.read, said.remark

    def make(data: bytes) -> Record:
        value, remark = read(data)
        return quick_record(
            record.offset,
            record.dib,
            record.vib,
            data,
            record.function,
            record.storage,
            record.tariff,
            record.subunit,
            record.quantity,
            record.unit,
            record.qualifiers,
            value,
            f"{known}; {remark}" if known and remark else known or remark,
            record.occurrence,
        )

    return make
