"""Which meters have keys, of which telegrams, and which wait for one; no key is ever shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from metering.meter import MeterId
from metering.ports import KeyPeriod, Transaction

__all__ = ["keys_told", "waiting_told"]

_PAGE = 500
_WAITING = {"missing_key": "no key is known", "wrong_key": "no known key fits"}


def keys_told(view: Transaction, meter: MeterId | None = None) -> Iterator[dict[str, object]]:
    """Give a row for each key, newest first within its meter.

    Args:
        view: a view of the store.
        meter: of this meter only.

    Raises:
        KeyringError: a key cannot be opened.
    """
    if meter is not None:
        yield from _rows(view, [meter])
        return
    last = None
    while page := view.keyring.having_keys(after=last, limit=_PAGE):
        yield from _rows(view, page)
        last = page[-1]


def waiting_told(view: Transaction) -> list[dict[str, object]]:
    """Give a row for each meter whose telegrams wait for a key."""
    found = [
        (str(meter), why) for reason, why in _WAITING.items() for meter in view.upkeep.waiting_for(reason)
    ]
    return [{"meter": meter, "why": why} for meter, why in sorted(found)]


def _rows(view: Transaction, meters: Sequence[MeterId]) -> Iterator[dict[str, object]]:
    registered = view.registry.meters(meters)
    periods = view.keyring.periods(meters)
    for meter in meters:
        keys = periods.get(meter, ())
        for number, key in enumerate(keys, 1):
            yield _row(meter, f"{number} of {len(keys)}", key, registered=meter in registered)


def _row(meter: MeterId, number: str, key: KeyPeriod, *, registered: bool) -> dict[str, object]:
    return {
        "meter": str(meter),
        "key": number,
        "bits": len(key.key) * 8,
        "telegrams_from": _moment(key.valid_from, "ever"),
        "telegrams_until": _moment(key.valid_to, "further notice"),
        "registered": registered,
    }


def _moment(at: datetime | None, none: str) -> str:
    return none if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
