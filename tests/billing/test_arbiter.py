"""Which way of reading counts, and that a kept read opens as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.arbiter import Arbitration, State, arbitrate
from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.closing import close_periods, validated
from billing_bridge.estimate import Method, Settings
from billing_bridge.period import Calendar
from billing_bridge.read import Deduction, Edit, Ruling, Subject
from billing_bridge.record import kept, opened
from billing_bridge.validate import Policy
from metering.billing import ReadState
from metering.consumption import IndexPoint, Limits, Segment
from metering.errors import InvalidValue
from metering.meter import MeterId

END = datetime(2026, 8, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")


def point(days: float, value: str) -> IndexPoint:
    return IndexPoint(END + days * DAY, Decimal(value))


def state(days: float, value: str, how: How = How.CUSTOMER) -> State:
    return State(END + days * DAY, Decimal(value), how)


def decided(points, *states: State):
    return arbitrate(sorted(points), states, [END], How.METER, Arbitration())


def test_a_near_read_of_the_meter_counts_and_people_agree_with_it():
    found = decided([point(-1, "100"), point(0, "101")], state(-0.5, "100.4"))
    assert (found.ways, found.contradictions) == ({}, ())
    assert found.rulings[0].counts == "meter"
    assert "people say the same" in found.rulings[0].why
    assert found.rulings[0].others == ("customer 100.4 m3 at 2026-07-31T12:00:00+00:00",)


def test_a_contradiction_is_told_and_never_mixed_into_the_line():
    points = [point(-1, "100"), point(0, "101")]
    found = decided(points, state(-0.5, "140"))
    assert list(found.points) == points
    assert [str(one) for one in found.contradictions] == ["customer 140 m3 at 2026-07-31T12:00:00+00:00"]
    assert "somebody must look" in found.rulings[0].why


def test_without_a_near_read_a_reader_counts_before_a_customer():
    found = decided([point(-20, "90")], state(-0.5, "101"), state(-2, "100", How.READER))
    assert found.ways == {END - 2 * DAY: How.READER}
    assert found.rulings[0].counts == "reader"
    assert found.rulings[0].others == ("customer 101 m3 at 2026-07-31T12:00:00+00:00",)


def test_a_customer_far_from_the_end_does_not_count():
    found = decided([point(-20, "90")], state(-4, "99"))
    assert (found.ways, found.rulings) == ({}, ())


def test_over_a_roll_over_nobody_is_contradicted():
    assert decided([point(-1, "99999"), point(1, "2")], state(0, "99999.9")).contradictions == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-400, 100), st.integers(0, 10_000)), max_size=12),
    st.lists(st.tuples(st.integers(-400, 100), st.integers(0, 10_000), st.booleans()), max_size=5),
)
def test_the_meter_s_own_reads_are_never_left_out(reads, told):
    points = sorted({IndexPoint(END + hours * DAY / 24, Decimal(value)) for hours, value in reads})
    states = [
        State(END + hours * DAY / 24, Decimal(value), How.READER if visit else How.CUSTOMER)
        for hours, value, visit in told
    ]
    found = arbitrate(points, states, [END], How.METER, Arbitration())
    assert set(points) <= set(found.points)
    assert len(found.points) <= len(points) + 1
    assert list(found.points) == sorted(found.points)


def full_read():
    """A read with everything that can be on one."""
    zone = ZoneInfo("Europe/Warsaw")
    (period,) = Calendar(zone).periods(datetime(2026, 9, 2, tzinfo=UTC), datetime(2026, 9, 3, tzinfo=UTC))
    change = period.start + 10 * DAY
    limits = Limits.of_water_m3()
    before = [IndexPoint(period.start - n * DAY, Decimal(400 - n)) for n in range(60)]
    old = Segment(before, limits, period.start - 90 * DAY, change, closing=Decimal("410.25"))
    new = Segment([IndexPoint(change + DAY, Decimal("1.5"))], limits, change, opening=Decimal(0))
    law = Settings((Method.NORM,), norm_m3_per_day=Decimal("0.3"))
    found = close_periods(
        Subject("a:b", "SP/1 ą"), [Dial(OLD, old), Dial(NEW, new)], [period], Rounding(zone, estimates=law)
    )
    read = validated(found[0], Policy(), period.end.date())
    return replace(
        read,
        revision=3,
        replaces=2,
        deductions=(Deduction(NEW, Decimal("2.5"), accepted=False, reason="expired"),),
        rulings=(Ruling(period.end, "reader", "why", ("other",)),),
        edits=(Edit("accept", "A. Kos", "photo", period.end),),
    )


def test_a_kept_read_opens_as_it_was():
    read = full_read()
    row = kept(read, ReadState.HELD, contract="U1", now=END, by="test")
    again = opened(row)
    assert again == read
    assert again.payload() == read.payload()
    assert (row.key, row.volume_m3, row.actual) == (read.key, read.volume_m3, False)


def test_a_record_of_a_newer_release_is_refused():
    row = kept(full_read(), ReadState.HELD, contract=None, now=END, by="test")
    with pytest.raises(InvalidValue, match="written by a newer release"):
        opened(replace(row, record=row.record.replace(b'"v":1', b'"v":2')))


def test_the_payload_names_no_person():
    told = full_read().payload().decode()
    assert "A. Kos" not in told
    assert '"supersedes":"br:a%3Ab:SP%2F1%20%C4%85%2Fvolume:2026-09-01..2026-10-01:2"' in told
