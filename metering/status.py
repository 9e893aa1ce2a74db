"""What a meter says of itself besides its registers: status flags, kept as one number like any value.

Models name the bits of their status words in hundreds of ways; operators act on a few. Kept are those, and
only of telegrams in which one of them is set: a telegram of the meter without such a value said that all is
well. The words themselves stand with the telegram, which can be explained byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from functools import lru_cache

from metering.reading import Register

__all__ = ["STATUS", "StatusFlag", "flags_of_words", "names_of"]

STATUS = Register("status_flags")
"""The register under which the flags of a telegram are kept: the sum of their numbers, no unit."""


class StatusFlag(IntFlag):
    """What a meter can say of itself; the numbers are kept in databases and never change."""

    BATTERY = 1
    """Battery low, or at its end."""
    REMOVAL = 2
    """Radio module or detector taken off the meter."""
    TAMPER = 4
    """Seal broken, cover open, mechanical or optical fraud."""
    MAGNET = 8
    """A magnet was near."""
    DRY = 16
    """Air in the pipe, or no water."""
    REVERSE = 32
    """Water runs backwards."""
    LEAK = 64
    """The meter's own rule for continuous flow."""
    BURST = 128
    """The meter's own rule for very high flow."""
    FAULT = 256
    """The meter cannot be trusted or must be exchanged (EN 13757-7: permanent error)."""


_MEANT = {
    StatusFlag.BATTERY: ("BATTERY", "POWER_LOW", "EOL_REACHED"),
    StatusFlag.REMOVAL: ("REMOV", "DISCONNECTED"),
    StatusFlag.TAMPER: ("TAMPER", "SABOTAGE", "FRAUD", "MANIPULATION", "SEAL_BROKEN", "STRONG_LIGHT"),
    StatusFlag.MAGNET: ("MAGNET",),
    StatusFlag.DRY: ("DRY", "AIR"),
    StatusFlag.REVERSE: ("REVERSE_FLOW", "BACKFLOW", "BACK_FLOW", "WRONG_FLOW_DIRECTION"),
    StatusFlag.LEAK: ("LEAK", "CONTINUOUS_FLOW"),
    StatusFlag.BURST: ("BURST", "BROKEN_PIPE"),
    StatusFlag.FAULT: (
        "PERMANENT_ERROR",
        "METER_HARDWARE_ERROR",
        "FLOW_METER_FAILURE",
        "VOLUME_DETECTION_COILS_DEFECT",
        "METER_BLOCKED",
    ),
}
"""Parts of the models' words for a flag."""
_PAST = ("PREV_", "_PREV", "WAS_", "_PAST", "P_", "_DATE", "_THIS_MONTH", "HISTOR")
"""Words that tell of something that is over, or may be."""
_NOT_ITSELF = {
    StatusFlag.BATTERY: ("BATTERY_LIFETIME", "BATTERY_VOLTAGE_ERROR", "OK_BATTERY"),
    StatusFlag.REMOVAL: ("MBUS_DISCONNECTED",),
    StatusFlag.LEAK: ("LEAKAGE_OR_NO_USAGE",),
    StatusFlag.TAMPER: ("MAGNETIC_",),
}


def names_of(number: int) -> str:
    """Say the flags of a kept number, ``battery leak``."""
    return " ".join(str(flag.name).lower() for flag in StatusFlag if number & flag)


def flags_of_words(words: Iterable[str]) -> StatusFlag:
    """Give the flags that the words of a status text stand for; past and unknown ones do not count."""
    found = StatusFlag(0)
    for word in words:
        found |= _of_word(word)
    return found


@lru_cache(maxsize=4096)
def _of_word(word: str) -> StatusFlag:
    if any(word.startswith(part) or (part[0] == "_" and part in word) for part in _PAST):
        return StatusFlag(0)
    found = StatusFlag.REVERSE if word == "REVERSE" else StatusFlag(0)
    for flag, parts in _MEANT.items():
        others = _NOT_ITSELF.get(flag, ())
        if any(part in word for part in parts) and not any(part in word for part in others):
            found |= flag
    return found
