"""After an import: telegrams that waited for it are read at once, whether ingest runs or not."""

from __future__ import annotations

from collections.abc import Callable

from ingest.claiming import claim
from ingest.replay import Replay
from ingest.upkeep import mend_asked
from metering.clock import SystemClock
from service.database import prepared_store
from service.settings_model import Settings
from service.taking_in import rules_of

__all__ = ["mend_now"]


def mend_now(settings: Settings, told: Callable[[int], None] = lambda _meters: None) -> int:
    """Try waiting telegrams of meters that got a key or were registered; gives how many healed.

    What is not done when this is interrupted, ingest does by itself.

    Raises:
        StoreError: the store is away.
        KeyringError: keys are stored but cannot be decrypted.
    """
    store = prepared_store(settings.store, SystemClock())
    try:
        rules = rules_of(settings.ingest)
        return mend_asked(store, Replay(store, rules=rules), told=told) + claim(store, rules)
    finally:
        store.close()
