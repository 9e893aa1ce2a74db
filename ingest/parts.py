"""Frames that come in parts: kept until all of them are there, then put together.

Parts of one frame have consecutive numbers; the first and the last say that they are. They may come in any
order and in different batches. A part that waits is *held* (``incomplete``) and in the database, as durable
as anything that was acknowledged; the one that completes a frame ends as the frame does. A frame of which a
part was lost on the way stays incomplete for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.adapters.lorawan import frame_uplink
from ingest.books import Books
from ingest.codecs.lobaro import joined
from metering.device import Devices
from metering.ports import Outcome
from metering.uplink import BadUplink, FrameUplink, PartUplink

__all__ = ["take_parts"]

_Waiting = dict[int, PartUplink]
"""Parts of one device by number."""


def take_parts(
    uplinks: Mapping[int, PartUplink], books: Books, devices: Devices
) -> Mapping[int, FrameUplink]:
    """Settle parts that wait; give the frames that became whole, by the place of what completed them."""
    if not uplinks:
        return {}
    known = devices.parts({_session(one) for one in uplinks.values()})
    waiting = {session: {_number(one): one for one in parts} for session, parts in known.items()}
    frames: dict[int, FrameUplink] = {}
    for place, uplink in uplinks.items():
        mine = waiting.setdefault(_session(uplink), {})
        mine[_number(uplink)] = uplink
        run = _run(mine, _number(uplink))
        if not run:
            books.settle(place, Outcome.HELD, "incomplete")
            books.remember(place)
            devices.keep_parts([uplink])
            continue
        for one in run:
            del mine[_number(one)]
        devices.drop_parts(run)
        try:
            frames[place] = _joined(uplink, run)
        except BadUplink as bad:
            books.quarantine(place, bad.reason, str(bad))
    return frames


def _session(part: PartUplink) -> tuple[str, str]:
    return part.reception.gateway, part.reception.boot or ""


def _number(part: PartUplink) -> int:
    return part.reception.seq or 0


def _run(waiting: _Waiting, number: int) -> list[PartUplink]:
    """Give the parts from a first to a last around a number; empty if one is missing."""
    low = high = number
    while not waiting[low].first:
        low -= 1
        if low not in waiting or waiting[low].last:
            return []
    while not waiting[high].last:
        high += 1
        if high not in waiting or waiting[high].first:
            return []
    run = [waiting[place] for place in range(low, high + 1)]
    return run if len({one.form for one in run}) == 1 else []


def _joined(completing: PartUplink, run: list[PartUplink]) -> FrameUplink:
    """Put a frame together; it is received with the part that completed it."""
    frame = joined(completing.form, b"".join(one.payload for one in run))
    return frame_uplink(completing.reception, frame)
