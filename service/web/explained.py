"""An archived telegram decoded again for people: every byte, every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from decoders.errors import DecodeError
from decoders.meaning import named
from decoders.model import Model
from decoders.models import by_name
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Value
from decoders.trace import Span, Trace, Understanding, trace
from metering.errors import KeyringError
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, Keyring

__all__ = ["Explained", "explain"]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a frame says.

    Attributes:
        spans: what each byte means; they cover the frame.
        bytes: how many of them are understood ``full``, ``partly`` or ``not``; their sum is the length.
        model: name of the meter's model; empty if there is none.
        fields: values by their name with unit, ``total_m3``.
        error: why it could not be read, or the first thing wrong in it.
        key: a key of this meter is in store (never the key itself).
        keyring_fault: why keys cannot be used at all; empty otherwise.
    """

    spans: Sequence[Span]
    bytes: Mapping[Understanding, int]
    model: str
    fields: Mapping[str, Decimal | str | None]
    error: DecodeError | None
    key: bool
    keyring_fault: str = field(default="")


def explain(telegram: ArchivedTelegram, keyring: Keyring, model: str | None = None) -> Explained:
    """Decode a telegram with the key in store, if there is one.

    A keyring that cannot be opened explains the telegram as far as it goes without a key.

    Args:
        telegram: from the archive.
        keyring: the keys in store.
        model: the model the registry names for its meter; ``None`` = found by the meter's identity.
    """
    key = bool(keyring.have_keys([telegram.meter]))
    chosen = by_name(model) if model else None
    try:
        found = _trace(telegram.frame, keyring, chosen)
    except KeyringError as fault:
        return _explained(_trace(telegram.frame, None, chosen), key=key, keyring_fault=str(fault))
    return _explained(found, key=key)


def _trace(frame: bytes, keyring: Keyring | None, model: Model | None) -> Trace:
    def keys(meter: MeterId) -> Sequence[bytes]:
        return keyring.keys([meter]).get(meter, ()) if keyring else ()

    return trace(frame, keys, shipped_layouts(), model)


def _explained(found: Trace, *, key: bool, keyring_fault: str = "") -> Explained:
    telegram = found.telegram
    model = found.model if telegram and telegram.records else None
    values = named(telegram, model) if telegram else []
    return Explained(
        spans=found.spans,
        bytes={one: found.count(one) for one in Understanding},
        model=found.model.name if found.model else "",
        fields={one.name: _plain(one.value) for one in values},
        error=found.error or (next(iter(telegram.faults), None) if telegram else None),
        key=key,
        keyring_fault=keyring_fault,
    )


def _plain(value: Value) -> Decimal | str | None:
    """Give a value as a number or as text: dates as ISO 8601 in the meter's local time, bytes as hex."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes" if value.second == 0 else "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value
