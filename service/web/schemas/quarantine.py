"""What could not be read."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from metering.ports import Quarantined

__all__ = ["QuarantineOut", "QuarantinePage"]


class QuarantineOut(BaseModel):
    """An item that could not be read, byte for byte."""

    id: int
    gateway: str
    topic: str
    reason: str = Field(description="stable code: `bad_crc`, `truncated`, `bad_json`, ...")
    sentence: str
    received_at: datetime
    size: int = Field(description="length of what came, bytes")
    payload_hex: str = Field(description="what came, cut at 64 KiB")

    @classmethod
    def of(cls, item: Quarantined) -> QuarantineOut:
        """Say a quarantined item."""
        return cls(
            id=item.id,
            gateway=item.gateway,
            topic=item.topic,
            reason=item.reason,
            sentence=item.sentence,
            received_at=item.received_at,
            size=item.size,
            payload_hex=item.payload.hex(),
        )


class QuarantinePage(BaseModel):
    """A page of quarantined items, newest first."""

    items: list[QuarantineOut]
    next_before: int | None = Field(
        description="ask again with `before` for older ones; null if there are none"
    )
