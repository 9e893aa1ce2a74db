"""Bare telegrams: Radiocrafts RC1180 (19200 8N1), Amber in transparent mode, plain binary lines.

::

    L | L bytes, without checksums | [rssi]

Nothing marks where a telegram begins and nothing checks it: a plausible C and M field must do. Whether the
signal strength follows is a setting of the module. One that appends it without anybody having said so would
shift every telegram by a byte; so a byte left over between telegrams, seen three times, is taken for it.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway_firmware_config.agent.framings.reader import Step
from gateway_firmware_config.agent.link_header import begins_a_frame
from gateway_firmware_config.agent.received import Event, Fault, Frame

__all__ = ["RawTelegrams", "radiocrafts_dbm"]

_SURE_AFTER = 3
_HEADER = 4

_USUAL = frozenset({0x44, 0x46, 0x47, 0x48, 0x08})
"""C fields meters send without being asked. Rarer ones would make too many bytes look like a beginning."""


def _begins(buffer: bytearray) -> bool:
    return begins_a_frame(buffer) and buffer[1] & 0x7F in _USUAL


def radiocrafts_dbm(raw: int) -> int:
    """Give dBm of an RC1180's byte: half of it, negative (data sheet, "RSSI Reading")."""
    return -(raw // 2)


class RawTelegrams:
    """The framing; it learns whether a byte follows each telegram.

    Args:
        rssi: whether the signal strength follows; ``None`` = find out.
        dbm: how to turn its byte into dBm.
    """

    def __init__(self, *, rssi: bool | None, dbm: Callable[[int], int]) -> None:
        self._rssi = rssi
        self._dbm = dbm
        self._after_telegram = False
        self._strays = 0

    def look(self, buffer: bytearray) -> Step | None:
        """Say what stands at the beginning."""
        if len(buffer) < _HEADER:
            return None
        if not _begins(buffer):
            return self._between(buffer)
        size = buffer[0] + 1 + bool(self._rssi)
        return self._telegram(buffer, size) if len(buffer) >= size else None

    def last(self, buffer: bytearray) -> Step | None:
        """Say what stands at the beginning when the line has gone quiet."""
        if _begins(buffer) and len(buffer) == buffer[0] + 1:
            return self._telegram(buffer, len(buffer))
        if len(buffer) == 1 and self._after_telegram:
            return Step(1, self._stray())
        return self.look(buffer)

    def _telegram(self, buffer: bytearray, size: int) -> Step:
        if self._after_telegram:
            self._strays = 0
        self._after_telegram = True
        end = buffer[0] + 1
        strength = self._dbm(buffer[end]) if size > end else None
        return Step(size, (Frame(bytes(buffer[:end]), rssi_dbm=strength),))

    def _between(self, buffer: bytearray) -> Step | None:
        """Drop a byte; if the next telegram begins right behind it, it may be the signal strength."""
        if self._after_telegram and len(buffer) <= _HEADER:
            return None
        stray = self._after_telegram and _begins(buffer[1:])
        self._after_telegram = False
        return Step(1, self._stray() if stray else ())

    def _stray(self) -> tuple[Event, ...]:
        self._after_telegram = False
        if self._rssi is not None:  # a person said so, or it has been learnt: then it is noise
            return ()
        self._strays += 1
        if self._strays < _SURE_AFTER:
            return ()
        self._rssi = True
        sentence = "a byte follows each telegram: taken for the signal strength from now on"
        return (Fault("stray_byte", sentence),)
