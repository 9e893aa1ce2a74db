"""Lines of a CUL or nanoCUL (culfw) that something forwards to MQTT.

::

    b<hex>[<LQI><RSSI>]     mode T or S, frame format A with its checksums
    bY<hex>[<LQI><RSSI>]    mode C, frame format B with its checksums

The last two bytes are there after the command ``X21``; the frame's own length tells. They follow no
checksum, so the frame is checked and cut here, and only then handed on. dBm = RSSI as a signed byte / 2 - 74.
An odd number of digits is a known fault of the firmware: a damaged frame.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from decoders.errors import DecodeError
from decoders.wmbus.link import Crc, normalise
from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import read_lines
from ingest.items import Delivery, Item, Unreadable
from metering.uplink import FrameUplink, Reception

__all__ = ["CARD", "is_line", "read"]

_LINE = re.compile(r"\s*b(?P<format_b>Y?)(?P<digits>[0-9A-Fa-f]{20,})\s*", re.ASCII)
_QUALITY_SIZE = 2


def is_line(text: str) -> bool:
    """Whether a text begins with such a line.

    Bare hexadecimal may begin with a ``b`` as well: then it is one digit short of whole bytes without it.
    """
    match = _LINE.fullmatch(text.strip().partition("\n")[0])
    return match is not None and len(match["digits"]) % 2 == 0


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of such lines."""
    return read_lines(delivery, name, lambda line, reception: [_line(line, reception)])


def _line(line: str, reception: Reception) -> FrameUplink | Unreadable:
    match = _LINE.fullmatch(line)
    if match is None:
        return Unreadable("bad_line", f"{line[:64]!a} is not a line of a CUL: b or bY and hexadecimal")
    if len(match["digits"]) % 2:
        return Unreadable("bad_hex", "an odd number of digits: the firmware cut the frame")
    crc: Crc = "B" if match["format_b"] else "A"
    try:
        frame = normalise(bytes.fromhex(match["digits"]), crc=crc)
    except DecodeError as wrong:
        return Unreadable(wrong.code, wrong.message)
    rssi = _dbm(frame.trailer[1]) if len(frame.trailer) == _QUALITY_SIZE else None
    mode = "C1" if match["format_b"] else None  # b is written in modes T and S alike
    return FrameUplink(dataclasses.replace(reception, rssi_dbm=rssi, mode=mode), frame.data)


def _dbm(raw: int) -> int:
    return round((raw - 256 if raw >= 128 else raw) / 2 - 74)


CARD = Card(
    name="cul",
    says="Lines of a CUL or nanoCUL stick (b..., bY...), checksums included, with or without LQI and RSSI.",
    topics=("cul/+/raw",),
    example=("cul/shed/raw", "b1444430478563412010710CF7A0100000004131E1E0000C0C9B02E"),
    make=without_options(read),
)
