"""ESPHome with SzczepanLeon's wM-Bus components, versions 4 and 5: what their many configurations publish.

::

    v4  <name>/wmbus/raw[/<address>]   {"address":"00148686","mode":"T","rssi":-44,"frame":"4E44..."}
    v4  the same topic                 T1;1;1;2026-01-02 03:04:05.00Z;-44;;;0x4E44...      (RTLWMBUS)
    v5  any topic                      the same line, or bare hexadecimal       (as_rtlwmbus, as_hex)
    both, decoded                      {"media":"cold water","meter":"...","id":"...","total_m3":...}

None of them brings a time that can be used: before the clock is set it says 1970, and nothing tells when it
is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ingest.adapters import hex_line, rtl_wmbus, wmbusmeters
from ingest.adapters.card import Card, without_options
from ingest.adapters.lines import frame_of
from ingest.adapters.objects import Fields, read_objects, shown
from ingest.items import Delivery, Item, Said
from metering.uplink import BadUplink, FrameUplink, Reception

__all__ = ["CARD", "is_raw", "read"]

_MODES = ("T", "C", "S")
_RSSI_DBM = range(-200, 0)


def read(delivery: Delivery, name: str) -> Sequence[Item]:
    """Read a message in any of its forms."""
    payload = delivery.payload.lstrip()
    if payload[:1] in {b"{", b"["}:
        return read_objects(delivery, name, _object)
    return rtl_wmbus.read(delivery, name) if b";" in payload else hex_line.read(delivery, name)


def is_raw(fields: Fields) -> bool:
    """Whether an object is a frame as version 4 publishes it."""
    return "frame" in fields and "mode" in fields and "rssi" in fields


def _object(fields: Fields, reception: Reception) -> Iterable[Said]:
    return [_frame(fields, reception)] if "frame" in fields else wmbusmeters.values(fields, reception)


def _frame(fields: Fields, reception: Reception) -> FrameUplink:
    try:
        frame = frame_of(fields["frame"])
    except (TypeError, ValueError):
        raise BadUplink("bad_hex", f"frame is {shown(fields['frame'])}: expected hexadecimal") from None
    mode, rssi = fields.get("mode"), fields.get("rssi")
    heard = dataclasses.replace(
        reception,
        mode=f"{mode}1" if mode in _MODES else None,
        rssi_dbm=rssi if isinstance(rssi, int) and rssi in _RSSI_DBM else None,
    )
    return FrameUplink(heard, frame)


CARD = Card(
    name="esphome",
    says="ESPHome wM-Bus components of SzczepanLeon, versions 4 and 5: raw JSON, lines, hexadecimal.",
    topics=("+/wmbus/raw", "+/wmbus/raw/+", "+/telegram_rtl", "+/telegram_hex"),
    example=(
        "cellar/wmbus/raw/12345678",
        (
            '{"address": "12345678", "mode": "T", "rssi": -44, '
            '"frame": "144443047856341201077A0100000004131E1E0000"}'
        ),
    ),
    make=without_options(read),
)
