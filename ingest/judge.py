"""What becomes of one frame: stored, held, foreign or quarantined."""

from __future__ import annotations

from dataclasses import dataclass

from decoders.decode import decode_frame
from decoders.errors import DecodeError
from decoders.telegram import Telegram
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.link import Frame
from metering.meter import Meter, MeterId
from metering.ports import KeyLookup, Outcome, TelegramState

__all__ = ["HELD", "Verdict", "judge"]

HELD = frozenset(
    {
        "missing_key",
        "wrong_key",
        "bad_key",
        "bad_mac",
        "unknown_layout",
        "wrong_layout",
        "fragment",
        "manufacturer_specific",
        "unsupported_mode",
    }
)
"""Codes that heal without the telegram being sent again: by a right key, a layout, a mended model."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a frame.

    Attributes:
        outcome: stored, held, foreign or quarantined.
        reason: stable code if held or quarantined.
        sentence: for people, if held or quarantined.
        telegram: decoded, if stored.
    """

    outcome: Outcome
    reason: str = ""
    sentence: str = ""
    telegram: Telegram | None = None

    @property
    def state(self) -> TelegramState:
        """The same for the archive; a quarantined frame is never archived."""
        return TelegramState(self.outcome)


def judge(frame: Frame, meter: Meter | None, keys: KeyLookup, layouts: Layouts) -> Verdict:
    """Judge a frame.

    Args:
        frame: in its one form.
        meter: the meter it is from; ``None`` if it is not registered.
        keys: of this meter and of the sender.
        layouts: of compact frames; learns those of our own meters.
    """
    if meter is None:
        return Verdict(Outcome.FOREIGN)

    def known(address: MeterId) -> tuple[bytes, ...]:
        """A radio adapter's telegram may be under its own key or under the meter's."""
        return tuple(dict.fromkeys((*keys.get(address, ()), *keys.get(meter.id, ()))))

    try:
        return Verdict(Outcome.STORED, telegram=decode_frame(frame, known, layouts))
    except DecodeError as wrong:
        outcome = Outcome.HELD if wrong.code in HELD else Outcome.QUARANTINED
        return Verdict(outcome, wrong.code, wrong.message)
