"""The files that install the agent on a box: settings, systemd unit, install script. Deterministic."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from metering.errors import InvalidValue
from metering.uplink import GATEWAY_NAME

__all__ = ["Plan", "bundle"]

_TEMPLATES = {
    "agent.toml": "agent.toml",
    "nurt-agent.service": "nurt-agent.service",
    "install.sh": "install.sh",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a bundle is made for.

    Attributes:
        gateway: the gateway's name.
        broker: host name of the broker.
        port: its TCP port.
        tls: whether the connection is encrypted.
        receivers: kind and serial port of each receiver.
    """

    gateway: str
    broker: str
    port: int
    tls: bool = True
    receivers: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if not GATEWAY_NAME.fullmatch(self.gateway):
            raise InvalidValue(f"{self.gateway[:80]!r} is not a gateway name of A-Z a-z 0-9 _ - (at most 64)")
        for text in (self.broker, *(port for _, port in self.receivers)):
            if not text.isprintable() or set(text) & set("\"\\'"):
                raise InvalidValue(
                    f"{text[:80]!r} cannot stand in the settings: quotes and backslashes in it"
                )


def bundle(plan: Plan) -> Mapping[str, str]:
    """Give the files, by name. The password is not among them: the install script asks for it."""
    values = {
        "gateway": plan.gateway,
        "broker": plan.broker,
        "port": str(plan.port),
        "tls": "true" if plan.tls else "false",
        "receivers": "\n".join(_receiver(number, *one) for number, one in enumerate(plan.receivers, 1)),
    }
    folder = files("gateway_firmware_config") / "templates"
    return {
        name: _Template((folder / template).read_text(encoding="utf-8")).substitute(values)
        for name, template in _TEMPLATES.items()
    }


class _Template(string.Template):
    """``@{name}``, since the dollar belongs to shell scripts and systemd units."""

    delimiter = "@"


def _receiver(number: int, kind: str, port: str) -> str:
    return f'[[receiver]]\nname = "{kind}-{number}"\nkind = "{kind}"\nport = "{port}"\n'
