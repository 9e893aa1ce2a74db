"""Telegrams: receptions, what each byte means, fields."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from decoders.trace import Span
from metering.ports import ArchivedTelegram, TelegramState
from metering.uplink import Reception
from service.web.explained import Explained
from service.web.schemas.numbers import Exact
from service.web.schemas.readings import ReadingOut

__all__ = ["FaultOut", "ReceptionOut", "SpanOut", "TelegramDetail", "TelegramOut", "TelegramPage"]


class ReceptionOut(BaseModel):
    """How one gateway heard it."""

    gateway: str
    heard_at: datetime
    received_at: datetime
    clock: str = Field(description="where `heard_at` comes from: `ntp`, `gps`, `rtc` or `none`")
    rssi_dbm: int | None
    mode: str | None
    history: bool = Field(description="sent later from a spool")

    @classmethod
    def of(cls, reception: Reception) -> ReceptionOut:
        """Say a reception."""
        return cls(
            gateway=reception.gateway,
            heard_at=reception.heard_at,
            received_at=reception.received_at,
            clock=reception.clock,
            rssi_dbm=reception.rssi_dbm,
            mode=reception.mode,
            history=reception.history,
        )


class TelegramOut(BaseModel):
    """A transmission in the archive."""

    id: int
    meter_id: str
    state: TelegramState
    reason: str = Field(description="why it is held; empty otherwise")
    heard_at: datetime
    hex: str = Field(description="frame from the L field on, without link-layer checksums")
    receptions: list[ReceptionOut]

    @classmethod
    def of(cls, telegram: ArchivedTelegram) -> TelegramOut:
        """Say a telegram."""
        return cls(
            id=telegram.id,
            meter_id=str(telegram.meter),
            state=telegram.state,
            reason=telegram.reason,
            heard_at=telegram.heard_at,
            hex=telegram.frame.hex(),
            receptions=[ReceptionOut.of(reception) for reception, _ in telegram.receptions],
        )


class TelegramPage(BaseModel):
    """A page of telegrams, newest first."""

    telegrams: list[TelegramOut]
    next_before: int | None = Field(
        description="ask again with `before` for older ones; null if there are none"
    )


class SpanOut(BaseModel):
    """What some bytes of the frame mean."""

    offset: int
    hex: str
    plain_hex: str | None = Field(description="the same bytes decrypted, where a key fits")
    layer: str
    meaning: str
    value: str
    understanding: str = Field(description="`full`, `partly` or `not`")
    fields: list[str] = Field(description="names of the fields read from these bytes")

    @classmethod
    def of(cls, span: Span) -> SpanOut:
        """Say a span."""
        return cls(
            offset=span.offset,
            hex=span.raw.hex(),
            plain_hex=None if span.plain is None else span.plain.hex(),
            layer=span.layer,
            meaning=span.meaning,
            value=span.value,
            understanding=span.understanding,
            fields=list(span.fields),
        )


class FaultOut(BaseModel):
    """Why it could not be read, or not wholly."""

    code: str
    message: str
    offset: int


class TelegramDetail(BaseModel):
    """One telegram, decoded again now with the key in store, if there is one."""

    telegram: TelegramOut
    spans: list[SpanOut]
    bytes: dict[str, int] = Field(description="bytes understood `full`, `partly` or `not`; sum = length")
    model: str | None = Field(description="the meter's model, if one is known")
    fields: dict[str, Exact | str | None] = Field(
        description="`total_m3`, `target_date`, ...: unit in the name"
    )
    error: FaultOut | None
    readings: list[ReadingOut] = Field(description="stored readings that came with it first")

    @classmethod
    def of(cls, telegram: ArchivedTelegram, found: Explained, readings: list[ReadingOut]) -> TelegramDetail:
        """Say all of one telegram."""
        error = found.error
        fault = FaultOut(code=error.code, message=error.message, offset=error.offset) if error else None
        return cls(
            telegram=TelegramOut.of(telegram),
            spans=[SpanOut.of(span) for span in found.spans],
            bytes={str(one): count for one, count in found.bytes.items()},
            model=found.model or None,
            fields=dict(found.fields),
            error=fault,
            readings=readings,
        )
