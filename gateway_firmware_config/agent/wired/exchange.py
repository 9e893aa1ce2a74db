"""One meter is asked for all it has to say: a state machine without I/O, written as a generator.

It yields what to send, and is sent the answer, or ``None`` if there was none in time. A level converter may
lose an answer, so each question is put up to three times; a meter that says more than sixteen telegrams, or
the same one again, has been misunderstood.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from gateway_firmware_config.agent.received import Fault
from gateway_firmware_config.agent.wired import frames
from gateway_firmware_config.agent.wired.more import more_follows
from metering.meter import MeterId

__all__ = ["Exchange", "Target", "Told", "read_meter"]

Target = MeterId | int
"""A meter by its identity (secondary address), or by its primary address, 0 to 250."""

_TRIES = 3
_MOST_TELEGRAMS = 16
_CONTENT = slice(7, -2)


@dataclass(frozen=True, slots=True)
class Told:
    """What a meter told: its telegrams in order, and what was wrong, if anything was."""

    telegrams: tuple[bytes, ...] = ()
    fault: Fault | None = None


Exchange = Generator[bytes, bytes | None, Told]


def read_meter(target: Target) -> Exchange:
    """Ask one meter for all its telegrams."""
    if isinstance(target, int):
        address = target
        opened = yield from _ask(frames.reset(target))
    else:
        address = frames.BY_SELECTION
        yield frames.reset(frames.BY_SELECTION)  # whoever was selected is so no more; nobody has to answer
        opened = yield from _ask(frames.select(target))
    if opened is None:
        return Told(fault=Fault("no_answer", f"{_name(target)} does not answer"))
    return (yield from _telegrams(target, address))


def _telegrams(target: Target, address: int) -> Exchange:
    found: list[bytes] = []
    while len(found) < _MOST_TELEGRAMS:
        answer = yield from _ask(frames.request(address, odd=len(found) % 2 == 0))
        if answer is None or answer == frames.ACKNOWLEDGE:
            sentence = f"{_name(target)} stopped after {len(found)} telegram(s)"
            return Told(tuple(found), Fault("no_data", sentence))
        if found and _says_the_same(answer, found[-1]):
            break
        found.append(answer)
        if not more_follows(answer):
            break
    return Told(tuple(found))


def _ask(question: bytes) -> Generator[bytes, bytes | None, bytes | None]:
    for _ in range(_TRIES):
        answer = yield question
        if answer is not None:
            return answer
    return None


def _says_the_same(one: bytes, other: bytes) -> bool:
    """Whether two telegrams differ in no more than their access number, the ninth byte of a long header."""
    return _without_access(one[_CONTENT]) == _without_access(other[_CONTENT])


def _without_access(content: bytes) -> bytes:
    return content[:8] + content[9:]


def _name(target: Target) -> str:
    return f"address {target}" if isinstance(target, int) else str(target)
