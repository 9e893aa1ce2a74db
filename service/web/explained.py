"""An archived telegram decoded again for people: every byte, every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from decoders.errors import DecodeError
from decoders.fields import fields
from decoders.shipped_layouts import shipped_layouts
from decoders.telegram import Value
from decoders.trace import Span, trace
from metering.errors import KeyringError
from metering.meter import MeterId
from metering.ports import ArchivedTelegram, Keyring

__all__ = ["Explained", "explain"]


@dataclass(frozen=True, slots=True)
class Explained:
    """What a frame says.

    Attributes:
        spans: what each byte means; they cover the frame.
        fields: values by their name with unit, ``total_m3``.
        error: why it could not be read, or the first thing wrong in it.
        key: a key of this meter is in store (never the key itself).
        keyring_fault: why keys cannot be used at all; empty otherwise.
    """

    spans: Sequence[Span]
    fields: Mapping[str, Decimal | str | None]
    error: DecodeError | None
    key: bool
    keyring_fault: str = field(default="")


def explain(telegram: ArchivedTelegram, keyring: Keyring) -> Explained:
    """Decode a telegram with the key in store, if there is one.

    A keyring that cannot be opened explains the telegram as far as it goes without a key.
    """
    key = bool(keyring.have_keys([telegram.meter]))
    try:
        return _explain(telegram.frame, keyring, key=key)
    except KeyringError as fault:
        return _explain(telegram.frame, None, key=key, keyring_fault=str(fault))


def _explain(frame: bytes, keyring: Keyring | None, *, key: bool, keyring_fault: str = "") -> Explained:
    def keys(meter: MeterId) -> Sequence[bytes]:
        return keyring.keys([meter]).get(meter, ()) if keyring else ()

    found = trace(frame, keys, shipped_layouts())
    telegram = found.telegram
    values = fields(telegram) if telegram else {}
    return Explained(
        spans=found.spans,
        fields={name: _plain(value) for name, value in values.items()},
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
