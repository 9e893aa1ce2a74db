"""What is heard -> what is spooled -> what is published (``metering.uplink``)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from gateway_firmware_config.agent.moment import Moment, rfc3339
from gateway_firmware_config.agent.received import Frame, Pulse

__all__ = ["Entry", "Item", "item_of", "payload"]


_LEVEL = 6
"""zlib's own default: higher ones cost a small box much and gain a few per cent."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing heard, not numbered yet.

    Attributes:
        kind: ``frame`` or ``pulse``.
        body: its own fields as JSON: mode, rssi and hex, or channel, total and pulse weight.
        heard: when.
    """

    kind: Literal["frame", "pulse"]
    body: str
    heard: Moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the spool.

    Attributes:
        id: its place in the spool's order.
        boot: run of the agent that numbered it.
        seq: its number in that run.
        item: what was heard.
    """

    id: int
    boot: str
    seq: int
    item: Item


def item_of(
    event: Frame | Pulse,
    heard: Moment,
    *,
    mode: str | None = None,
    litres: Mapping[str, Decimal] | None = None,
) -> Item:
    """Make what is spooled.

    Args:
        event: what was heard.
        heard: when.
        mode: radio mode of the receiver, for frames that do not say theirs.
        litres: pulse weight by channel, in litres, for those that are known here.
    """
    if isinstance(event, Frame):
        fields = {"mode": event.mode or mode, "rssi": event.rssi_dbm, "hex": event.data.hex()}
        return Item("frame", _compact(fields), heard)
    weight = (litres or {}).get(event.channel)
    fields = {"ch": event.channel, "total": event.total, "pulse_l": str(weight) if weight else None}
    return Item("pulse", _compact(fields), heard)


def payload(entries: Iterable[Entry], history: Iterable[bool], *, pack: bool = False) -> bytes:
    """Write one message: an array of envelopes, each told whether it is history; packed if that helps."""
    items = (_envelope(entry, hist=old) for entry, old in zip(entries, history, strict=True))
    plain = f"[{','.join(items)}]".encode("ascii")
    packed = gzip.compress(plain, _LEVEL, mtime=0) if pack else plain
    return min(plain, packed, key=len)


def _envelope(entry: Entry, *, hist: bool) -> str:
    item = entry.item
    head = {
        "v": 1,
        "k": item.kind,
        "boot": entry.boot,
        "seq": entry.seq,
        "ts": rfc3339(item.heard.at_ms),
        "ts_src": item.heard.source.value,
    }
    return f'{_compact(head)[:-1]},{item.body[1:-1]},"hist":{"true" if hist else "false"}}}'


def _compact(fields: Mapping[str, Any]) -> str:
    said = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(said, separators=(",", ":"))
