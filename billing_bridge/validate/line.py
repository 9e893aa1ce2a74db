"""The states of one register judged one after another, as they arrived.

::

    accepted ──a state nothing speaks against──> accepted
       └──────a fall, or more than can pass────> doubted ──two more that go on from it──> accepted
                                                    └──a state that goes on from the accepted one──> forgotten

A wrong high state never makes the good ones after it look like a fall: each is compared with the last state
that nothing spoke against. Where three in a row agree with one another, the line goes on from them: the jump
was told three times, by then a person can see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from billing_bridge.validate.cases import Arrival
from billing_bridge.validate.outcome import Outcome, Verdict
from billing_bridge.validate.registry import validate_arrival
from billing_bridge.validate.rule import Policy
from metering.checks import Arrived
from metering.consumption import IndexPoint
from metering.meter import Installation, MeterId

__all__ = ["CORROBORATED", "Judged", "Line", "judge_states"]

CORROBORATED = 3
"""Doubted states in a row that agree with one another are believed."""

_OF_LEVEL = frozenset({"R5", "R8"})
"""What speaks against a state only by comparison with an earlier one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A meter and how far its states go.

    Attributes:
        meter: whose.
        installations: where it hangs and hung.
        digits: whole digits of its dial; ``None`` = not on record.
        q3_m3h: permanent flow rate; ``None`` = not on record.
        accepted: the last state nothing speaks against.
        doubted: the last one something speaks against since then.
        doubts: how many doubted ones in a row agree with one another.
    """

    meter: MeterId
    installations: Sequence[Installation]
    digits: int | None = None
    q3_m3h: Decimal | None = None
    accepted: IndexPoint | None = None
    doubted: IndexPoint | None = None
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A state and what was raised about it."""

    state: Arrived
    raised: tuple[Outcome, ...]


def judge_states(
    line: Line, states: Iterable[Arrived], policy: Policy, customer_class: str = ""
) -> tuple[Line, tuple[Judged, ...]]:
    """Judge states by time; gives the line behind them, and those something was raised about.

    Args:
        line: as it stood.
        states: by time; one that is older than the line's last one came late.
        policy: the utility's settings.
        customer_class: whose settings.
    """
    found: list[Judged] = []
    for state in states:
        outcomes = _asked(line, state, _earlier(line, state), policy, customer_class)
        if outcomes:
            found.append(Judged(state, outcomes))
        line = _after(line, state, outcomes, policy, customer_class)
    return line, tuple(found)


def _asked(
    line: Line, state: Arrived, earlier: IndexPoint | None, policy: Policy, customer_class: str
) -> tuple[Outcome, ...]:
    twin = state.before.value if state.before is not None and state.before.at == state.at else None
    case = Arrival(
        meter=line.meter,
        service_point=_place(line, state),
        at=state.at,
        value=state.value,
        unit=state.unit,
        now=state.received_at,
        earlier_at=earlier.at if earlier else None,
        earlier=earlier.value if earlier else None,
        same_moment=twin,
        installations=line.installations,
        digits=line.digits,
        q3_m3h=line.q3_m3h,
    )
    told = validate_arrival(case, policy, customer_class)
    return tuple(one for one in told if one.verdict is Verdict.RAISED)


def _earlier(line: Line, state: Arrived) -> IndexPoint | None:
    """Give the state to compare with: the last accepted one, for one that came late its neighbour in time."""
    if not state.believed:
        return None
    if line.accepted is not None and line.accepted.at < state.at:
        return line.accepted
    before = state.before
    doubted = before is not None and before == line.doubted
    return before if before is not None and before.at < state.at and not doubted else None


def _after(
    line: Line, state: Arrived, raised: Sequence[Outcome], policy: Policy, customer_class: str
) -> Line:
    """Give the line with one more state."""
    point = IndexPoint(state.at, state.value)
    failed = {one.rule for one in raised if one.blocks}
    if not state.believed or (line.accepted is not None and state.at <= line.accepted.at):
        return line
    if not failed:
        return replace(line, accepted=point, doubted=None, doubts=0)
    if failed - _OF_LEVEL:
        return line  # it says nothing of the level: another unit, another time, another meter
    agrees = line.doubted is not None and not any(
        one.blocks for one in _asked(line, state, line.doubted, policy, customer_class)
    )
    doubts = line.doubts + 1 if agrees else 1
    if doubts >= CORROBORATED:
        return replace(line, accepted=point, doubted=None, doubts=0)
    return replace(line, doubted=point, doubts=doubts)


def _place(line: Line, state: Arrived) -> str:
    """Give where the meter hung then, else where it hung last."""
    there = [one for one in line.installations if one.valid_from <= state.at]
    return (there or list(line.installations))[-1].service_point if line.installations else ""
