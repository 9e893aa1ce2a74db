"""The gate made of the settings."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path

from metering.errors import SettingsError
from metering.ports import Clock
from service.operators.book import OperatorFile
from service.operators.gate import Gate, ProxyGate, SessionGate
from service.settings_model import Settings

__all__ = ["file_of", "gate_of"]


def file_of(settings: Settings) -> Path:
    """Give where the file of operators is."""
    return settings.web.operators_file or settings.store.data / "operators"


def gate_of(settings: Settings, clock: Clock) -> Gate | None:
    """Make the gate; ``None`` = everybody who reaches the pages may do everything.

    Raises:
        SettingsError: everybody could, and not only on this machine; or the file cannot be read.
    """
    web, file = settings.web, OperatorFile(file_of(settings))
    if web.login == "proxy":
        return ProxyGate(web.proxy_header.lower()) if web.proxy_header else None
    if web.login == "auto" and _only_here(web.host):
        return None
    if not file.book().people:
        raise SettingsError(
            f"nobody could sign in to the pages at {web.host}: {file.path} names no operator; make one with"
            ' nurt operators add NAME, or set [web] login = "proxy" if a proxy in front asks who it is,'
            ' or host = "127.0.0.1" for this machine only'
        )
    return SessionGate(file, clock, timedelta(hours=web.session_hours), web.https)


def _only_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
