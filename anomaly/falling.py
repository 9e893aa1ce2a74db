"""Falling readings: what made an index go down, or off its line, explained before anybody is accused.

Decided in this order::

    reading.reordered       an older reading with a newer time: soon after another, and over at once
    reading.decode_error    off the line and back on it: bits or digits, or another meter's index
    register.roll_over      from the last tenth of the register to its first
    register.unit_change    the same index times or divided by ten, a hundred, a thousand, ...
    register.replacement    another meter: said so, or a small index far below the old one
    register.jump           a rise no water can have made
    backflow.*              water came back (anomaly.backflow)
    tampering.suspected     none of these, and evidence: a flag, or a lasting drop amid daily use

A reading off the line is told once a day and meter; the others when the readings after them have confirmed
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anomaly.backflow import Backflow, backflow_findings
from anomaly.batch import Batch
from anomaly.episodes import Episode, episodes
from anomaly.gate import MICRO_L, DoubtKind, Gated
from anomaly.local_time import DAY
from anomaly.sufficiency import Reason
from anomaly.telling import moment, tell
from metering.finding import Finding, Tier

__all__ = ["Circumstances", "FallingDetector"]

WITHIN = 7 * DAY
"""A flag, an exchange or a second fall this near has to do with a fall."""
LASTING_L = 100.0
"""A single drop above this is not a check valve."""
IN_USE_LPD = 20.0
"""Litres a day from which a home is lived in."""
BEFORE = 30 * DAY
"""How far back falls and use count; after a change of units, how long all must be quiet."""
FRESH_L = 5_000.0
"""A new meter comes with an index below this: it was tested, not used."""
FAR_L = 10_000.0
OTHER_METER = 0.5
"""An index below this share of the old one is not the old meter turned back."""
SAME_DIGITS = 0.01
"""Share by which an index may have grown meanwhile and still be the same; a litre is lost by rounding."""
FEWEST_FOR_UNITS_L = 1_000.0
"""Below this an index looks like a tenth of anything."""
ALIKE_L = 200.0
"""Another meter's line within this at that moment is whose index was decoded."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of one meter besides its index; times are UTC seconds, rising.

    Attributes:
        flagged_at: when it reported tampering, a magnet or its removal.
        exchanged_at: when it was exchanged, or reported another serial.
        backward_at: when its backflow register rose.
    """

    flagged_at: tuple[int, ...] = ()
    exchanged_at: tuple[int, ...] = ()
    backward_at: tuple[int, ...] = ()


_UNKNOWN = Circumstances()


@dataclass(frozen=True, slots=True)
class FallingDetector:
    """Detector of everything in the table above.

    Attributes:
        circumstances: what else is known, by meter id.
    """

    circumstances: Mapping[str, Circumstances] = field(default_factory=dict)
    names: tuple[str, ...] = (
        "reading.reordered",
        "reading.decode_error",
        "register.roll_over",
        "register.unit_change",
        "register.replacement",
        "register.jump",
        "backflow.micro",
        "backflow.large",
        "backflow.reversed",
        "tampering.suspected",
    )
    blocked_by: frozenset[Reason] = frozenset({Reason.NO_READINGS, Reason.ONE_READING})

    def inspect(self, batch: Batch) -> Iterable[Finding]:
        """Explain every doubt of every meter."""
        for gated in batch.meters:
            if gated.doubts:
                known = self.circumstances.get(gated.facts.meter, _UNKNOWN)
                yield from _explained(gated, known, batch)


def _explained(gated: Gated, known: Circumstances, batch: Batch) -> Iterator[Finding]:
    backflows: list[Backflow] = []
    off_the_line: list[Episode] = []
    falls: list[Episode] = []
    blind_until = jumped_until = 0
    for episode in episodes(gated):
        finding = _on_another_line(episode, known)
        if finding is not None and finding.name == "register.unit_change":
            blind_until = episode.at + BEFORE
            yield finding
        elif episode.at < blind_until:
            blind_until = episode.at + BEFORE  # in larger units than before every use is a jump
        elif episode.kind is DoubtKind.MICRO_FALL or episode.ran_back:
            backflows.append(Backflow(episode.at, episode.known_at, episode.fall_l))
        elif episode.returned or episode.undone:
            off_the_line.append(episode)
        elif finding is not None:
            if finding.name != "register.jump" or episode.at > jumped_until:
                yield finding
            jumped_until = episode.at + BEFORE
        elif episode.fall_l > 0:
            falls.append(episode)
    yield from _off_the_line(off_the_line, batch)
    yield from _hand_or_water(gated, falls, backflows, known)


def _hand_or_water(
    gated: Gated, falls: list[Episode], backflows: list[Backflow], known: Circumstances
) -> Iterator[Finding]:
    large = [one.at for one in falls] + [one.at for one in backflows if one.litres > MICRO_L]
    suspected: list[Finding] = []
    for fall in falls:
        finding = _tampering(gated, fall, large, known)
        if finding is None:
            backflows.append(_as_backflow(gated, fall, large, known))
        else:
            suspected.append(finding)
    yield from _latched(suspected)
    yield from backflow_findings(gated, [one for one in backflows if one.known_at >= 0])


def _latched(suspected: Sequence[Finding]) -> Iterator[Finding]:
    """Keep the first suspicion open until a person closes it; later ones are the same meter again."""
    if suspected:
        first, *again = sorted(suspected, key=lambda one: one.stages[0].raised_at)
        times = [one.stages[0].raised_at.isoformat() for one in again]
        yield replace(first, outcome={"came_back": times}) if again else first


# --- off the line and back -------------------------------------------------------------------------


def _off_the_line(found: Iterable[Episode], batch: Batch) -> Iterator[Finding]:
    """Tell the first of a day; what follows within a day of the last is part of it."""
    until: dict[str, int] = {}
    for episode in found:
        name = "reading.reordered" if episode.reordered else "reading.decode_error"
        if episode.at > until.get(name, -DAY):
            evidence = {**episode.evidence, "reads_like": _reads_like(episode, batch)}
            onset, over = episode.off_since, episode.known_at
            yield tell(episode.meter, Tier.SUSPECT, name, episode, evidence, onset=onset, cleared=over)
        until[name] = episode.at + DAY


def _reads_like(episode: Episode, batch: Batch) -> str | None:
    """Name another meter whose line runs through the wrong reading."""
    at, index = episode.at, episode.now_l
    for other in batch.meters:
        if other.facts.meter == episode.meter or not len(other) or not other.at[0] <= at <= other.at[-1]:
            continue
        if abs(float(np.interp(at, other.at, other.index)) - index) <= ALIKE_L:
            return other.facts.meter
    return None


# --- the register ------------------------------------------------------------------------------------


def _on_another_line(episode: Episode, known: Circumstances) -> Finding | None:
    """Tell what became of a register that goes on elsewhere; ``None`` if water or a hand may have done it."""
    if episode.kind not in {DoubtKind.ROLL_OVER, DoubtKind.JUMP, DoubtKind.FALL}:
        return None
    said = _near(known.exchanged_at, episode.at)
    if episode.kind is DoubtKind.ROLL_OVER:
        return _register(episode, Tier.SUSPECT, "register.roll_over")
    power = _power_of_ten(episode)
    if power and said is None:
        return _register(episode, Tier.NOTIFY, "register.unit_change", factor=f"10^{power}", power=power)
    if said is not None or _another_meter(episode):
        tier = Tier.NOTIFY if said is None else Tier.SUSPECT
        return _register(episode, tier, "register.replacement", said=said is not None)
    if episode.fall_l < 0:
        return _register(episode, Tier.NOTIFY, "register.jump")
    return None


def _register(episode: Episode, tier: Tier, name: str, **evidence: object) -> Finding:
    return tell(
        episode.meter, tier, name, episode, {**episode.evidence, **evidence}, cleared=episode.known_at
    )


def _power_of_ten(episode: Episode) -> int:
    """Give the power of ten between the old and the new index; 0 if they do not show the same digits."""
    before, now = episode.before_l, episode.now_l
    if min(before, now) < 1 or max(before, now) < FEWEST_FOR_UNITS_L:
        return 0
    power = round(float(np.log10(now / before)))
    same = before * 10.0**power
    return power if -1.0 <= now - same <= SAME_DIGITS * same else 0


def _another_meter(episode: Episode) -> bool:
    fall, now = episode.fall_l, episode.now_l
    fresh = now < FRESH_L and (fall > FAR_L or (now < 0.1 * episode.before_l and fall > FRESH_L / 5))
    return fresh or (fall > FAR_L and now < OTHER_METER * episode.before_l)


# --- water or a hand ---------------------------------------------------------------------------------


def _tampering(gated: Gated, fall: Episode, falls: list[int], known: Circumstances) -> Finding | None:
    """Suspect a hand only with evidence: a flag, or a lasting lone drop while water is used every day."""
    flag = _near(known.flagged_at, fall.at)
    if flag is not None:
        raised = max(fall.known_at, flag)
        return _suspected(fall, raised, flagged_at=moment(flag).isoformat())
    if fall.fall_l <= LASTING_L or _near(known.backward_at, fall.at) is not None:
        return None
    if any(other != fall.at and -BEFORE <= other - fall.at <= WITHIN for other in falls):
        return None
    settled = int(np.searchsorted(gated.at, fall.at + WITHIN))
    use = [_use_lpd(gated, fall.at - BEFORE, fall.at - 1), _use_lpd(gated, fall.at, fall.at + WITHIN)]
    if settled == len(gated) or min(use) < IN_USE_LPD:
        return None
    raised = int(gated.known_at[settled])
    return _suspected(fall, raised, use_before_lpd=round(use[0]), use_after_lpd=round(use[1]))


def _suspected(fall: Episode, raised: int, **evidence: object) -> Finding:
    evidence = {**fall.evidence, **evidence}
    return tell(fall.meter, Tier.NOTIFY, "tampering.suspected", fall, evidence, raised=raised)


def _as_backflow(gated: Gated, fall: Episode, falls: list[int], known: Circumstances) -> Backflow:
    """Take a fall for backflow: at once if it is small or said so, else once it is not a lone one.

    Not yet known which: ``known_at`` is -1.
    """
    if fall.fall_l <= LASTING_L or _near(known.backward_at, fall.at) is not None:
        return Backflow(fall.at, fall.known_at, fall.fall_l)
    other = min((at for at in falls if at != fall.at and -BEFORE <= at - fall.at <= WITHIN), default=None)
    settled = int(np.searchsorted(gated.at, fall.at + WITHIN if other is None else max(other, fall.at)))
    known_at = int(gated.known_at[settled]) if settled < len(gated) else -1
    return Backflow(fall.at, max(known_at, fall.known_at) if known_at >= 0 else -1, fall.fall_l)


def _use_lpd(gated: Gated, since: int, until: int) -> float:
    """Litres a day between two moments, from rises on the line; 0 if less than two days of it are known."""
    first, last = np.searchsorted(gated.at, [since, until])
    at, index = gated.at[first:last], gated.index[first:last]
    if len(at) < 2 or at[-1] - at[0] < 2 * DAY:
        return 0.0
    rises = np.diff(index)[~gated.broken[first + 1 : last]]
    return float(rises[rises > 0].sum()) * DAY / float(at[-1] - at[0])


def _near(moments: Iterable[int], at: int) -> int | None:
    return next((one for one in moments if abs(one - at) <= WITHIN), None)
