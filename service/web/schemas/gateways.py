"""Gateways and their account."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from metering.gateway import Condition, condition
from metering.ports import GatewayRow, Outcome

__all__ = ["GatewayOut", "GatewaysOut"]


class GatewayOut(BaseModel):
    """One gateway: received = stored + duplicate + held + foreign + quarantined."""

    name: str
    condition: Condition = Field(description="`online`, `offline`, `silent` or `unknown`, judged now")
    alive_at: datetime | None = Field(description="newest health message")
    online: bool | None = Field(description="as it last said; null if it never said")
    state_at: datetime | None
    last_heard: datetime | None
    received: int
    stored: int
    duplicate: int
    held: int
    foreign: int
    quarantined: int

    @classmethod
    def of(cls, row: GatewayRow, now: datetime) -> GatewayOut:
        """Say a gateway."""
        return cls(
            name=row.name,
            condition=condition(row, now),
            alive_at=row.alive_at,
            online=row.online,
            state_at=row.state_at,
            last_heard=row.last_heard,
            received=row.received,
            **{outcome.value: row.outcomes.get(outcome, 0) for outcome in Outcome},
        )


class GatewaysOut(BaseModel):
    """Every gateway that was ever heard, by name."""

    gateways: list[GatewayOut]
