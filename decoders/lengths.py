"""Frames whose L field is wrong by a few: what in them proves where they end.

There are receivers that give all bytes under an L that is too small, and others that cut checksums off and
leave L as it was. :func:`decoders.wmbus.link.normalise` mends what has one explanation only. Here the
telegram itself must prove its end: by its encryption, or by records that end with the last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from decoders.errors import DecodeError, FrameError
from decoders.quick_records import with_faults
from decoders.telegram import Record, Telegram
from decoders.wmbus import blocks, link
from decoders.wmbus.ci import CI, Content
from decoders.wmbus.records import FILLER

__all__ = ["ends_cleanly", "left_over", "settled"]

Read = Callable[[link.Frame], Telegram]

_RECORD_CUT = "truncated_record"
_NO_MORE = frozenset({b"\x0f", b"\x1f"})
"""DIFs before manufacturer data, of which there may be none."""


def settled(frame: link.Frame, read: Read) -> Telegram:
    """Read a frame at the length its bytes prove.

    Args:
        frame: in its one form.
        read: decodes a frame of true length.

    Returns:
        The telegram. ``frame`` in it is what was read; where L says more than came, and records alone prove
        the end, a fault says so.

    Raises:
        DecodeError: what reading it raises; ``truncated`` if bytes are missing; ``bad_crc`` if the bytes left
            over are a checksum that one turned bit made wrong.
    """
    if frame.missing:
        return _without_the_missing(frame, read)
    try:
        telegram = read(frame)
    except DecodeError as error:
        found = _lengthened(frame, error, read) or (
            _completed(frame, (), read) if error.code == _RECORD_CUT else None
        )
        if found is None:
            raise
        return found
    return telegram if ends_cleanly(telegram) else _mended(frame, telegram, read)


def _mended(frame: link.Frame, telegram: Telegram, read: Read) -> Telegram:
    """Look at a telegram behind whose records something is left over, or whose last one is cut."""
    if frame.crc == "none" and not frame.wired and blocks.is_damaged_format_b(frame.data):
        raise FrameError(
            "bad_crc",
            "the bytes behind the records are a checksum of format B that does not match by one bit",
            offset=len(frame.data) - 2,
            evidence={"format": "B"},
        )
    return (_completed(frame, telegram.records, read) if frame.trailer else None) or telegram


def ends_cleanly(telegram: Telegram) -> bool:
    """Whether records and fillers fill the telegram to its last byte, or something that is none does."""
    return not telegram.faults and not left_over(telegram)


def left_over(telegram: Telegram) -> bytes:
    """Give the bytes of a telegram behind its last record that begin no other."""
    if not telegram.records or telegram.manufacturer_data or telegram.more_follows:
        return b""
    if CI[telegram.ci[-1]].content is not Content.RECORDS:
        return b""
    last = telegram.records[-1]
    first = len(telegram.frame) - len(telegram.plain) - (2 if telegram.wired else 0)
    end = last.offset + len(last.dib) + len(last.vib) + len(last.data)
    rest = telegram.plain[end - first :].lstrip(bytes((FILLER,)))
    return rest if rest[:1] not in _NO_MORE else b""


def _without_the_missing(frame: link.Frame, read: Read) -> Telegram:
    """Read a frame whose L says one or three bytes more than came."""
    cut = link.cut_short(frame)
    try:
        telegram = read(frame)
    except DecodeError:
        raise cut from None
    if not (telegram.records and ends_cleanly(telegram)) or telegram.manufacturer_data:
        raise cut
    if telegram.security.verified:
        return telegram
    said = f"L says {frame.missing} byte(s) more than came; the records end with the last that did"
    return with_faults(telegram, (FrameError("bad_length", said, offset=0, evidence=cut.evidence),))


def _lengthened(frame: link.Frame, error: DecodeError, read: Read) -> Telegram | None:
    """Read a frame with an L as large as its encryption needs, if the bytes stand behind its end."""
    needed = error.evidence.get("encrypted")
    if error.code != "truncated" or not isinstance(needed, int):
        return None
    longer = _with(frame, needed - int(error.evidence["received"]))
    telegram = _if_read(longer, read) if longer else None
    return telegram if telegram and telegram.security.verified else None


def _completed(frame: link.Frame, before: Sequence[Record], read: Read) -> Telegram | None:
    """Read a frame with as many of the bytes behind it as make its records end with the last byte."""
    for longer in _longer(frame):
        telegram = _if_read(longer, read)
        if telegram and not telegram.manufacturer_data and ends_cleanly(telegram):
            new = telegram.records[len(before) :]
            if new and telegram.records[: len(before)] == tuple(before) and all(one.data for one in new):
                return telegram
    return None


def _longer(frame: link.Frame) -> Iterator[link.Frame]:
    for more in range(1, len(frame.trailer) + 1):
        longer = _with(frame, more)
        if longer:
            yield longer


def _with(frame: link.Frame, more: int) -> link.Frame | None:
    """Give the frame with some of the bytes that stand behind it; ``None`` if they are not there."""
    size = len(frame.data) + more
    if frame.crc != "none" or frame.wired or more > len(frame.trailer) or size > 256:
        return None
    data = bytes((size - 1,)) + frame.data[1:] + frame.trailer[:more]
    return link.Frame(data, "none", frame.data[0], frame.trailer[more:])


def _if_read(frame: link.Frame, read: Read) -> Telegram | None:
    try:
        return read(frame)
    except DecodeError:
        return None
