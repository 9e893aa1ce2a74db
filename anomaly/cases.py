"""From scores to findings of unwanted flow: one judge for one meter."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from anomaly.bank import FROZEN_FROM
from anomaly.habits import Habits
from anomaly.levels import BURST_FROM_LPH, CHANNELS, EDGES, LEVEL_LPH, NOTIFY_AT, STEADY
from anomaly.local_time import DAY, HOUR
from anomaly.steadiness import steadiness, steady_flow, usual_flow
from anomaly.suspicion import Case, Sign, is_like, onset_of, opened
from anomaly.telling import moment
from metering.finding import Finding, Stage, Tier

__all__ = ["STAGES", "Judge"]

STAGES = {Tier.SUSPECT: 0.65, Tier.NOTIFY: 1.0, Tier.DISPATCH: 1.75}
"""Score over threshold at which a tier is reached."""
GIVEN_UP = 0.4
"""A case that was never told anybody ends when its scores are down here."""
AROUND = 1
"""Levels to either side that count as the same flow."""
CALM_HOURS = 24
"""Known hours without suspicion that close a finding."""
SAME_AGAIN = 30 * DAY
"""Within this time the same flow is the same finding come back."""
GROWN = 4
"""Levels a leak has risen when it counts as another one, ..."""
GROWN_FROM_LPH = 60.0
"""... if it is this large now: below, what is open says enough."""
CREW_COST = 500.0
WATER_COST = 0.80
"""Euro for a crew's way and for a cubic metre (BattLeDIM's scoring)."""
DOUBTED = 0.02
"""Share of findings with this much evidence that may still be wrong."""
HORIZON_H = 30 * 24
WORTH_A_CREW_LPH = DOUBTED * CREW_COST / (WATER_COST * HORIZON_H / 1000)
"""From this rate on the loss of 30 days outweighs the risk of sending a crew for nothing: 17 L/h."""
BURST_WINDOW = 0.05
"""Width of a steady burst, as a share: above it nobody's use shows."""
RUNNING_HOURS = 3
SHOWN_HOURS = 3
"""Hours a steady flow must show without much else."""
WAVERING_UNTIL = 1.2
"""Score over threshold from which a flow may waver."""
REMEMBERED = 4
"""Told findings a judge remembers: a drip is not new when the burst over it has ended."""

_LEVEL = np.array(CHANNELS)
_IS_STEADY = np.arange(len(CHANNELS)) < STEADY


