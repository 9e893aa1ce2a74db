"""What a channel of notices is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from metering.errors import TelemetryError

__all__ = ["Channel", "Message", "NotSent"]


class NotSent(TelemetryError):
    """A message did not get through; it is tried again later."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to be told.

    Attributes:
        key: the same for every attempt: receivers may drop what they have.
        title: one line.
        text: for people.
        body: the same for programs, JSON-able.
    """

    key: str
    title: str
    text: str
    body: Mapping[str, object]


class Channel(Protocol):
    """A way to tell somebody."""

    @property
    def name(self) -> str:
        """``smtp`` or ``webhook``; part of the key of a notice."""
        ...

    def send(self, message: Message) -> None:
        """Hand a message over; returns when the receiver has taken it.

        Raises:
            NotSent: it has not, as far as is known.
        """
        ...
