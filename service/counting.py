"""Message counters that go back along a stream of lines.

A counter under a key never repeats and never falls, so a telegram whose counter does is told with a fault:
somebody sends an old one again, or the meter was reset. The values are told all the same. One that comes
again with the counter of the latest was heard twice, and is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Callable

from decoders.counter import CounterWatch, Movement, Step
from decoders.errors import SecurityError
from decoders.quick_records import with_faults
from decoders.telegram import Keys, Telegram

__all__ = ["Decode", "counting"]

Decode = Callable[[bytes, Keys], Telegram]
"""Decodes a frame, or the message it is the last missing part of."""


def counting(decode: Decode) -> Decode:
    """Return what decodes and watches the counters of encrypted telegrams."""
    watch = CounterWatch()

    def watched(frame: bytes, keys: Keys) -> Telegram:
        telegram = decode(frame, keys)
        if telegram.security.counter is None or not telegram.security.encrypted:
            return telegram
        step = watch.see(telegram)
        if step is None or step.movement is not Movement.BACK:
            return telegram
        return with_faults(telegram, (*telegram.faults, _went_back(step)))

    return watched


def _went_back(step: Step) -> SecurityError:
    said = f"the message counter went back from {step.before} to {step.now}: sent again by somebody, or reset"
    return SecurityError("counter_back", said, evidence={"before": step.before or 0, "now": step.now})
