"""Districts in the nightly scan: hours summed from border and customers' meters, then judged together.

::

    border meters, signed -> net inflow of each hour |
    customers' meters     -> their use of each hour  | kept -> minimum night flow less use, peers, bursts,
                                                              water balance

Hours are kept, so a night costs the readings of the last week only. Where most customers' hours are known,
their use is taken off before the night flow is judged; else the inflow is judged as it is, and the district's
page says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.district import District
from anomaly.district_cases import DetectionLimit
from anomaly.district_scan import DistrictResult, scan_districts
from anomaly.gate import gate
from anomaly.hour_volumes import hour_volumes
from anomaly.local_time import HOUR
from anomaly.series import Floats, Ints, MeterFacts
from anomaly.water_balance import customers_exceed
from metering.districts import DistrictHour, DistrictMeter, Member
from metering.finding import Finding
from metering.meter import MeterId
from metering.ports import Store, Transaction
from metering.reading import Register
from service.scanning_series import BORDER_Q3_M3H, CUBIC_METRES, INDEX, series_from

__all__ = ["DistrictState", "DistrictsJudged", "judge_districts", "keep_states", "read_districts", "state_of"]

HISTORY = timedelta(days=400)
"""Hours a district is judged from."""
LATE = timedelta(days=7)
"""Hours so old are summed up again every night: late telegrams count."""
TOGETHER = 500
"""Customers' meters read in one go."""
KNOWN = 0.7
"""Share of the customers' meters that must tell an hour; their use is scaled up to all."""
MOST_HOURS = 0.8
"""Share of the hours of the last two months that must be so, for use to be taken off."""
RECENT_H = 60 * 24
LITRES_PER_LPS_HOUR = 3600.0
MARK = "anomaly.district."

_AROUND = timedelta(hours=6)
"""Readings so much before and after are read as well: an hour's edge lies between two."""


@dataclass(frozen=True, slots=True)
class DistrictState:
    """What the last scan could say of a district besides findings.

    Attributes:
        at: night it was judged, ISO 8601; empty if it was not.
        detectable_lps: smallest leak that shows within five nights, L/s; ``None`` if not judged.
        inflow_lps: usual inflow, L/s.
        net: whether the customers' use was taken off.
        known: share of the hours of the last two months in which enough customers' meters told their use.
        lacking: why it was not judged; empty if it was.
    """

    at: str = ""
    detectable_lps: float | None = None
    inflow_lps: float | None = None
    net: bool = False
    known: float = 0.0
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class DistrictsJudged:
    """What judging districts came to.

    Attributes:
        findings: of all of them.
        first: when the hours of each begin, UTC seconds.
        until: when they end.
        states: what is to be remembered of each.
    """

    findings: Sequence[Finding]
    first: Mapping[str, float]
    until: Mapping[str, datetime]
    states: Mapping[str, DistrictState]


def judge_districts(
    store: Store,
    zone: ZoneInfo,
    now: datetime,
    holidays: frozenset[date],
    hold: Callable[[Transaction], None],
) -> DistrictsJudged:
    """Sum up what came since, and judge every district that has border meters."""
    with store.reading() as tx:
        borders = tx.districts.meters()
    for name, meters in borders.items():
        for hours in _new_hours(store, name, meters, now):
            with store.writing() as tx:
                hold(tx)
                tx.districts.put_hours(hours)
    with store.reading() as tx:
        read = [_flows(tx, name, now) for name in borders]
    judged = [one for one in read if len(one.inflow)]
    result = scan_districts([one.judged for one in judged], zone, holidays)
    exceeding = [
        finding
        for one in judged
        if one.use is not None
        for finding in customers_exceed(one.inflow, one.use, zone)
    ]
    return DistrictsJudged(
        [*result.findings, *exceeding],
        {one.inflow.dma: float(one.inflow.at[0]) for one in judged},
        {one.inflow.dma: datetime.fromtimestamp(int(one.inflow.at[-1]) + HOUR, UTC) for one in judged},
        dict(_states(read, result)),
    )


def read_districts(tx: Transaction, name: str, now: datetime) -> tuple[District, District | None]:
    """Give the net inflow of a district and, where enough is known, what its customers used; both in L/s."""
    flows = _flows(tx, name, now)
    return flows.inflow, flows.use


def state_of(tx: Transaction, name: str) -> DistrictState:
    """Give what the last scan said of a district."""
    said = tx.upkeep.mark(MARK + name)
    return DistrictState(**json.loads(said)) if said else DistrictState(lacking="not scanned yet")


def keep_states(tx: Transaction, states: Mapping[str, DistrictState]) -> None:
    """Remember what the pages show."""
    for name, state in states.items():
        tx.upkeep.set_mark(MARK + name, json.dumps(asdict(state)))


# --- hours ---------------------------------------------------------------------------------------


