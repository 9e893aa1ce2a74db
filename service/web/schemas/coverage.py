"""Coverage, gaps, meters of others, signal over time."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from metering.upkeep import Gap, Signal, Stranger
from service.coverage import CoverageReport

__all__ = ["CoverageOut", "GapOut", "GapsOut", "SignalOut", "SignalsOut", "StrangerOut", "StrangersOut"]


class SuccessOut(BaseModel):
    """How many meters of a group were read within the window."""

    group: str = Field(description="route or district; empty = meters without one")
    meters: int
    read: int


class GatewayCoverageOut(BaseModel):
    """What a gateway contributes."""

    gateway: str
    meters: int = Field(description="registered meters it heard")
    read: int
    alone: int = Field(description="registered meters no other gateway heard")
    mean_rssi_dbm: int | None


class LonelyOut(BaseModel):
    """A meter only one gateway hears."""

    meter_id: str
    gateway: str
    mean_rssi_dbm: int | None


class SilentOut(BaseModel):
    """A meter unheard for longer than its rhythm allows."""

    meter_id: str
    last_heard: datetime | None
    interval_s: int | None = Field(description="how often it sends, as learnt; null if not known yet")


class CoverageOut(BaseModel):
    """Coverage within a window."""

    window_days: int
    target: float = Field(description="share that should be read")
    meters: int
    read: int
    routes: list[SuccessOut]
    districts: list[SuccessOut]
    gateways: list[GatewayCoverageOut]
    lonely: list[LonelyOut]
    silent: list[SilentOut]

    @classmethod
    def of(cls, report: CoverageReport) -> CoverageOut:
        """Say a report."""
        return cls(
            window_days=report.window.days,
            target=report.target,
            meters=report.whole.meters,
            read=report.whole.read,
            routes=[SuccessOut(group=one.group, meters=one.meters, read=one.read) for one in report.routes],
            districts=[
                SuccessOut(group=one.group, meters=one.meters, read=one.read) for one in report.districts
            ],
            gateways=[
                GatewayCoverageOut(
                    gateway=one.gateway,
                    meters=one.meters,
                    read=one.read,
                    alone=one.alone,
                    mean_rssi_dbm=one.mean_rssi_dbm,
                )
                for one in report.gateways
            ],
            lonely=[
                LonelyOut(meter_id=str(one.meter), gateway=one.gateway, mean_rssi_dbm=one.mean_rssi_dbm)
                for one in report.lonely
            ],
            silent=[
                SilentOut(
                    meter_id=str(one.meter),
                    last_heard=one.last_heard,
                    interval_s=None if one.interval is None else round(one.interval.total_seconds()),
                )
                for one in report.silent
            ],
        )


class GapOut(BaseModel):
    """Numbers of a gateway that never came."""

    gateway: str
    boot: str
    first: int
    last: int
    missing: int
    after: datetime | None = Field(description="when the telegram before the gap was heard")
    before: datetime | None = Field(description="when the telegram behind it was heard")

    @classmethod
    def of(cls, gap: Gap) -> GapOut:
        """Say a gap."""
        return cls(
            gateway=gap.gateway,
            boot=gap.boot,
            first=gap.first,
            last=gap.last,
            missing=gap.missing,
            after=gap.after,
            before=gap.before,
        )


class GapsOut(BaseModel):
    """Gaps, the newest first."""

    gaps: list[GapOut]


class StrangerOut(BaseModel):
    """A meter that is heard and not registered."""

    meter_id: str
    heard: int = Field(description="receptions counted")
    gateways: list[str]
    first_heard: datetime
    last_heard: datetime
    best_rssi_dbm: int | None
    kept: int = Field(description="telegrams in the archive, undecoded")

    @classmethod
    def of(cls, one: Stranger) -> StrangerOut:
        """Say a stranger."""
        return cls(
            meter_id=str(one.meter),
            heard=one.heard,
            gateways=list(one.gateways),
            first_heard=one.first_heard,
            last_heard=one.last_heard,
            best_rssi_dbm=one.best_rssi_dbm,
            kept=one.kept,
        )


class StrangersOut(BaseModel):
    """A page of strangers."""

    meters: list[StrangerOut]
    total: int


class SignalOut(BaseModel):
    """How one gateway heard the meter on one day (UTC)."""

    day: date
    gateway: str
    heard: int
    mean_rssi_dbm: int | None
    min_rssi_dbm: int | None
    max_rssi_dbm: int | None

    @classmethod
    def of(cls, one: Signal) -> SignalOut:
        """Say a day."""
        return cls(
            day=one.day.date(),
            gateway=one.gateway,
            heard=one.heard,
            mean_rssi_dbm=one.mean_rssi_dbm,
            min_rssi_dbm=one.min_rssi_dbm,
            max_rssi_dbm=one.max_rssi_dbm,
        )


class SignalsOut(BaseModel):
    """By day and gateway."""

    signals: list[SignalOut]
