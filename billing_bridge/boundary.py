"""The index of one meter at a boundary, and how it is known.

::

    booked already > a read near the boundary > between two reads around it > what law lets project

Of reads within the window the last one at or before the boundary counts, as on the charts; else the first
one after it. For two boundaries of one meter the later one never gets a lower index than the earlier one,
as long as the meter's own line does not fall.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from billing_bridge.estimate import (
    Method,
    Missing,
    NoEstimate,
    Settings,
    project,
    prorated,
)
from billing_bridge.quality import Cim, Espi
from metering.consumption import SLACK, IndexPoint, Segment, joined
from metering.consumption.points import WIDE
from metering.meter import MeterId

__all__ = ["Boundary", "Dial", "How", "Rounding"]


class How(StrEnum):
    """How the index at a boundary is known."""

    RADIO = "radio"
    """The meter sent it by radio."""
    WIRED = "wired"
    """The meter sent it over a wire."""
    PULSE = "pulse"
    """Counted from the meter's pulses."""
    VISIT = "visit"
    """A reader of the utility came and read the dial."""
    WEB = "web"
    """The customer entered it on the web, and it was accepted; so the next three."""
    PHONE = "phone"
    EMAIL = "e-mail"
    PHOTO = "photo"
    METER = "meter"
    """On records of before: by radio, wire or pulses."""
    READER = "reader"
    """On records of before: a visit."""
    CUSTOMER = "customer"
    """On records of before: told by the customer, one way or another."""
    PROTOCOL = "protocol"
    """Written down when the meter was installed or removed."""
    EDITED = "edited"
    """Put by a named person, with a reason."""
    ESTIMATED = "estimated"
    """Between two real reads."""
    PROJECTED = "projected"
    """No later read is known."""

    @property
    def actual(self) -> bool:
        """Whether somebody or something read the dial."""
        return self not in {How.ESTIMATED, How.PROJECTED}

    @property
    def own(self) -> bool:
        """Whether the meter itself said it."""
        return self in _OWN

    @property
    def visit(self) -> bool:
        """Whether somebody of the utility went there."""
        return self in _VISITS

    @property
    def kind(self) -> How:
        """Who read it: the meter, a reader or the customer; what is none of them stays itself."""
        if self in _CUSTOMERS:
            return How.CUSTOMER
        return How.METER if self.own else How.READER if self.visit else self


