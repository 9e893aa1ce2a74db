"""What becomes of one frame: stored, held, foreign or quarantined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from decoders.assembly import Assembly
from decoders.decoder import Decoder
from decoders.errors import DecodeError, LayerError
from decoders.model import Model
from decoders.models import by_name
from decoders.reading import Understood, complete, rescue
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Telegram
from decoders.wmbus.layers import KeysOnce
from decoders.wmbus.layouts import Layouts
from decoders.wmbus.link import Frame
from metering.meter import Meter, MeterId
from metering.ports import KeyHistory, Outcome, TelegramState, keys_of

__all__ = ["HELD", "Judge", "Verdict", "known_to"]

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


class Verdict(NamedTuple):
    """What becomes of a frame.

    Attributes:
        outcome: stored, held, foreign or quarantined.
        reason: stable code if held or quarantined.
        sentence: for people, if held or quarantined.
        telegram: decoded, if stored.
        model: the model that read it; ``None`` = no model knows the meter, or it is not stored.
    """

    outcome: Outcome
    reason: str = ""
    sentence: str = ""
    telegram: Telegram | None = None
    model: Model | None = None

    @property
    def state(self) -> TelegramState:
        """The same for the archive; a quarantined frame is never archived."""
        return TelegramState.STORED if self.outcome is Outcome.STORED else TelegramState(self.outcome)


class Judge:
    """Judges frames, faster those of a layout it has met. Threads may share it; they take turns.

    Attributes:
        layouts: of compact frames; learns those of our own meters.
    """

    def __init__(self, layouts: Layouts | None = None) -> None:
        self.layouts = shipped_layouts() if layouts is None else layouts
        self._decoder = Decoder(self.layouts)
        self._turn = Lock()

    def judge(self, frame: Frame, meter: Meter | None, keys: KeyHistory, heard_at: datetime) -> Verdict:
        """Judge a frame.

        Args:
            frame: in its one form.
            meter: the meter it is from; ``None`` if it is not registered.
            keys: of this meter and of the sender; others do not matter.
            heard_at: decides which of them hold, UTC.
        """
        if meter is None:
            return Verdict(Outcome.FOREIGN)
        try:
            with self._turn:
                understood = self._understand(frame, known_to(meter.id, keys, heard_at), _named(meter))
        except DecodeError as wrong:
            outcome = Outcome.HELD if wrong.code in HELD else Outcome.QUARANTINED
            return Verdict(outcome, wrong.code, wrong.message)
        return Verdict(Outcome.STORED, telegram=understood.telegram, model=understood.model)

    def judge_fragments(
        self, frames: Sequence[Frame], meter: Meter, keys: KeyHistory, heard_at: datetime
    ) -> Verdict:
        """Judge a message by its fragments, in their order; what cannot be read is held.

        A message may come under the address of a radio adapter; its meter is in the telegram then.
        """
        known = known_to(meter.id, keys, heard_at)
        try:
            with self._turn:
                telegram = _put_together(frames, Assembly(known, self.layouts))
                understood = complete(telegram, known, _named(meter))
        except DecodeError as wrong:
            return Verdict(Outcome.HELD, wrong.code, wrong.message)
        return Verdict(Outcome.STORED, telegram=understood.telegram, model=understood.model)

    @contextmanager
    def turn(self) -> Iterator[Layouts]:
        """Give the layouts to look at or to add to, while nobody else uses them."""
        with self._turn:
            yield self.layouts

    def _understand(self, frame: Frame, keys: KeysOnce, model: Model | None) -> Understood:
        try:
            telegram = self._decoder.decode_frame(frame, keys)
        except DecodeError as error:
            return rescue(error, keys, model)
        return complete(telegram, keys, model)


def known_to(meter: MeterId, keys: KeyHistory, heard_at: datetime) -> KeysOnce:
    """Give the keys to try at a time: a radio adapter's telegram may be under its own key or the meter's."""

    def known(address: MeterId) -> tuple[bytes, ...]:
        own = keys_of(meter, keys, heard_at)
        return tuple(own if address == meter else [*keys_of(address, keys, heard_at), *own])

    return KeysOnce(known)


def _put_together(frames: Sequence[Frame], assembly: Assembly) -> Telegram:
    for frame in frames:
        if (telegram := assembly.take_frame(frame)) is not None:
            return telegram
    raise LayerError("fragment", "the fragments do not make a whole message")


def _named(meter: Meter) -> Model | None:
    """Give the model the registry names; ``None`` if it names none there is: then it is found."""
    return by_name(meter.model) if meter.model else None
