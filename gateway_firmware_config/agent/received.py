"""What a receiver says: frames, counter states, and what was wrong on the line."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Answer", "Event", "Fault", "Frame", "Pulse"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, L first and without link-layer checksums; a wired frame whole, ``68`` to ``16``.

    Attributes:
        data: its bytes.
        mode: radio mode, ``T1``, ``C1``, ``S1``, if the receiver says it.
        rssi_dbm: signal strength in dBm, if the receiver measures it in a way that can be turned into dBm.
    """

    data: bytes
    mode: str | None = None
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """The state of one counter of a pulse board, in pulses."""

    channel: str
    total: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something on the line that was meant as a telegram and is none.

    Attributes:
        reason: stable code: ``bad_crc``, ``odd_length``, ``bad_length``, ``stray_byte``, ``no_answer``, ...
        sentence: for people.
    """

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver says of itself: its kind and version, for people."""

    text: str


Event = Frame | Pulse | Fault | Answer
