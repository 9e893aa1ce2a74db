"""Lobaro wM-Bus bridges over LoRaWAN: telegrams, in parts where they are long.

::

    port 1        status
    port 11..99   tens = which part, units = of how many (24 = second of four); the telegram, nothing else
    port 101      flags u8 (1 first, 2 last) | part; joined: time u40 BE, seconds since 1970 | telegram
    port 102      flags u8                   | part; joined: time u40 BE | RSSI u8, negated  | telegram

The bridge listens for minutes and sends for hours: the time is when it heard the telegram.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.adapters.times import unix
from ingest.codecs.content import Frame, Part
from metering.uplink import BadUplink

__all__ = ["joined", "read"]

_STATUS = 1
_PLAIN, _TIMED, _MEASURED = "lobaro0", "lobaro1", "lobaro2"
_FORMS = {101: _TIMED, 102: _MEASURED}
_FIRST, _LAST = 1, 2
_TIME_SIZE = 5


def read(port: int, payload: bytes) -> Sequence[Frame | Part]:
    """Read a telegram or a part of one."""
    if port == _STATUS:
        return []
    part = _flagged(_FORMS[port], payload) if port in _FORMS else _numbered(port, payload)
    if not part.payload:
        raise BadUplink("bad_payload", "a part without bytes", payload)
    return [joined(part.form, part.payload)] if part.first and part.last else [part]


def _numbered(port: int, payload: bytes) -> Part:
    number, total = divmod(port, 10)
    if not 1 <= number <= total <= 9:
        raise BadUplink("bad_port", f"port {port}: telegrams come on 11 to 99, 101 and 102")
    return Part(number == 1, number == total, _PLAIN, payload)


def _flagged(form: str, payload: bytes) -> Part:
    if not payload or payload[0] > _FIRST | _LAST:
        raise BadUplink("bad_payload", f"flags {payload[:1].hex()}: expected 00 to 03", payload)
    return Part(bool(payload[0] & _FIRST), bool(payload[0] & _LAST), form, payload[1:])


def joined(form: str, data: bytes) -> Frame:
    """Read what all parts together say.

    Raises:
        BadUplink: ``bad_payload``.
    """
    if form == _PLAIN:
        return Frame(data)
    head = _TIME_SIZE + (form == _MEASURED)
    if len(data) <= head:
        raise BadUplink("bad_payload", f"{len(data)} bytes hold no time and telegram", data)
    rssi = -data[_TIME_SIZE] if form == _MEASURED else None
    return Frame(data[head:], unix(int.from_bytes(data[:_TIME_SIZE], "big")), rssi)
