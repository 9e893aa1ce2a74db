"""What is said of an adapter: for the settings, for the documentation, for people who look for theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ingest.adapters.mapping import FieldMap
from ingest.items import Delivery, Item

__all__ = ["NO_OPTIONS", "Adapter", "Card", "Options", "without_options"]

Adapter = Callable[[Delivery, str], Sequence[Item]]
"""Reads a delivery of the gateway whose name the topic has. Gives one item per uplink and never raises."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a route says to its adapter besides the topics.

    Attributes:
        codec: which LoRaWAN payloads these devices send, a name in :data:`ingest.codecs.CODECS`.
        unit: what the numbers of a sensor that names no unit count: ``pulses``, ``L``, ``m3``.
        key: which value of a message is the counter, where the device's maker chose the name.
        zone: of the gateway's clock, where it writes local time.
        fields: where a message without an adapter of its own says what.
    """

    codec: str = ""
    unit: str = ""
    key: str = ""
    zone: ZoneInfo | None = None
    fields: FieldMap | None = None


NO_OPTIONS = Options()
"""What a route says that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One adapter.

    Attributes:
        name: in the settings.
        says: whose messages it reads, in one sentence.
        topics: topic filters such gateways are usually found under.
        example: a topic and what is published there.
        options: the fields of :class:`Options` it looks at.
        sample: options the example is read with.
        make: the adapter for some options.

    ``make`` raises :class:`~metering.errors.InvalidValue` if an option it needs is missing or wrong.
    """

    name: str
    says: str
    topics: tuple[str, ...]
    example: tuple[str, str]
    options: tuple[str, ...] = ()
    sample: Options = NO_OPTIONS
    make: Callable[[Options], Adapter]


def without_options(read: Adapter) -> Callable[[Options], Adapter]:
    """Give ``make`` of an adapter that is the same for all routes."""
    return lambda _options: read