def _new_hours(
    store: Store, name: str, meters: Sequence[DistrictMeter], now: datetime
) -> Iterator[list[DistrictHour]]:
    """Sum up the hours since the last that are kept, and the week before them again."""
    with store.reading() as tx:
        newest, members = tx.districts.newest(name), tx.districts.members(name)
    begin = max(now - HISTORY, newest - LATE) if newest else now - HISTORY
    first = int(begin.timestamp()) // HOUR * HOUR
    hours = int(now.timestamp()) // HOUR - first // HOUR
    if hours <= 0:
        return
    with store.reading() as tx:
        inflow = np.zeros(hours)
        for one in meters:
            litres = _litres(tx, one.meter, one.register, (first, hours), BORDER_Q3_M3H)
            inflow += np.where(_within(one.valid_from, one.valid_to, first, hours), one.sign * litres, 0.0)
        counted = np.any([_within(one.valid_from, one.valid_to, first, hours) for one in meters], axis=0)
    inflow = np.where(counted, inflow, np.nan)
    use, known, all_ = np.zeros(hours), np.zeros(hours, np.int64), np.zeros(hours, np.int64)
    for place in range(0, len(members), TOGETHER):
        with store.reading() as tx:
            for member in members[place : place + TOGETHER]:
                _add(tx, member, (first, hours), (use, known, all_))
    there = np.isfinite(inflow) | (known > 0)
    yield [
        DistrictHour(
            name,
            datetime.fromtimestamp(first + HOUR * place, UTC),
            float(inflow[place]) if np.isfinite(inflow[place]) else None,
            float(use[place]),
            int(known[place]),
            int(all_[place]),
        )
        for place in np.flatnonzero(there).tolist()
    ]


def _add(tx: Transaction, member: Member, time: tuple[int, int], sums: tuple[Floats, Ints, Ints]) -> None:
    use, known, all_ = sums
    here = _within(member.valid_from, member.valid_to, *time)
    if not here.any():
        return
    litres = _litres(tx, member.meter, INDEX, time, None)
    told = here & np.isfinite(litres)
    use += np.where(told, litres, 0.0)
    known += told
    all_ += here


def _litres(
    tx: Transaction, meter: MeterId, register: Register, time: tuple[int, int], q3_m3h: float | None
) -> Floats:
    first, hours = time
    begin = datetime.fromtimestamp(first, UTC)
    until = begin + timedelta(hours=hours)
    found = tx.columns.of(meter, register, CUBIC_METRES, begin - _AROUND, until + _AROUND)
    return hour_volumes(gate(series_from(MeterFacts(str(meter), q3_m3h=q3_m3h), found)), first, hours)


def _within(
    valid_from: datetime, valid_to: datetime | None, first: int, hours: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    at = first + HOUR * np.arange(hours)
    end = np.inf if valid_to is None else valid_to.timestamp()
    return (at >= valid_from.timestamp()) & (at + HOUR <= end)


# --- judging -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Flows:
    """One district: net inflow, customers' use where enough is known, and the share of hours it is."""

    inflow: District
    use: District | None
    known: float

    @property
    def judged(self) -> District:
        return self.inflow if self.use is None else self.inflow.less(self.use)


def _flows(tx: Transaction, name: str, now: datetime) -> _Flows:
    hours = tx.districts.hours(name, now - HISTORY, now)
    at = np.array([int(one.hour.timestamp()) for one in hours], np.int64)
    inflow = np.array([np.nan if one.inflow_l is None else one.inflow_l for one in hours], np.float64)
    use = np.array([_scaled(one) for one in hours], np.float64)
    into = District.of(name, at, inflow / LITRES_PER_LPS_HOUR)
    used = District.of(name, at, use / LITRES_PER_LPS_HOUR)
    known = float(np.isfinite(use[-RECENT_H:]).mean()) if len(use) else 0.0
    return _Flows(into, used if known >= MOST_HOURS else None, known)


def _scaled(hour: DistrictHour) -> float:
    if not hour.meters or hour.known < KNOWN * hour.meters:
        return float("nan")
    return hour.use_l * hour.meters / hour.known


def _states(read: Sequence[_Flows], result: DistrictResult) -> Iterator[tuple[str, DistrictState]]:
    limits: dict[str, DetectionLimit] = {one.dma: one for one in result.limits}
    lacking = {one.meter: str(one.reason) for one in result.insufficiencies}
    for one in read:
        name, net, known = one.inflow.dma, one.use is not None, round(one.known, 3)
        limit = limits.get(name)
        if limit is None:
            why = lacking.get(name, "no_readings")
            yield name, DistrictState(net=net, known=known, lacking=why)
        else:
            figures = round(limit.leak_lps, 3), round(limit.inflow_lps, 3)
            yield name, DistrictState(limit.at.isoformat(), *figures, net=net, known=known)
