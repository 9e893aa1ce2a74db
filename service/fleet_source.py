"""What ``gateways.toml`` says, read again when it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from metering.errors import SettingsError
from service.gateway_files import load_fleet

if TYPE_CHECKING:
    from gateway_firmware_config.fleet import Fleet

__all__ = ["NO_PLANS", "FleetSource", "Plan", "Plans", "plans_of"]

AGENT = "agent"
"""The profile that takes settings over MQTT as signed orders."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned for one gateway.

    Attributes:
        profile: what it is.
        board: its board, if its profile has boards.
        revision: of the settings it was last told.
        sha256: of the settings it should be told; empty if its firmware takes none over MQTT.
    """

    profile: str
    board: str = ""
    revision: int = 1
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Plans:
    """What is planned for all gateways.

    Attributes:
        gateways: by name; ``None`` if nobody said where they are written down.
        trouble: why they could not be read; empty if they could.
    """

    gateways: Mapping[str, Plan] | None = None
    trouble: str = ""


NO_PLANS = Plans()
"""Nobody said where gateways are written down."""


def plans_of(fleet: Fleet) -> Plans:
    """Give what is planned for the gateways of a file."""
    return Plans(
        {
            name: Plan(one.profile, str(one.options.get("board", "")), one.revision, _digest(fleet, name))
            for name, one in fleet.gateway.items()
        }
    )


def _digest(fleet: Fleet, name: str) -> str:
    from gateway_firmware_config.rendering import render_gateway

    if fleet.gateway[name].profile != AGENT:
        return ""
    told = render_gateway(name, fleet.gateway[name], fleet.broker)["agent.toml"].text
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(slots=True)
class FleetSource:
    """Reads the file when it has changed; safe to ask from several threads, at worst it is read twice."""

    file: Path | None
    _seen: int = field(default=-1, init=False)
    _plans: Plans = field(default=NO_PLANS, init=False)

    def plans(self) -> Plans:
        """Give what is planned; a file that cannot be used is told, never raised."""
        if self.file is None:
            return NO_PLANS
        try:
            changed = self.file.stat().st_mtime_ns
            if changed != self._seen:
                self._plans, self._seen = plans_of(load_fleet(self.file)), changed
        except SettingsError as wrong:
            return Plans(trouble=str(wrong))
        except OSError as wrong:
            return Plans(trouble=f"{self.file} cannot be read: {wrong.strerror}")
        return self._plans