class Judge:
    """Holds at most one open case and remembers the last one that was told."""

    def __init__(self, subject: str, habits: Habits) -> None:
        self._subject = subject
        self._habits = habits
        self._step_l = habits.step_l
        self._case: Case | None = None
        self._past: deque[Case] = deque(maxlen=REMEMBERED)
        self._ended: list[Case] = []

    def look(self, sign: Sign) -> bool:
        """Take in one tick; tell whether the next one is to be seen as well."""
        swells = self._habits.look(sign)
        return self._judge(sign) or swells

    def _judge(self, sign: Sign) -> bool:
        ratio = self._weighed(sign)
        channel = self._strongest(ratio, sign)
        top = float(ratio[channel])
        if self._case is None:
            if top < FROZEN_FROM:
                return False
            self._case = opened(sign, channel)
        elif (grown := self._grown(self._case, ratio, sign)) is not None:
            self._replace(self._case, grown, sign)
            channel, top = grown.channel, float(ratio[grown.channel])
        self._follow(self._case, channel, top, sign)
        self._raise(self._case, channel, top, sign)
        self._maybe_end(self._case, ratio, sign)
        return self._case is not None

    def findings(self) -> Iterator[Finding]:
        """Give every case that reached a tier, by its beginning."""
        cases = [*self._ended, *([self._case] if self._case else [])]
        return (self._finding(case) for case in cases if case.stages)

    def _weighed(self, sign: Sign) -> NDArray[np.float32]:
        """Give the scores, less where more evidence is asked for."""
        told = [past.cleared_at or sign.at for past in self._past]
        self._more = self._habits.more(sign.at, sign.ticks, told)
        return np.asarray(sign.ratio / self._more, np.float32)

    def _strongest(self, ratio: NDArray[np.float32], sign: Sign) -> int:
        """Give the strongest channel; a burst is one however little is asked of the small flows below it."""
        plain = int(sign.ratio.argmax())
        return plain if LEVEL_LPH[_LEVEL[plain]] * self._step_l >= BURST_FROM_LPH else int(ratio.argmax())

    def _grown(self, case: Case, ratio: NDArray[np.float32], sign: Sign) -> Case | None:
        """Give the much larger leak that began after the open one was told, if there is one worth telling."""
        if case.told_at is None:
            return None
        later = sign.at - sign.age.astype(np.int64) * HOUR > case.told_at
        much = LEVEL_LPH[_LEVEL] * self._step_l >= GROWN_FROM_LPH
        larger = np.where(later & much & (case.level + GROWN <= _LEVEL), ratio, 0)
        if larger.max() < STAGES[Tier.SUSPECT]:
            return None
        grown = opened(sign, int(larger.argmax()))
        enough = float(larger.max()) + self._steadiness(grown) / float(NOTIFY_AT[grown.channel])
        known = enough >= STAGES[Tier.NOTIFY] and not self._may_end_by_itself(grown, sign)
        return grown if known else None

    def _replace(self, case: Case, grown: Case, sign: Sign) -> None:
        case.grown_to = f"{LEVEL_LPH[grown.level] * self._step_l:.0f} L/h"
        self._end(case, sign.at)
        self._case = grown

    def _follow(self, case: Case, channel: int, top: float, sign: Sign) -> None:
        """Until it is told, a case is about its strongest channel."""
        if case.told_at is None and top > GIVEN_UP:
            case.channel = channel
            case.onset = min(case.onset, onset_of(sign, channel))
        if sign.flow is not None:
            case.flows.append(sign.flow)

    def _raise(self, case: Case, channel: int, top: float, sign: Sign) -> None:
        reached = case.stages[-1].tier.rank if case.stages else -1
        if reached == Tier.DISPATCH.rank or top < FROZEN_FROM:
            return
        steady = self._steadiness(case) / float(NOTIFY_AT[case.channel])
        top += steady / max(float(self._more[case.channel]), 1.0) if steady > 0 else steady
        for tier, needed in STAGES.items():
            if tier.rank <= reached or top < needed:
                continue
            if tier is Tier.DISPATCH and self._rate(case)[0] < WORTH_A_CREW_LPH:
                continue
            if tier is Tier.NOTIFY and self._returned(case, sign):
                return
            if tier is not Tier.SUSPECT and self._waits(case, sign):
                return
            case.stages.append(self._stage(tier, case, channel, sign))
            if tier is not Tier.SUSPECT:
                case.told_at = case.told_at or sign.at

    def _waits(self, case: Case, sign: Sign) -> bool:
        """Whether this is no time to tell: it stands, may end by itself, or wavers."""
        return self._stands(case) or self._may_end_by_itself(case, sign) or self._wavers(case, sign)

    def _wavers(self, case: Case, sign: Sign) -> bool:
        """Whether a steady flow hardly shows, or is none while not much else speaks for it."""
        if case.told_at is not None or case.channel >= STEADY or self._is_burst(case):
            return False
        low, high = self._band(case)
        if sum(low <= flow < high for flow in case.flows) < SHOWN_HOURS:
            return True
        return self._steadiness(case) < 0 and float(sign.ratio[case.channel]) < WAVERING_UNTIL

    def _stands(self, case: Case) -> bool:
        """Whether what should run without a pause stood in the last hours: then this is no time to tell."""
        low = self._band(case)[0]
        leak = case.channel < STEADY and not self._is_burst(case)
        return leak and any(flow < low for flow in list(case.flows)[-RUNNING_HOURS:])

    def _may_end_by_itself(self, case: Case, sign: Sign) -> bool:
        """Whether it has run no longer than is usual here for what ended by itself."""
        asked = self._habits.asked_s(case.channel, sign.at, self._rate(case)[0])
        return case.told_at is None and sign.at - case.onset < asked

    def _returned(self, case: Case, sign: Sign) -> bool:
        """Whether this is a told finding come back; then it is open again and the new case is it."""
        for past in reversed(self._past):
            if sign.at - (past.cleared_at or sign.at) <= SAME_AGAIN and is_like(case, past):
                past.cleared_at, past.calm = None, 0
                past.returns.append(sign.at)
                past.flows = case.flows
                self._ended.remove(past)
                self._past.remove(past)
                self._case = past
                return True
        return False

    def _maybe_end(self, case: Case, ratio: NDArray[np.float32], sign: Sign) -> None:
        if self._case is not case:
            return
        if not case.stages:
            if ratio.max() < GIVEN_UP:
                self._case = None
            return
        near = (np.abs(_LEVEL - case.level) <= AROUND) & ((case.channel < STEADY) == _IS_STEADY)
        if ratio[near].max(initial=0) >= FROZEN_FROM:
            case.calm = 0
        elif sign.flow is not None:
            case.calm += 1
        if case.calm >= CALM_HOURS:
            self._end(case, sign.at)

    def _end(self, case: Case, at: int) -> None:
        case.cleared_at = at
        self._ended.append(case)
        self._case = None
        if case.told_at is not None:
            self._past.append(case)

    def _steadiness(self, case: Case) -> float:
        """Evidence beyond the bank's; a burst need not be steady, but if it is, it is sooner known."""
        low, high = self._band(case)
        if self._is_burst(case):
            return max(steadiness(np.array(case.flows), low, high, self._step_l, BURST_WINDOW), 0.0)
        return steadiness(np.array(case.flows), low, high, self._step_l)

    def _is_burst(self, case: Case) -> bool:
        return bool(LEVEL_LPH[case.level] * self._step_l >= BURST_FROM_LPH)

    def _band(self, case: Case) -> tuple[float, float]:
        upper = EDGES[case.level + 2] if case.level + 2 < len(EDGES) else math.inf
        return float(EDGES[case.level]) * self._step_l, float(upper) * self._step_l

    def _rate(self, case: Case) -> tuple[float, float]:
        """Estimate the rate in L/h, from the flows in the band, and the share of hours it runs."""
        flows = np.array(case.flows)
        low, high = self._band(case)
        steady = case.channel < STEADY
        told = (steady_flow if steady else usual_flow)(flows, low, high, self._step_l)
        rate = told or float(LEVEL_LPH[case.level]) * self._step_l
        share = 1.0 if steady or not len(flows) else float(np.mean(flows >= low))
        return rate, share

    def _name(self, case: Case) -> str:
        if self._is_burst(case):
            return "burst.high_flow"
        return "leak.continuous" if case.channel < STEADY else "leak.intermittent"

    def _stage(self, tier: Tier, case: Case, channel: int, sign: Sign) -> Stage:
        rate, share = self._rate(case)
        hours = (sign.at - case.onset) / HOUR
        return Stage(
            tier=tier,
            name=self._name(case),
            raised_at=moment(sign.at),
            onset=moment(case.onset),
            rate_lph=round(rate, 1),
            loss_l=round(rate * share * hours, 1),
            evidence={
                "hours": round(hours, 1),
                "evidence_nats": round(float(sign.ratio[channel]) * float(NOTIFY_AT[channel]), 1),
                "asked_nats": round(float(NOTIFY_AT[channel]) * STAGES[tier], 1),
                "steadiness_nats": round(self._steadiness(case), 1),
                "band_lph": self._band(case),
                "share_of_hours": round(share, 2),
                "last_hours_lph": [round(flow, 1) for flow in list(case.flows)[-24:]],
                "loss_eur": round(rate * share * hours / 1000 * WATER_COST, 2),
            },
        )

    def _finding(self, case: Case) -> Finding:
        outcome: dict[str, object] = {}
        if case.returns:
            outcome["came_back"] = [moment(at).isoformat() for at in case.returns]
        if case.grown_to:
            outcome["grown_to"] = case.grown_to
        cleared = None if case.cleared_at is None else moment(case.cleared_at)
        return Finding(self._subject, tuple(case.stages), cleared, outcome)
