"""What becomes of the rises of one district: cases open, grow, are told and close; and how much is asked.

A budget stands behind what is asked (:mod:`anomaly.district_asked`): a quiet district is listened to closely;
one whose inflow jumps every month is not allowed to cry every month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from anomaly.district import NIGHT, DistrictDays
from anomaly.district_asked import asked_score
from anomaly.district_level import DistrictLevel
from anomaly.district_peers import sensitivity
from anomaly.district_rise import Rise, Shape, flow_of, noise_of, rises
from anomaly.local_time import DAY
from metering.finding import Finding, Stage, Tier

__all__ = ["DetectionLimit", "DistrictWatch"]

FALLS_FROM = 3.1
"""Standard deviations from which a fall takes something off a rise that was told."""
SUSPECTED_FROM = 0.75
"""Share of what is asked from which a rise is kept as suspect."""
GIVEN_UP = 0.4
"""Share of what is asked below which a suspicion ends."""
SETTLED_AFTER = 25
"""Days after its beginning for which a further rise belongs to the same event."""
GROWN = 1.5
"""A further rise larger than this many times what was told is another event."""
RETURNED = 0.65
"""Two days that lie this share of the rise lower end it at once."""
REMAINING = 0.5
"""An event is over when less than this share of its rise is left."""
SAME_AGAIN_DAYS = 30
SAME_SIZE = 1.5
"""A rise so soon after an event is over, and not so many times as large, is the same event come back."""
FORGOTTEN = 14
"""Days up to which an event that is over is left out of what is learnt."""
BEFORE_DAYS = 14
"""Days before an event that say what it rose from."""
CREW_AFTER = 5
"""Days a told rise must last to be worth a crew."""
WATER_EUR_M3 = 0.8
CREW_EUR = 500.0
HORIZON_DAYS = 30
"""Cost of water and of a crew, and days a leak would run on unfound (BattLeDIM, scoring)."""
LEAST_NOISE = 0.006
"""Noise of a day is at least this share of the usual inflow."""
LEAST_NOISE_LPS = 1e-3
"""And at least this much, L/s, where nothing flows."""
NINE_IN_TEN = 1.28
"""Standard deviations that make a threshold passed nine times in ten."""
SHOWN_DAYS = 28


class DetectionLimit(NamedTuple):
    """The smallest leak that is told within five nights, nine times in ten.

    Attributes:
        dma: id of the district.
        at: the night it holds for, UTC.
        leak_lps: its flow, L/s.
        inflow_lps: usual inflow, L/s.
        asked: standard deviations asked.
    """

    dma: str
    at: datetime
    leak_lps: float
    inflow_lps: float
    asked: float


@dataclass(slots=True)
class _Case:
    began: int
    size: float
    before: float = 0.0
    stages: list[Stage] = field(default_factory=list)
    told_on: int | None = None
    ended_on: int | None = None
    largest: float = 0.0
    cleared_at: datetime | None = None
    returns: list[str] = field(default_factory=list)
    outcome: dict[str, object] = field(default_factory=dict)


class DistrictWatch:
    """One district, day by day in order."""

    def __init__(self, days: DistrictDays) -> None:
        self.days = days
        self.level = DistrictLevel(days)
        self._net = np.full(len(days.blocks), np.nan)
        self._share = np.full(len(days.blocks), np.nan)
        self._common = np.full(len(days.blocks), np.nan)
        self._case: _Case | None = None
        self._ended: list[_Case] = []
        self._scores = np.full(len(days.blocks), np.nan)
        self.limit: DetectionLimit | None = None
        """The detection limit of the last night judged."""

    def look(self, day: int, common: float) -> None:
        """Judge a day whose level is taken in; ``common`` is what moved the others, share of their inflow."""
        self._net[day] = self.level.values[day] - self._moved_with(day, common)
        noise = noise_of(self._net[:day], max(LEAST_NOISE * self._usual(day), LEAST_NOISE_LPS))
        if noise is None or not np.isfinite(self._net[day]):
            return
        tests = rises(self._net[: day + 1], noise)
        if not tests:
            return
        self._scores[day] = max(rise.score for rise in tests)
        self._state_limit(day, tests)
        if self._case and self._case.told_on is not None:
            self._follow(self._case, day, tests)
        else:
            self._suspect(day, tests)

    def findings(self) -> Iterator[Finding]:
        """Give every case that reached a tier, by its beginning."""
        cases = [*self._ended, *([self._case] if self._case else [])]
        for case in cases:
            if case.stages:
                yield Finding(self.days.dma, tuple(case.stages), case.cleared_at, case.outcome)

    @property
    def has_open_event(self) -> bool:
        """Whether a told event is open."""
        return self._case is not None and self._case.told_on is not None

    def asked(self, day: int) -> float:
        """Tell how many standard deviations a rise must score on this day to be told."""
        return asked_score(self._scores[:day])

    def _moved_with(self, day: int, common: float) -> float:
        """Give what moved this district because it moved all, L/s; 0 while nobody knows."""
        usual = self._usual(day)
        self._common[day] = common
        self._share[day] = self.level.values[day] / usual if usual > 0 else np.nan
        moved = sensitivity(self._share[:day], self._common[:day]) * common * usual
        return float(moved) if np.isfinite(moved) else 0.0

    def _suspect(self, day: int, tests: list[Rise]) -> None:
        """Nothing is told: look for a rise, and take a fall for the new state of things."""
        top, asked = max(tests, key=_score), self.asked(day)
        fall = min(tests, key=_score)
        if -fall.score > max(asked, top.score):
            self._take_off(day, fall.shape, fall.size)
        elif top.score >= asked:
            self._tell(day, top)
        elif top.score >= SUSPECTED_FROM * asked and self._case is None:
            self._case = _Case(day - top.shape.days + 1, top.size)
            self._stage(self._case, Tier.SUSPECT, day, top)
        elif self._case and top.score < GIVEN_UP * asked:
            self._end(self._case, day)

    def _tell(self, day: int, rise: Rise) -> None:
        if again := self._same_again(day, rise):
            self._open_again(again, day, rise)
            return
        began = day - rise.shape.days + 1
        case = self._case = self._case or _Case(began, rise.size)
        case.began, case.size, case.largest = began, rise.size, rise.size
        case.before = self._before(began)
        self._stage(case, Tier.NOTIFY, day, rise)
        case.told_on = day
        self._take_off(day, rise.shape, rise.size)

    def _same_again(self, day: int, rise: Rise) -> _Case | None:
        """Give the told case that ended lately and is no smaller, if there is one: this is it once more."""
        for case in reversed(self._ended):
            if case.told_on is None or case.ended_on is None or "grown_by_lps" in case.outcome:
                continue
            near = day - case.ended_on <= SAME_AGAIN_DAYS
            return case if near and rise.size <= SAME_SIZE * case.largest else None
        return None

    def _open_again(self, case: _Case, day: int, rise: Rise) -> None:
        self._ended.remove(case)
        began = day - rise.shape.days + 1
        case.cleared_at, case.ended_on, case.size = None, None, rise.size
        case.largest, case.before, case.began = max(case.largest, rise.size), self._before(began), began
        case.returns.append(_moment(int(self.days.known_at[day])).isoformat())
        case.outcome["came_back"] = case.returns
        self._case = case
        self._take_off(day, rise.shape, rise.size)

    def _follow(self, case: _Case, day: int, tests: list[Rise]) -> None:
        """A rise is told and taken off: it may grow, be followed by another, sink, or be over."""
        if (since := self._returned(case, day)) is not None:
            self._take_off(day, Shape(day - since + 1), -case.size)
            self._end(case, day)
            self._forget(case.began, since)
            return
        top, fall = max(tests, key=_score), min(tests, key=_score)
        asked = self.asked(day)
        if top.score >= max(asked, -fall.score):
            self._more(case, day, top)
        elif -fall.score >= FALLS_FROM:
            self._less(case, day, fall)
        if self._case is case and case.told_on is not None and day - case.told_on >= CREW_AFTER:
            self._maybe_send(case, day, tests)

    def _more(self, case: _Case, day: int, rise: Rise) -> None:
        if day - case.began > SETTLED_AFTER or rise.size > GROWN * case.size:
            case.outcome["grown_by_lps"] = round(rise.size, 3)
            self._end(case, day)
            self._tell(day, rise)
        else:
            case.size += rise.size
            case.largest = max(case.largest, case.size)
            self._take_off(day, rise.shape, rise.size)

    def _less(self, case: _Case, day: int, fall: Rise) -> None:
        case.size += fall.size
        self._take_off(day, fall.shape, fall.size)
        if case.size < REMAINING * case.largest:
            self._end(case, day)

    def _returned(self, case: _Case, day: int) -> int | None:
        """Give the first of the last two known days, if both lie back where the rise began."""
        known = np.flatnonzero(np.isfinite(self._net[: day + 1]))[-2:]
        back = len(known) == 2 and np.all(self._net[known] < case.before - RETURNED * case.size)
        return int(known[0]) if back and known[0] > case.began else None

    def _maybe_send(self, case: _Case, day: int, tests: list[Rise]) -> None:
        lost = case.size / 1000 * DAY * HORIZON_DAYS * WATER_EUR_M3
        if case.stages[-1].tier is not Tier.DISPATCH and lost > CREW_EUR:
            self._stage(case, Tier.DISPATCH, day, max(tests, key=_score))

    def _take_off(self, day: int, shape: Shape, size: float) -> None:
        since = max(0, day - shape.days + 1)
        flow = flow_of(shape, size)[-(day - since + 1) :]
        self.level.take_off(since, day, flow)
        self._net[since : day + 1] -= flow

    def _forget(self, since: int, until: int) -> None:
        """Days of a short event are not learnt from: how much to take off is known for none of them."""
        if until - since <= FORGOTTEN:
            self.level.forget(since, until)
            self._net[since:until] = np.nan

    def _before(self, began: int) -> float:
        """Level the days before a rise had, L/s."""
        before = self._net[max(0, began - BEFORE_DAYS) : began]
        known = before[np.isfinite(before)]
        return float(np.median(known)) if len(known) else 0.0

    def _end(self, case: _Case, day: int) -> None:
        case.cleared_at, case.ended_on = _moment(int(self.days.known_at[day])), day
        if case.told_on is not None:
            case.outcome["largest_rise_lps"] = round(case.largest, 3)
        self._ended.append(case)
        self._case = None

    def _usual(self, day: int) -> float:
        return max(self.level.usual_flow(day), 0.0)

    def _state_limit(self, day: int, tests: list[Rise]) -> None:
        gains = [rise.gain for rise in tests if not rise.shape.ramp and rise.shape.days <= 5]
        if gains:
            asked = self.asked(day)
            at, usual = _moment(int(self.days.known_at[day])), self._usual(day)
            self.limit = DetectionLimit(self.days.dma, at, (asked + NINE_IN_TEN) / max(gains), usual, asked)

    def _stage(self, case: _Case, tier: Tier, day: int, rise: Rise) -> None:
        onset = self._onset(case.began)
        raised = int(self.days.known_at[day])
        name = "district.growing_leak" if rise.shape.ramp and tier is not Tier.DISPATCH else "district.leak"
        flow = (
            flow_of(rise.shape, case.size)
            if case.told_on is None
            else np.full(day - case.began + 1, case.size)
        )
        case.stages.append(
            Stage(
                tier=tier,
                name=case.stages[-1].name if tier is Tier.DISPATCH else name,
                raised_at=_moment(raised),
                onset=_moment(onset),
                rate_lph=round(case.size * 3600, 1),
                loss_l=round(float(flow.sum()) * DAY, 1),
                evidence=self._evidence(case, day, rise),
            )
        )

    def _evidence(self, case: _Case, day: int, rise: Rise) -> dict[str, object]:
        usual = self._usual(day)
        nights = self.days.blocks[max(0, day - SHOWN_DAYS + 1) : day + 1, NIGHT]
        return {
            "rise_lps": round(case.size, 3),
            "rise_percent": round(100 * case.size / usual, 1) if usual else 0.0,
            "usual_inflow_lps": round(usual, 3),
            "score": round(rise.score, 2),
            "asked_score": round(self.asked(day), 2),
            "minimum_detectable_lps": round(self.limit.leak_lps, 3) if self.limit else None,
            "nights": rise.shape.days,
            "last_night_flows_lps": [round(float(flow), 3) if np.isfinite(flow) else None for flow in nights],
        }

    def _onset(self, began: int) -> int:
        """When the day a rise began on itself began."""
        before = self.days.known_at[:began]
        return int(before.max(initial=0)) or int(self.days.known_at[began]) - DAY


def _score(rise: Rise) -> float:
    return rise.score


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
