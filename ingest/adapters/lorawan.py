"""What all LoRaWAN network servers have in common: an uplink of a device, read by the codec of its route.

The frame counter numbers what a device sends: ``boot`` is its EUI and its address (a new one with each join),
``seq`` the counter, so that a repetition is known and a gap is seen. Of an uplink that gives several items (a
history) the first has the number; the others are dated by the device, and the same value at the same time is
the same reading.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.adapters.objects import shown
from ingest.adapters.times import dated
from ingest.codecs import CODECS
from ingest.codecs.content import Codec, Content, Counter, Frame, Part
from ingest.items import Said, Unreadable
from metering.errors import InvalidValue
from metering.uplink import (
    BadUplink,
    ClockSource,
    FrameUplink,
    MeterValue,
    PartUplink,
    PulseUplink,
    Reception,
    Uplink,
    ValueUplink,
)

__all__ = ["DeviceUplink", "codec_named", "eui_of", "frame_uplink", "numbered", "payload_of", "read_uplink"]

_EUI = re.compile(r"[0-9A-Fa-f]{16}", re.ASCII)
_ADDRESS = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeviceUplink:
    """One uplink, whichever network server brought it.

    Attributes:
        eui: DevEUI, 16 hexadecimal digits, lower case.
        port: FPort.
        payload: decrypted by the network server.
        reception: numbered.
    """

    eui: str
    port: int
    payload: bytes
    reception: Reception


def codec_named(name: str) -> Codec:
    """Give the codec of a route.

    Raises:
        InvalidValue: not one of :data:`ingest.codecs.CODECS`.
    """
    if name in CODECS:
        return CODECS[name]
    known = ", ".join(CODECS)
    raise InvalidValue(f"codec {name!r} is not known; a LoRaWAN route needs one of: {known}")


def eui_of(value: object) -> str:
    """Read a DevEUI.

    Raises:
        BadUplink: ``bad_field``.
    """
    if isinstance(value, str) and _EUI.fullmatch(value):
        return value.lower()
    raise BadUplink("bad_field", f"the DevEUI is {shown(value)}: expected 16 hexadecimal digits")


def payload_of(value: object) -> bytes:
    """Read a payload in base64.

    Raises:
        BadUplink: ``bad_payload``.
    """
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        raise BadUplink("bad_payload", f"{shown(value)} is not base64") from None


def numbered(reception: Reception, eui: str, address: object, counter: int) -> Reception:
    """Number a reception by the frame counter, if the device's address is known."""
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        return reception
    return dataclasses.replace(reception, boot=f"{eui}-{address.lower()}", seq=counter)


def read_uplink(uplink: DeviceUplink, codec: Codec) -> list[Said]:
    """Read an uplink; a payload its codec refuses keeps its number."""
    try:
        found = codec(uplink.port, uplink.payload)
        said = list(_uplinks(uplink, found))
    except BadUplink as bad:
        return [Unreadable(bad.reason, str(bad), uplink.reception.sequence)]
    return [_with_number(one, place) for place, one in enumerate(said)]


def _uplinks(uplink: DeviceUplink, found: Sequence[Content]) -> Iterator[Uplink]:
    values = tuple(one for one in found if isinstance(one, MeterValue))
    if values:
        yield ValueUplink(uplink.reception, uplink.eui, values)
    for one in found:
        match one:
            case Counter(total, name, at):
                channel = f"{uplink.eui}-{name}" if name else uplink.eui
                heard = _history(uplink.reception, one) if at else uplink.reception
                yield PulseUplink(heard, channel, total)
            case Frame():
                yield frame_uplink(uplink.reception, one)
            case Part(first, last, form, payload):
                yield _part(uplink, first=first, last=last, form=form, payload=payload)
            case _:
                pass


def frame_uplink(reception: Reception, frame: Frame) -> FrameUplink:
    """Give the uplink of a telegram a device heard.

    Raises:
        BadUplink: ``bad_time``: the device's clock is not set.
    """
    return FrameUplink(dataclasses.replace(_history(reception, frame), rssi_dbm=frame.rssi_dbm), frame.data)


def _part(uplink: DeviceUplink, *, first: bool, last: bool, form: str, payload: bytes) -> PartUplink:
    if uplink.reception.sequence is None:
        raise BadUplink("bad_field", "a part of a telegram, but no device address to count its parts by")
    return PartUplink(uplink.reception, first, last, form, payload)


def _history(reception: Reception, one: Counter | Frame) -> Reception:
    """Date what the device kept for later by its own clock."""
    if one.at is None:
        return reception
    kept = dated(dataclasses.replace(reception, history=True), one.at, ClockSource.RTC)
    if kept.clock is ClockSource.NONE:
        raise BadUplink("bad_time", f"the device dates this {one.at:%Y-%m-%d %H:%M}: its clock is not set")
    return kept


def _with_number(uplink: Uplink, place: int) -> Uplink:
    """Leave the number to the first item of an uplink; the others have times of their own to be known by."""
    if not place:
        return uplink
    return dataclasses.replace(uplink, reception=dataclasses.replace(uplink.reception, boot=None, seq=None))
