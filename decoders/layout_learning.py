"""Learning a layout: which bytes of a decoded telegram repeat, and which are values.

Everything repeats that the full walk's decisions depend on. See :mod:`decoders.layout`.
"""

from __future__ import annotations

from decoders.layout import Places, TelegramLayout, is_compact
from decoders.lengths import left_over
from decoders.telegram import Record, Telegram
from decoders.wmbus import afl
from decoders.wmbus.address import identity
from decoders.wmbus.ci import CI, Content, Header
from decoders.wmbus.layers import Layers
from decoders.wmbus.transport import NO_SECURITY, TransportHeader
from decoders.wmbus.values import VARIABLE

__all__ = ["learn", "learn_own"]

_ENC = 0xE0
"""Bits of the session number's last byte that say whether the link is encrypted."""


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
    return layout if layout.fits(clear, int.from_bytes(clear)) else None


def learn_own(telegram: Telegram) -> TelegramLayout:
    """Learn the layout of a telegram whose payload is the manufacturer's own: its headers.

    Args:
        telegram: what :func:`decoders.own_payload.own_payload` gave.
    """
    frame = telegram.frame
    draft = _Draft(len(frame))
    sender = _link(draft, telegram)
    plain = draft.lift(len(frame) - len(telegram.plain), len(telegram.plain))
    places = Places(sender, None, None, None, None, None, plain, range(0))
    return TelegramLayout(frame, bytes(draft.mask), draft.slots, places, telegram)


def _learnable(layers: Layers, header: TransportHeader, telegram: Telegram) -> bool:
    start = layers.frame.data[:4]
    return (
        not header.counter
        and (
            CI[header.ci].content is Content.RECORDS
            or (is_compact(header.ci) and header.mode == NO_SECURITY and bool(telegram.records))
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
    if is_compact(header.ci):
        draft.differs(header.end + 2, 2)
    data = [_record(draft, record, compact=is_compact(header.ci)) for record in telegram.records]
    rest = len(telegram.manufacturer_data)
    manufacturer = draft.lift(len(draft.mask) - rest, rest) if rest else None
    stray = len(left_over(telegram))
    draft.differs(len(draft.mask) - stray, stray)
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


def _record(draft: _Draft, record: Record, *, compact: bool) -> int:
    """Lift the data of a record; an LVAR byte says how many there are, so it repeats."""
    start = record.offset + (0 if compact else len(record.dib) + len(record.vib))
    return draft.lift(start, len(record.data), fixed=int(record.dib[0] & 0x0F == VARIABLE))
