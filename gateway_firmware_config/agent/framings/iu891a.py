"""IMST iU891A and iU893A: WiMOD messages in SLIP (RFC 1055), 115200 8N1.

::

    C0 | service, message | [status] payload | crc, 2, low first | C0        DB DC = C0, DB DD = DB
    09   20                 time (4), 3 bytes, rssi (signed dBm), telegram with L
"""

from __future__ import annotations

from gateway_firmware_config.agent.framings.checksums import crc16_x25
from gateway_firmware_config.agent.framings.reader import Step
from gateway_firmware_config.agent.link_header import is_frame
from gateway_firmware_config.agent.received import Answer, Event, Fault, Frame

__all__ = ["ASK", "look", "slip"]

_END, _ESCAPE = b"\xc0", b"\xdb"
_LONGEST = 640
"""Bytes between two C0: the longest telegram with every byte escaped is shorter."""

_TELEGRAM = b"\x09\x20"
_BEFORE_TELEGRAM = 8
_MANAGEMENT = 0x01


def slip(message: bytes) -> bytes:
    """Wrap a message with its checksum for the wire."""
    whole = message + crc16_x25(message).to_bytes(2, "little")
    return _END + whole.replace(_ESCAPE, _ESCAPE + b"\xdd").replace(_END, _ESCAPE + b"\xdc") + _END


ASK = slip(b"\x01\x01")
"""Device management: are you there?"""


def look(buffer: bytearray) -> Step | None:
    """Say what stands at the beginning."""
    start = buffer.find(_END)
    if start:
        return Step(start if start > 0 else len(buffer))
    end = buffer.find(_END, 1, _LONGEST)
    if end < 0:
        return None if len(buffer) < _LONGEST else Step(1)
    if end == 1:
        return Step(1)  # the end of one message and the start of the next
    # The second C0 stays: after noise it is the start of the next message.
    return Step(end, _meaning(_unescaped(bytes(buffer[1:end]))))


def _unescaped(wrapped: bytes) -> bytes:
    return wrapped.replace(_ESCAPE + b"\xdc", _END).replace(_ESCAPE + b"\xdd", _ESCAPE)


def _meaning(whole: bytes) -> tuple[Event, ...]:
    message, crc = whole[:-2], whole[-2:]
    if len(message) < 2 or crc16_x25(message) != int.from_bytes(crc, "little"):
        return (Fault("bad_crc", "the checksum of a message of the dongle does not hold"),)
    if not message.startswith(_TELEGRAM):
        return (Answer(f"message {message[1]:02X} of service {message[0]:02X}"),)
    body = message[2:]
    frame = body[_BEFORE_TELEGRAM:]
    if not is_frame(frame):
        return (Fault("bad_length", "the dongle's telegram does not have the length it says"),)
    rssi = int.from_bytes(body[_BEFORE_TELEGRAM - 1 : _BEFORE_TELEGRAM], signed=True)
    return (Frame(frame, rssi_dbm=rssi if rssi < 0 else None),)
