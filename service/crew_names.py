"""Workers of one machine: what each is called, and what of the settings is its own.

The broker keeps a session under each name, so names must be the same after every start. They are
``<client_id>-ingest-<machine>-<number>``.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from datetime import datetime

from ingest.roster import Member
from metering.errors import SettingsError
from service.settings_model import Settings

__all__ = ["GROUP", "as_worker", "demand_shareable", "left_behind", "machine_of", "worker_name"]

GROUP = "nurt"
"""Name of the shared subscription unless the settings have one."""


def machine_of(settings: Settings) -> str:
    """Give the name of this machine: as set, else its own."""
    return settings.ingest.machine or re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname()) or "machine"


def worker_name(settings: Settings, number: int) -> str:
    """Give the client id of a worker."""
    return f"{settings.mqtt.client_id}-ingest-{machine_of(settings)}-{number}"


def as_worker(settings: Settings, number: int) -> Settings:
    """Give the settings one worker runs with."""
    own = {
        "client_id": worker_name(settings, number),
        "shared_group": settings.mqtt.shared_group or GROUP,
    }
    return settings.model_copy(update={"mqtt": settings.mqtt.model_copy(update=own)})


def demand_shareable(settings: Settings) -> None:
    """Refuse settings with which several workers cannot share.

    Raises:
        SettingsError: the broker speaks MQTT 3.1.1 only.
    """
    if settings.mqtt.protocol != "5":
        raise SettingsError(
            'several workers need shared subscriptions, which came with MQTT 5; set [mqtt] protocol = "5",'
            " or run without --workers"
        )


def left_behind(
    members: Sequence[Member], settings: Settings, workers: int | None, now: datetime
) -> Sequence[str]:
    """Give the sessions earlier runs on this machine left at the broker and nobody uses now.

    Args:
        members: the roster.
        settings: of the crew, not of a worker.
        workers: how many run now; ``None`` = one process without ``--workers``, under the plain client id.
        now: UTC.
    """
    base, machine = settings.mqtt.client_id, machine_of(settings)
    used = {worker_name(settings, number) for number in range(1, (workers or 0) + 1)}
    used = used or {base}
    ours = re.compile(rf"{re.escape(base)}(-ingest-{re.escape(machine)}-\d+)?")
    mine = [one for one in members if one.host == machine and ours.fullmatch(one.name)]
    return [one.name for one in mine if one.name not in used and not one.here(now)]
