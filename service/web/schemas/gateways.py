"""Gateways and their account."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from metering.gateway import Condition, condition
from metering.ports import GatewayRow, Outcome
from service.fleet_status import Drift, GatewayStatus

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

    profile: str | None = Field(description="as gateways.toml says; null if it stands in no file we know")
    board: str
    registered: bool | None = Field(description="whether it stands in gateways.toml; null without that file")
    meters: int | None = Field(description="registered meters it heard within the last three days")
    meters_read: int | None = Field(description="those of them with a valid reading within that time")
    read_share: float | None = Field(description="read success, 0 to 1; null without meters")
    firmware: str | None
    revision_told: int = Field(description="of the settings it was told last; 0 = none")
    revision_in_force: int = Field(description="of the settings it uses; 0 = as installed")
    drift: Drift | None = Field(description="`not told`, `waiting` or `refused`; null if there is none")
    drift_error: str | None = Field(description="why it refused the last order, in its words")
    queue: int | None = Field(description="entries waiting in its spool")
    queue_oldest_s: int | None
    per_minute: dict[str, float] | None = Field(description="telegrams `heard`, `forwarded`, `shed`")
    troubles: dict[str, str] = Field(description="what is wrong with receivers, by their names")

    @classmethod
    def of(cls, row: GatewayRow, status: GatewayStatus, now: datetime) -> GatewayOut:
        """Say a gateway."""
        return cls(
            name=row.name,
            condition=condition(row, now),
            alive_at=row.alive_at,
            online=row.online,
            state_at=row.state_at,
            last_heard=row.last_heard,
            received=row.received,
            profile=status.profile,
            board=status.board,
            registered=status.registered,
            meters=status.meters,
            meters_read=status.read,
            read_share=status.share,
            firmware=status.firmware,
            revision_told=status.told,
            revision_in_force=status.in_force,
            drift=status.drift,
            drift_error=status.error,
            queue=status.queue,
            queue_oldest_s=status.queue_oldest_s,
            per_minute=dict(status.per_minute) if status.per_minute else None,
            troubles=dict(status.troubles),
            **{outcome.value: row.outcomes.get(outcome, 0) for outcome in Outcome},
        )


class GatewaysOut(BaseModel):
    """Every gateway that is planned or was ever heard, by name."""

    gateways: list[GatewayOut]
