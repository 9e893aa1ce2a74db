"""Whether the files that settings name are there and can be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from metering.errors import SettingsError, TelemetryError
from metering.store import load_master_key
from service.settings_model import MqttSettings, Settings, StoreSettings
from service.settings_topics import Section

__all__ = ["check_broker_files", "check_files"]


def check_files(settings: Settings) -> None:
    """Look at every file the settings name.

    Raises:
        SettingsError: with every fault, one a line.
    """
    series = _unreadable("series", settings.series, ("ca_file", "password_file"))
    _refuse_if_any([*_of_broker(settings.mqtt), *series, *_master_key(settings.store)])


def check_broker_files(mqtt: MqttSettings) -> None:
    """Look at the files the connection to the broker needs.

    Raises:
        SettingsError: with every fault, one a line.
    """
    _refuse_if_any(list(_of_broker(mqtt)))


def _refuse_if_any(faults: list[str]) -> None:
    if faults:
        raise SettingsError("\n".join(faults))


def _of_broker(mqtt: MqttSettings) -> Iterator[str]:
    return _unreadable("mqtt", mqtt, ("ca_file", "cert_file", "key_file", "password_file"))


def _unreadable(where: str, section: Section, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        file: Path | None = getattr(section, name)
        try:
            if file is not None:
                file.read_bytes()
        except OSError as wrong:
            yield f"{where}.{name} {file} cannot be read: {wrong.strerror}"


def _master_key(store: StoreSettings) -> Iterator[str]:
    if not store.master_key.exists() and store.master_key_file is None:
        return
    try:
        load_master_key(store.master_key)
    except TelemetryError as wrong:
        yield str(wrong)
