"""Keys of meters for gateways that decrypt, in hexadecimal. What this gives is never logged or printed."""

from __future__ import annotations

from collections.abc import Collection

from metering.meter import MeterId
from metering.ports import Clock, keys_of
from service.database import prepared_store
from service.settings_model import StoreSettings

__all__ = ["keys_in_hex"]


def keys_in_hex(settings: StoreSettings, meters: Collection[MeterId], clock: Clock) -> dict[MeterId, str]:
    """Give the newest key valid now of each meter that has one.

    Raises:
        StoreError: the store cannot be read.
        KeyringError: the master key is missing or does not fit.
    """
    store = prepared_store(settings, clock)
    try:
        with store.reading() as view:
            history = view.keyring.periods(meters)
            found = {meter: keys_of(meter, history, clock.now()) for meter in meters}
    finally:
        store.close()
    return {meter: keys[0].hex().upper() for meter, keys in found.items() if keys}
