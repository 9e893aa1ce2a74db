"""Rotation of the master key: files and database, in an order in which it may stop anywhere.

1. ``master.key.next`` is made, unless an interrupted rotation left it.
2. Meter keys are sealed anew, some per transaction. Whoever meets a key sealed under the new one (ingest that
   runs beside) loads both files again.
3. The old file is copied to ``master.key.before``, then the new one takes its place in one step.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from metering.clock import SystemClock
from metering.errors import KeyringError
from metering.store import create_master_key, load_master_key
from service.database import prepared_store
from service.settings_model import StoreSettings

__all__ = ["rotate"]


def rotate(settings: StoreSettings, told: Callable[[int], None] = lambda _keys: None) -> int:
    """Move every stored meter key to a new master key; gives how many were sealed anew.

    Args:
        settings: of the store.
        told: given the number of keys done, now and then.

    Raises:
        KeyringError: the old master key does not fit, or a file cannot be made; begin again once mended.
        StoreError: the store is away; begin again later.
    """
    old, following = settings.master_key, settings.next_master_key
    store = prepared_store(settings, SystemClock())
    try:
        load_master_key(old)
        if not following.exists():
            create_master_key(following)
        done = store.rotate_master(load_master_key(following), told)
    finally:
        store.close()
    try:
        _copy(old, old.with_name(f"{old.name}.before"))
        following.replace(old)
        _sync(old.parent)
    except OSError as fault:
        raise KeyringError(f"the new master key cannot take the place of {old}: {fault.strerror}") from None
    return done


def _copy(source: Path, target: Path) -> None:
    """Copy a secret file, durable before this returns."""
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