_OWN = (How.RADIO, How.WIRED, How.PULSE, How.METER)
_VISITS = (How.VISIT, How.READER)
_CUSTOMERS = (How.WEB, How.PHONE, How.EMAIL, How.PHOTO, How.CUSTOMER)
_QUALITY = {
    **dict.fromkeys(_OWN, (Cim.VALIDATED, Espi.VALIDATED)),
    **dict.fromkeys(_VISITS, (Cim.MANUAL_READ, Espi.VALIDATED)),
    **dict.fromkeys(_CUSTOMERS, (Cim.CUSTOMER_READ, Espi.VALIDATED)),
    How.PROTOCOL: (Cim.MANUAL_READ, Espi.VALIDATED),
    How.EDITED: (Cim.EDITED, Espi.MANUALLY_EDITED),
    How.PROJECTED: (Cim.ESTIMATED, Espi.PROJECTED),
}


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a utility takes indices.

    Attributes:
        zone: the utility's.
        billing_m3: step to which indices are floored for the bill; consumption never is.
        window: how far from a boundary a read may be and still count for it.
        estimates: how what is missing is estimated.
    """

    zone: ZoneInfo
    billing_m3: Decimal = Decimal(1)
    window: timedelta = timedelta(days=1)
    estimates: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Boundary:
    """An index at an end of a period.

    Attributes:
        at: the boundary, UTC.
        total: index plus what the register counted before it rolled over, m3, exact.
        index: what the dial shows, m3, exact.
        how: how it is known.
        anchor: the real read it is, or that an estimate begins at.
        method: of an estimate.
        line: number of the meter's line it is on: totals of two lines cannot be subtracted.
    """

    at: datetime
    total: Decimal
    index: Decimal
    how: How
    anchor: IndexPoint
    method: Method | None = None
    line: int = 0

    @property
    def read_at(self) -> datetime | None:
        """When the read that counts was taken, UTC; ``None`` for estimates."""
        return self.anchor.at if self.how.actual else None

    @property
    def cim(self) -> Cim:
        """IEC 61968-9 code."""
        return self.method.cim if self.method else _QUALITY[self.how][0]

    @property
    def espi(self) -> Espi:
        """ESPI QualityOfReading."""
        return self.method.espi if self.method else _QUALITY[self.how][1]

    def billed(self, step: Decimal) -> Decimal:
        """Give the total floored to the billing step."""
        whole = int(WIDE.divide_int(self.total, step))
        return whole * step if whole * step <= self.total else (whole - 1) * step


@dataclass(frozen=True)
class Dial:
    """A meter at its service point, with what was read of it.

    Attributes:
        meter: which.
        segment: its reads, its time there, and the indices on the protocols.
        ways: how reads that did not come by radio came, by their time.
    """

    meter: MeterId
    segment: Segment
    ways: Mapping[datetime, How] = field(default_factory=dict)

    @cached_property
    def _reads(self) -> tuple[tuple[IndexPoint, int], ...]:
        """Settled reads by time, each with the number of its line."""
        lines = joined([self.segment]).lines
        return tuple((point, number) for number, line in enumerate(lines) for point in line)

    @cached_property
    def _times(self) -> list[datetime]:
        return [point.at for point, _line in self._reads]

    def boundary(self, at: datetime, rounding: Rounding) -> Boundary | NoEstimate:
        """Give the index at a moment from the reads around it."""
        after = bisect_right(self._times, at)
        near = self._near(at, after, rounding.window)
        if near is not None:
            return self._read(at, near)
        if not 0 < after < len(self._reads):
            return NoEstimate("there is no read on both sides")
        (before, line), (later, other) = self._reads[after - 1], self._reads[after]
        if line != other:
            return NoEstimate("the register jumped or was reset between the reads around it")
        found = prorated(before, later, at, rounding.estimates.resolution_m3)
        if isinstance(found, NoEstimate):
            return found
        index = self._wrapped(found.total - before.carry)
        return Boundary(at, found.total, index, How.ESTIMATED, before, found.method, line)

    def projected(self, opening: Boundary, at: datetime, rounding: Rounding) -> Boundary | NoEstimate:
        """Give the index at a moment after the last read, by what the utility may bill meanwhile.

        Args:
            opening: the boundary before it, on whose total the volume is put.
            at: UTC.
            rounding: the utility's.
        """
        if self._times and self._times[-1] > at:
            return NoEstimate("a later read is known")
        history = [point for point, line in self._reads if line == opening.line]
        volume = project(Missing(opening.at, at, history, rounding.zone), rounding.estimates)
        if isinstance(volume, NoEstimate):
            return volume
        total = opening.total + volume.volume_m3
        index = self._wrapped(opening.index + volume.volume_m3)
        return Boundary(at, total, index, How.PROJECTED, opening.anchor, volume.method, opening.line)

    def rebased(self, booked: Boundary) -> Boundary:
        """Give an index booked earlier as the totals of today count.

        Reads that came late may show a roll-over or a break before it: then everything after it counts from
        another beginning, while what the dial showed is the same.
        """
        anchor = booked.anchor
        same = ((one, line) for one, line in self._reads if (one.at, one.value) == (anchor.at, anchor.value))
        found = next(same, None)
        if found is None:
            return self._beside(booked)
        now, line = found
        return replace(booked, total=booked.total + now.carry - anchor.carry, anchor=now, line=line)

    def _beside(self, booked: Boundary) -> Boundary:
        """Give an index whose own read is not at hand as the reads beside it count."""
        if not self._reads:
            return booked
        before = bisect_right(self._times, booked.at) - 1
        point, line = self._reads[max(before, 0)]
        total = booked.index + point.carry
        wraps = self.segment.limits.wraps_at
        if wraps is not None and before >= 0 and 2 * (point.value - booked.index) > wraps:
            total += wraps
        if wraps is not None and before < 0 and 2 * (booked.index - point.value) > wraps:
            total -= wraps
        return replace(booked, total=total, line=line)

    @property
    def last_word(self) -> tuple[IndexPoint, int] | None:
        """The newest read that is believed, and the number of its line."""
        return self._reads[-1] if self._reads else None

    def latest_actual(self, until: datetime) -> datetime | None:
        """Give when the dial was last read, up to a moment."""
        number = bisect_right(self._times, until)
        return self._times[number - 1] if number else None

    def _near(self, at: datetime, after: int, window: timedelta) -> int | None:
        before = at - self._times[after - 1] if after else None
        late = self._times[after] - at if after < len(self._times) else None
        if late is not None and late <= SLACK and (before is None or late < before):
            return after
        if before is not None and before <= window:
            return after - 1
        return after if late is not None and late <= window else None

    def _read(self, at: datetime, number: int) -> Boundary:
        point, line = self._reads[number]
        how = How.PROTOCOL if point in self.segment.certain else self.ways.get(point.at, How.RADIO)
        return Boundary(at, point.total, point.value, how, point, line=line)

    def _wrapped(self, index: Decimal) -> Decimal:
        wraps = self.segment.limits.wraps_at
        return index if wraps is None else index % wraps
