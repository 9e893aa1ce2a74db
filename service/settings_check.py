"""Whether the files that settings name are there and can be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from metering.errors import SettingsError, TelemetryError
from metering.store import load_master_key
from service.settings_model import MqttSettings, Settings

__all__ = ["check_files"]


def check_files(settings: Settings) -> None:
    """Look at every file the settings name.

    Raises:
        SettingsError: with every fault, one a line.
    """
    if faults := list(_faults(settings)):
        raise SettingsError("\n".join(faults))


def _faults(settings: Settings) -> Iterator[str]:
    yield from _unreadable("mqtt", settings.mqtt, "ca_file", "cert_file", "key_file", "password_file")
    if settings.store.master_key.exists() or settings.store.master_key_file:
        try:
            load_master_key(settings.store.master_key)
        except TelemetryError as wrong:
            yield str(wrong)


def _unreadable(section: str, settings: MqttSettings, *names: str) -> Iterator[str]:
    for name in names:
        file: Path | None = getattr(settings, name)
        try:
            if file is not None:
                file.read_bytes()
        except OSError as wrong:
            yield f"{section}.{name} {file} cannot be read: {wrong.strerror}"
