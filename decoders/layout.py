"""A telegram's layout: what repeats from telegram to telegram, and where the values stand in between.

A meter sends the same headers for years. A layout is learnt from one decoded telegram: a mask over the frame
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

from decoders.telegram import Record, Security, Telegram
from decoders.wmbus import afl, link
from decoders.wmbus.address import identity, link_order
from decoders.wmbus.ci import CI, Content, Header
from decoders.wmbus.crc import crc_little
from decoders.wmbus.header import describe
from decoders.wmbus.layers import Layers
from decoders.wmbus.transport import NO_SECURITY, TransportHeader
from decoders.wmbus.values import VARIABLE
from metering.meter import MeterId

__all__ = ["Maker", "Places", "TelegramLayout", "learn", "maker"]

Maker = Callable[[bytes], Record]
"""Makes a record out of its data bytes."""

_ENC = 0xE0
"""Bits of the session number's last byte that say whether the link is encrypted."""


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
        mask: bits that repeat, as a number over the frame in clear, first byte lowest.
        repeated: their values.
        slots: where the values stand.
        values: gives the values of a frame that fits: bytes at each of the places.
        places: which value is what.
        example: the telegram it was learnt from.
        clear: its frame in clear.
        renderings: what others have prepared for this layout, by a name of theirs.
        standard_sender: the link-layer address is written as the standard says.
        used: a frame fitted since :meth:`reset`.
    """

    __slots__ = (
        "_full",
        "_makers",
        "clear",
        "example",
        "mask",
        "places",
        "renderings",
        "repeated",
        "slots",
        "standard_sender",
        "used",
        "values",
    )

    def __init__(
        self, clear: bytes, mask: bytes, slots: Sequence[slice], places: Places, example: Telegram
    ) -> None:
        self.clear = clear
        self.mask = int.from_bytes(mask, "little")
        self.repeated = int.from_bytes(clear, "little") & self.mask
        self.slots = tuple(slots)
        self.values = _lifter(slots)
        self.places = places
        self.example = example
        self.standard_sender = identity(example.frame[2:10]) == example.sender
        self.renderings: dict[object, object] = {}
        self.used = False
        self._makers = tuple(map(maker, example.records))
        self._full = _full_frame(example) if example.ci[-1:] and _is_compact(example.ci[-1]) else None

    def fits(self, clear: bytes, bits: int) -> bool:
        """Whether a frame in clear has this layout.

        Args:
            clear: the frame.
            bits: the same as a number, first byte lowest.
        """
        if bits & self.mask != self.repeated or (self._full and not self._full(clear)):
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
        return Telegram(
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


def learn(layers: Layers, telegram: Telegram) -> TelegramLayout | None:
    """Learn the layout of a decoded telegram; ``None`` if it is not one to be learnt.

    Args:
        layers: its layers down to the transport header, link encryption removed.
        telegram: what the full walk gave.
    """
    header = layers.header
    if header is None or not _learnable(layers, header, telegram):
        return None
    clear = layers.data[: header.end] + telegram.plain
    draft = _Draft(len(clear))
    places = _places(draft, layers, header, telegram)
    layout = TelegramLayout(clear, bytes(draft.mask), draft.slots, places, telegram)
    return layout if layout.fits(clear, int.from_bytes(clear, "little")) else None


def _learnable(layers: Layers, header: TransportHeader, telegram: Telegram) -> bool:
    start = layers.frame.data[:4]
    return (
        not header.counter
        and (
            CI[header.ci].content is Content.RECORDS
            or (_is_compact(header.ci) and header.mode == NO_SECURITY and bool(telegram.records))
        )
        and not telegram.faults
        and (telegram.wired or not start[0] == start[3] == 0x68)  # bytes that look wired at another length
    )


class _Draft:
    """A layout in the making: everything repeats until it is said to differ."""

    def __init__(self, size: int) -> None:
        self.mask = bytearray(b"\xff" * size)
        self.slots: list[slice] = []

    def differs(self, start: int, size: int) -> None:
        self.mask[start : start + size] = bytes(size)

    def lift(self, start: int, size: int, *, fixed: int = 0, number: int | None = None) -> int:
        """Lift these bytes; the first ``fixed`` of them repeat, the ``number`` after them differ."""
        self.differs(start + fixed, size - fixed if number is None else number)
        self.slots.append(slice(start, start + size))
        return len(self.slots) - 1


def _places(draft: _Draft, layers: Layers, header: TransportHeader, telegram: Telegram) -> Places:
    """Say what differs and what is lifted, in wire order."""
    sender = _link(draft, telegram)
    access = draft.lift(layers.ell.start + 2, 1) if layers.ell else None
    if layers.ell is not None and layers.ell.session is not None:
        draft.differs(layers.ell.end - 6, 6)
        draft.mask[layers.ell.end - 3] = _ENC
    counter = _authentication(draft, layers.afl) if layers.afl else None
    meter, own, status = _transport(draft, header)
    if _is_compact(header.ci):
        draft.differs(header.end + 2, 2)
    data = [_record(draft, record, compact=_is_compact(header.ci)) for record in telegram.records]
    rest = len(telegram.manufacturer_data)
    manufacturer = draft.lift(len(draft.mask) - rest, rest) if rest else None
    plain = draft.lift(header.end, len(draft.mask) - header.end, number=0)
    first = data[0] if data else 0
    return Places(
        sender,
        meter,
        own if access is None else access,
        status,
        counter,
        manufacturer,
        plain,
        range(first, first + len(data)),
    )


def _link(draft: _Draft, telegram: Telegram) -> int | None:
    """Lift the link-layer address; where no number can be told in it, it repeats."""
    address, sender = telegram.frame[2:10], telegram.sender
    if telegram.wired:
        return None
    if identity(address) == sender:
        return draft.lift(2, 8, fixed=2, number=4)
    if address[7:3:-1].hex().upper() == sender.serial:  # version and type before the number
        return draft.lift(2, 8, fixed=4, number=4)
    return None


def _authentication(draft: _Draft, read: afl.Afl) -> int | None:
    """Lift the message counter; the code differs too, and what it covers has been decided."""
    at = read.start + 4 + (read.control is not None) + len(read.key_information)
    counter = draft.lift(at, len(read.counter)) if read.counter else None
    draft.differs(at + len(read.counter), len(read.mac))
    return counter


def _transport(draft: _Draft, header: TransportHeader) -> tuple[int | None, int | None, int | None]:
    """Lift address, access number and status."""
    kind, start = CI[header.ci].header, header.start + 1
    if kind is Header.NONE:
        return None, None, None
    meter = None
    if kind is Header.LONG:
        meter = draft.lift(start, 8, number=4)
        start += 8
    return meter, draft.lift(start, 1), draft.lift(start + 1, 1)


def _is_compact(ci: int) -> bool:
    return CI[ci].content is Content.COMPACT


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


def _record(draft: _Draft, record: Record, *, compact: bool) -> int:
    """Lift the data of a record; an LVAR byte says how many there are, so it repeats."""
    start = record.offset + (0 if compact else len(record.dib) + len(record.vib))
    return draft.lift(start, len(record.data), fixed=int(record.dib[0] & 0x0F == VARIABLE))


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
        return Record(
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
