"""Lines of rtl_wmbus and of the many gateways that write the same line.

::

    [rla;|t2a;]MODE;CRC_OK;3OUTOF6OK;TIME;RSSI;CURRENT_RSSI;IDENT;0xHEX[;0xHEX...]

Taken: mode, both check flags, frames, and a signal strength below zero. The time is local and without a zone
where it is there at all, so the time of reception counts. A strength from zero up is a linear magnitude of
rtl_wmbus, not dBm, and is never stored as such. IDENT repeats the frame's own address.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import frame_of, read_lines
from ingest.items import Delivery, Item, Unreadable
from metering.uplink import FrameUplink, Reception

__all__ = ["CARD", "LINE", "read"]

_DIGITS = r"(?:[0-9A-Fa-f](?![xX]))+"  # not the 0 of the next 0x
_FRAMES = rf"0[xX]{_DIGITS}(?:;?0[xX]{_DIGITS})*"
_ENTRY = re.compile(
    r"(?:(?:rla|t2a);)?"  # the receiving algorithm, with -v
    r"(?P<mode>[TCS]1);(?P<crc>[01]);(?P<code>[01]);"
    r"(?P<time>[^;]*);(?P<rssi>[^;]*);(?P<current>[^;]*);(?P<ident>[^;]*);"
    rf"(?P<frames>{_FRAMES})",
    re.ASCII,
)
_BARE = re.compile(rf"\s*(?P<frames>{_FRAMES})\s*", re.ASCII)
LINE = re.compile(r"\s*(?:(?:rla|t2a);)?[TCS]1;[01];[01];", re.ASCII)
"""How such a line begins."""

_DBM = re.compile(r"-[0-9]{1,3}", re.ASCII)

_Found = Iterator[FrameUplink | Unreadable]


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message of such lines."""
    return read_lines(delivery, name, lambda line, reception: list(_line(line, reception)))


def _line(line: str, reception: Reception) -> _Found:
    if bare := _BARE.fullmatch(line):
        yield from _frames(bare["frames"], reception)
        return
    end = 0
    for entry in _ENTRY.finditer(line):
        if line[end : entry.start()].strip(" \t;"):
            break
        yield from _entry(entry, reception)
        end = entry.end()
    if rest := line[end:].strip(" \t;"):
        yield Unreadable("bad_line", f"{rest[:64]!a} is not a line of rtl_wmbus")


def _entry(entry: re.Match[str], reception: Reception) -> _Found:
    if (entry["crc"], entry["code"]) != ("1", "1"):
        flags = f"CRC {entry['crc']}, 3-out-of-6 {entry['code']}"
        yield Unreadable("bad_crc", f"the receiver itself says the frame is damaged ({flags})")
        return
    heard = dataclasses.replace(reception, mode=entry["mode"], rssi_dbm=_dbm(entry["rssi"]))
    yield from _frames(entry["frames"], heard)


def _frames(text: str, reception: Reception) -> _Found:
    for digits in re.split(r";?0[xX]", text)[1:]:
        try:
            yield FrameUplink(reception, frame_of(digits))
        except ValueError:
            yield Unreadable("bad_hex", f"{digits[:64]!a} has an odd number of hexadecimal digits")


def _dbm(text: str) -> int | None:
    return int(text) if _DBM.fullmatch(text) else None


CARD = Card(
    name="rtl_wmbus",
    says="Lines of rtl_wmbus, and of the gateways that write the same line (ESPHome, wMbus-gateway).",
    topics=("rtl_wmbus/+/raw",),
    example=(
        "rtl_wmbus/tower/raw",
        "T1;1;1;2026-01-02 03:04:05.000;97;148;12345678;0x144443047856341201077a0100000004131e1e0000",
    ),
    make=without_options(read),
)
