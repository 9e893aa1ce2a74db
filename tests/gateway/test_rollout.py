"""A roll-out: some first, the others only when those are well; stopped by the first that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.gateway import Condition
from service.fleet_rollout import Pace, RolloutStopped, roll_out
from service.fleet_status import Drift, GatewayStatus

PACE = Pace(first=1, batch=2, take_s=60, well_s=20, look_s=1)


@dataclass
class Box:
    """One gateway as it behaves when it is told something.

    Attributes:
        takes: seconds until it takes what it was told; None = never.
        refuses: why it refuses, and goes on as before.
        unwell: seconds since the beginning at which it is away or in trouble.
    """

    online: bool = True
    takes: float | None = 3
    refuses: str = ""
    away: range = range(0)
    trouble: range = range(0)
    silent: bool = False
    told_at: float | None = None
    status: GatewayStatus = field(default_factory=lambda: GatewayStatus(name="", told=4, in_force=4))


class Fleet:
    """Gateways under a clock of their own."""

    def __init__(self, **boxes: Box) -> None:
        self.boxes = boxes
        self.now = 0.0
        self.told: list[str] = []
        for name, box in boxes.items():
            box.status = replace(box.status, name=name, drift=Drift.NOT_TOLD)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self) -> dict[str, GatewayStatus]:
        return {name: self._seen(box) for name, box in self.boxes.items()}

    def _seen(self, box: Box) -> GatewayStatus:
        now, since = box.status, self.now - (box.told_at or 0)
        there = box.online and int(self.now) not in box.away
        now = replace(now, condition=Condition.ONLINE if there else Condition.OFFLINE)
        if int(self.now) in box.trouble:
            now = replace(now, troubles={"stick": "/dev/ttyUSB0 is gone"})
        if box.told_at is None or not box.online or box.takes is None or since < box.takes:
            return now
        if box.refuses:
            return replace(now, drift=Drift.REFUSED, error=box.refuses)
        return replace(now, drift=None, in_force=now.told)

    def health_messages(self, name: str) -> int:
        return 0 if self.boxes[name].silent else int(self.now)

    def tell(self, name: str) -> int:
        box = self.boxes[name]
        self.told.append(name)
        box.told_at = self.now
        box.status = replace(box.status, told=box.status.told + 1, drift=Drift.WAITING)
        return box.status.told

    def roll_out(self, pace: Pace = PACE) -> list[str]:
        return list(roll_out(self, list(self.boxes), pace, clock=lambda: self.now, sleep=self.sleep))

    def stopped(self, pace: Pace = PACE) -> str:
        with pytest.raises(RolloutStopped) as told:
            self.roll_out(pace)
        return str(told.value)


def test_one_first_then_the_others_in_batches():
    fleet = Fleet(a=Box(), b=Box(), c=Box(), d=Box())
    lines = fleet.roll_out()
    stages = [line for line in lines if line.startswith("stage")]
    assert stages == ["stage 1 of 3: a", "stage 2 of 3: b, c", "stage 3 of 3: d"]
    assert lines[1:4] == ["a: told revision 5", "a: took it", "a: is well with it"]
    assert lines[-1] == "done: 4 gateways told"
    assert fleet.now >= 3 * (3 + PACE.well_s)


def test_the_first_are_such_as_are_there():
    fleet = Fleet(a=Box(online=False), b=Box(), c=Box())
    lines = fleet.roll_out()
    assert lines[0] == "stage 1 of 2: b"
    assert "a: is away; it takes it when it comes back" in lines


def test_nothing_is_told_if_nobody_is_there_to_try_it():
    fleet = Fleet(a=Box(online=False))
    assert fleet.stopped() == "none of a is online: nobody is there to try the settings first"
    assert fleet.told == []


STOPPERS: dict[str, tuple[Box, str]] = {
    "refusal": (Box(refuses="broker.prot: unknown"), "broker.prot: unknown"),
    "never takes it": (Box(takes=None), "it has not taken it in 60 s"),
    "goes away for good": (Box(away=range(5, 999)), "it went away with it"),
    "comes and goes": (
        Box(away=range(5, 999, 9)),
        "it was not well for 20 s without a break|it went away with it",
    ),
    "a receiver is lost": (Box(trouble=range(5, 999)), "new trouble with it: stick: /dev/ttyUSB0 is gone"),
    "says nothing": (Box(silent=True), "it has not said since how it is"),
}


@pytest.mark.parametrize(("box", "because"), STOPPERS.values(), ids=STOPPERS)
def test_a_gateway_that_is_not_well_stops_it_before_others_are_told(box: Box, because: str):
    fleet = Fleet(a=replace(box), b=Box(), c=Box())
    said = fleet.stopped()
    assert any(said.startswith(f"a, revision 5: {one}. Nobody else is told") for one in because.split("|"))
    assert fleet.told == ["a"]


def test_trouble_there_was_before_and_a_short_absence_stop_nothing():
    fleet = Fleet(a=Box(trouble=range(999)), b=Box(away=range(30, 35)))
    assert fleet.roll_out()[-1] == "done: 2 gateways told"


def test_broken_off_and_begun_again_it_tells_nobody_twice():
    fleet = Fleet(a=Box(), b=Box(), c=Box())
    lines = roll_out(fleet, list(fleet.boxes), PACE, clock=lambda: fleet.now, sleep=fleet.sleep)
    for line in lines:
        if line == "b: told revision 5":
            break
    again = fleet.roll_out()
    assert again[:2] == ["stage 1 of 2: b", "b: was told revision 5"]
    assert fleet.told == ["a", "b", "c"]
    assert fleet.roll_out() == ["all 3 gateways have the settings they should have"]


BOXES = st.builds(
    Box,
    online=st.booleans(),
    takes=st.sampled_from([0, 3, None]),
    refuses=st.sampled_from(["", "", "no"]),
    away=st.sampled_from([range(0), range(10, 40), range(4, 999)]),
)


@settings(max_examples=200, deadline=None)
@given(boxes=st.lists(BOXES, min_size=1, max_size=6), first=st.integers(1, 3), batch=st.integers(0, 3))
def test_nobody_is_told_before_the_stage_ahead_is_well_or_away(boxes: list[Box], first: int, batch: int):
    fleet = Fleet(**{f"g{number}": box for number, box in enumerate(boxes)})
    lines: list[str] = []
    run = roll_out(
        fleet, list(fleet.boxes), replace(PACE, first=first, batch=batch), clock=lambda: fleet.now,
        sleep=fleet.sleep,
    )  # fmt: skip
    stopped = consume(run, lines.append)
    open_: set[str] = set()
    for line in lines:
        name, _, what = line.partition(": ")
        if line.startswith("stage"):
            assert open_ == set(), "all of the stage ahead are done"
        elif what.startswith("told"):
            open_.add(name)
        elif what in {"is well with it", "is away; it takes it when it comes back"}:
            open_.discard(name)
    assert stopped or open_ == set()


def consume(lines, take: Callable[[str], None]) -> bool:
    """Run to the end; whether it was stopped."""
    try:
        for line in lines:
            take(line)
    except RolloutStopped:
        return True
    return False
