"""Whether a gateway is there: by what it says, what its last will says, and when it was heard. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from metering.ports import GatewayRow

__all__ = ["SILENCE", "Condition", "condition"]

SILENCE = timedelta(minutes=15)
"""A gateway says its health every minute; one that missed fifteen is silent, whatever it said before."""


class Condition(StrEnum):
    """How a gateway is."""

    ONLINE = "online"
    OFFLINE = "offline"
    """It said so, or the broker said it for it (last will), and nothing came since."""
    SILENT = "silent"
    """It did not say goodbye, and was not heard for too long."""
    UNKNOWN = "unknown"
    """It was never heard."""


def condition(row: GatewayRow, now: datetime, silence: timedelta = SILENCE) -> Condition:
    """Judge a gateway.

    What the broker kept from earlier is dated by the gateway, so a stale ``online`` makes nobody look alive.
    """
    heard = max((at for at in (row.last_heard, row.alive_at) if at is not None), default=None)
    said = row.state_at
    if row.online is False and said is not None and (heard is None or heard <= said):
        return Condition.OFFLINE
    signs = [at for at in (heard, said if row.online else None) if at is not None]
    if not signs:
        return Condition.UNKNOWN
    return Condition.ONLINE if now - max(signs) <= silence else Condition.SILENT
