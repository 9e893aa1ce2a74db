"""Whether the files that settings name are there and can be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from metering.errors import SettingsError, TelemetryError
from metering.store import load_master_key
from service.settings_model import MqttSettings, Settings, StoreSettings

__all__ = ["check_broker_files", "check_files"]


def check_files(settings: Settings) -> None:
    """Look at every file the settings name.

    Raises:
        SettingsError: with every fault, one a line.
    """
    _refuse_if_any([*_unreadable(settings.mqtt), *_master_key(settings.store)])


def check_broker_files(mqtt: MqttSettings) -> None:
    """Look at the files the connection to the broker needs.

    Raises:
        SettingsError: with every fault, one a line.
    """
    _refuse_if_any(list(_unreadable(mqtt)))


def _refuse_if_any(faults: list[str]) -> None:
    if faults:
        raise SettingsError("\n".join(faults))


def _unreadable(mqtt: MqttSettings) -> Iterator[str]:
    for name in ("ca_file", "cert_file", "key_file", "password_file"):
        file: Path | None = getattr(mqtt, name)
        try:
            if file is not None:
                file.read_bytes()
        except OSError as wrong:
            yield f"mqtt.{name} {file} cannot be read: {wrong.strerror}"


def _master_key(store: StoreSettings) -> Iterator[str]:
    if not store.master_key.exists() and store.master_key_file is None:
        return
    try:
        load_master_key(store.master_key)
    except TelemetryError as wrong:
        yield str(wrong)
