"""Districts for programs."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from metering.districts import DistrictHour, DistrictMeter
from service.web.district_views import DistrictView

__all__ = ["BorderOut", "DistrictOut", "DistrictPage", "HourOut", "HoursOut"]


class BorderOut(BaseModel):
    """A register at a district's border."""

    meter: str
    register_: str = Field(serialization_alias="register")
    direction: str = Field(description="`in` or `out`")
    valid_from: datetime
    valid_to: datetime | None

    @classmethod
    def of(cls, one: DistrictMeter) -> BorderOut:
        """Say one."""
        return cls(
            meter=str(one.meter),
            register_=one.register.key,
            direction="in" if one.sign > 0 else "out",
            valid_from=one.valid_from,
            valid_to=one.valid_to,
        )


class DistrictOut(BaseModel):
    """A district, as the last nightly scan left it."""

    name: str
    judged_at: str = Field(description="night it was judged; empty if it was not")
    lacking: str = Field(description="why it was not judged; empty if it was")
    inflow_lps: float | None = Field(description="usual inflow, customers' use taken off if `net`, L/s")
    minimum_detectable_lps: float | None = Field(description="smallest leak that shows in five nights, L/s")
    net: bool = Field(description="whether customers' use is taken off")
    known_share: float = Field(description="share of the last two months' hours in which their use is known")
    customers: int = Field(description="meters in it")
    open_findings: int
    borders: list[BorderOut]

    @classmethod
    def of(cls, view: DistrictView) -> DistrictOut:
        """Say a district."""
        state = view.state
        return cls(
            name=view.name,
            judged_at=state.at,
            lacking=state.lacking,
            inflow_lps=state.inflow_lps,
            minimum_detectable_lps=state.detectable_lps,
            net=state.net,
            known_share=state.known,
            customers=view.customers,
            open_findings=view.open_findings,
            borders=[BorderOut.of(one) for one in view.meters],
        )


class DistrictPage(BaseModel):
    """All districts, by name."""

    districts: list[DistrictOut]


class HourOut(BaseModel):
    """One hour of a district."""

    hour: datetime = Field(description="its beginning, UTC")
    inflow_l: float | None = Field(description="net inflow, litres; null where a border meter does not tell")
    use_l: float = Field(description="what the customers' meters that tell this hour counted, litres")
    known: int = Field(description="how many of them tell it")
    meters: int = Field(description="how many there are")

    @classmethod
    def of(cls, one: DistrictHour) -> HourOut:
        """Say an hour."""
        return cls(hour=one.hour, inflow_l=one.inflow_l, use_l=one.use_l, known=one.known, meters=one.meters)


class HoursOut(BaseModel):
    """Hours of a district, by time."""

    name: str
    hours: list[HourOut]
