"""Facts about billing reads: the sum holds, exchanges, estimates, revisions, deductions."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.closing import close_periods, revise_periods, validated
from billing_bridge.estimate import POLAND, Method, Settings
from billing_bridge.period import Calendar, Cause, Cut
from billing_bridge.quality import Cim, Espi
from billing_bridge.read import BillingRead, Subject
from billing_bridge.taking import Booked, Unbillable, take_read
from billing_bridge.validate import Policy, SubMeter, Verdict
from metering.consumption import IndexPoint, Limits, Segment
from metering.meter import MeterId
from metering.reading import Register

WARSAW = ZoneInfo("Europe/Warsaw")
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")
HOUSE = Subject("wod", "SP 1/2")
WATER = Limits.of_water_m3(q3_m3h=Decimal("2.5"), digits=4)
NORM = Settings(projections=(Method.NORM,), norm_m3_per_day=Decimal("0.05"))


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=WARSAW).astimezone(UTC)


def dial(*reads: tuple[datetime, str], meter: MeterId = OLD, since: datetime | None = None, **more) -> Dial:
    points = [IndexPoint(at, Decimal(value)) for at, value in reads]
    ways = more.pop("ways", {})
    return Dial(meter, Segment(points, WATER, since or points[0].at, **more), ways)


def only(found: tuple[BillingRead | Unbillable, ...]) -> BillingRead:
    (one,) = found
    assert isinstance(one, BillingRead), one
    return one


# --- the sum holds -------------------------------------------------------------------------------


@st.composite
def houses(draw) -> tuple[list[Dial], list[Dial]]:
    """One to three meters one after another, with roll-overs and gaps; some reads come late."""
    seed = draw(st.randoms(use_true_random=False))
    at = local(2025, 1, 1) + timedelta(hours=draw(st.integers(0, 5000)))
    whole, early = [], []
    for number in range(draw(st.integers(1, 3))):
        meter = replace(OLD, serial=f"{number:08}")
        total = Decimal(draw(st.sampled_from([0, 4711, 9_990_000, 9_999_999]))).scaleb(-3)
        since, opening, points = at, total % 10_000, []
        for _ in range(draw(st.integers(6, 40))):
            hours = seed.choice([1, 12, 24, 24, 24, 24 * 9, 24 * 40])
            at += timedelta(hours=hours, minutes=seed.choice([0, 0, 7]))
            total += Decimal(seed.randrange(40 * hours + 1)).scaleb(-3)
            points.append(IndexPoint(at, total % 10_000))
        until = at + timedelta(hours=1)
        part = Segment(points, WATER, since, until, opening, total % 10_000)
        at = until
        whole.append(Dial(meter, part))
        known = [one for one in points if seed.random() < 0.8]
        early.append(Dial(meter, replace(part, points=known)))
        seed.shuffle(points)
    return whole, early


CALENDARS = st.builds(
    Calendar,
    st.sampled_from(["Europe/Warsaw", "Europe/Bucharest", "Asia/Kathmandu"]).map(ZoneInfo),
    st.sets(st.integers(1, 12), min_size=1).map(lambda months: tuple(sorted(months))),
    st.integers(1, 28),
)
STEPS = st.sampled_from([Decimal(1), Decimal("0.1"), Decimal("0.001")])


def passed(dials: list[Dial], step: Decimal) -> Decimal:
    """What the protocols say: floored closing minus floored opening, over roll-overs, per meter.

    Roll-overs are counted from the reads themselves, by their falls.
    """
    total = Decimal(0)
    for one in dials:
        part = one.segment
        values = [part.opening, *(read.value for read in sorted(part.points)), part.closing]
        falls = sum(later < earlier for earlier, later in pairwise(values))
        total += (part.closing // step - part.opening // step) * step + falls * 10_000
    return total


def reads_of(found: tuple[BillingRead | Unbillable, ...]) -> list[BillingRead]:
    """All were taken, but those of periods that end when the first meter came or begin when the last went."""
    assert {one.reason for one in found if isinstance(one, Unbillable)} <= {"no meter hung there"}
    return [one for one in found if isinstance(one, BillingRead)]


@settings(max_examples=100, deadline=None)
@given(houses(), CALENDARS, STEPS, st.lists(st.integers(0, 20_000), max_size=3), st.integers(0, 2**32))
def test_billed_volumes_add_up_to_the_difference_of_the_indices(house, calendar, step, cut_hours, seed):
    """For any calendar, zone, step, cuts, arrival order; with exchanges, roll-overs, gaps and late reads."""
    whole, early = house
    start, end = whole[0].segment.since, whole[-1].segment.until
    cuts = [Cut(start + timedelta(hours=hours), Cause.ON_DEMAND) for hours in cut_hours]
    periods = calendar.periods(start, end, cuts)
    rounding = Rounding(calendar.zone, step, estimates=NORM)
    expected = passed(whole, step)
    shuffled = list(periods)
    random.Random(seed).shuffle(shuffled)

    at_once = reads_of(close_periods(HOUSE, whole, shuffled, rounding))
    assert sum(one.gross_m3 for one in at_once) == expected
    assert all(one.gross_m3 >= 0 for one in at_once)
    assert all(one.period in periods for one in at_once)

    part = len(periods) // 2
    first = reads_of(close_periods(HOUSE, early, periods[:part], rounding))
    absorbed = [*first, *reads_of(close_periods(HOUSE, whole, periods[part:], rounding, first))]
    assert sum(one.gross_m3 for one in absorbed) == expected

    by_id = {one.period.id: one for one in first}
    by_id |= {one.period.id: one for one in revise_periods(whole, rounding, first)}
    rest = reads_of(close_periods(HOUSE, whole, periods[part:], rounding, by_id.values()))
    revised = [*by_id.values(), *rest]
    assert sum(one.gross_m3 for one in revised) == expected
    assert revise_periods(whole, rounding, revised) == ()


# --- by hand -------------------------------------------------------------------------------------

JANUARY, FEBRUARY, MARCH = Calendar(WARSAW).periods(local(2026, 1, 1), local(2026, 4, 1))
TO_THE_M3 = Rounding(WARSAW)


def test_the_index_is_floored_never_the_consumption():
    """100.9 to 105.2 is 5 on the dial, 105.2 to 109.1 is 4: nine, as 100 to 109."""
    house = dial((JANUARY.start, "100.9"), (JANUARY.end, "105.2"), (FEBRUARY.end, "109.1"))
    january, february = close_periods(HOUSE, [house], [JANUARY, FEBRUARY], TO_THE_M3)
    assert (january.volume_m3, february.volume_m3) == (5, 4)
    (part,) = february.segments
    assert (part.opening.index, part.closing.index) == (Decimal("105.2"), Decimal("109.1"))
    assert (part.opening.cim, part.opening.espi, part.opening.how) == (
        Cim.VALIDATED,
        Espi.VALIDATED,
        How.RADIO,
    )


def test_an_exchange_gives_two_segments_each_with_its_own_dial():
    """Old 100.4 to 123.7 (23), new 0.2 to 5.9 (5): 28."""
    moment = local(2026, 1, 15, 10)
    old = dial((JANUARY.start, "100.4"), until=moment, closing=Decimal("123.7"))
    new = dial((JANUARY.end, "5.9"), meter=NEW, since=moment, opening=Decimal("0.2"))
    read = only(close_periods(HOUSE, [new, old], [JANUARY], TO_THE_M3))
    assert [(one.meter, one.volume_m3) for one in read.segments] == [(OLD, 23), (NEW, 5)]
    assert read.volume_m3 == 28
    assert read.segments[0].closing.how is read.segments[1].opening.how is How.PROTOCOL
    told = {one.rule: one.verdict for one in validated(read, Policy(), date(2026, 1, 31)).outcomes}
    assert told["R7"] is Verdict.PASSED


def test_an_exchange_without_protocol_is_blocked():
    moment = local(2026, 1, 15, 10)
    old = dial((JANUARY.start, "100.4"), (moment - timedelta(hours=1), "123.7"), until=moment)
    new = dial((moment + timedelta(hours=1), "0.2"), (JANUARY.end, "5.9"), meter=NEW, since=moment)
    read = validated(
        only(close_periods(HOUSE, [new, old], [JANUARY], TO_THE_M3)), Policy(), date(2026, 1, 31)
    )
    assert read.blocked
    assert [one.rule for one in read.outcomes if one.blocks] == ["R7"]


def test_a_roll_over_goes_on_counting():
    """9 995.5 to 3.25: 8 on the dial."""
    house = dial((JANUARY.start, "9995.5"), (local(2026, 1, 20), "9999.9"), (JANUARY.end, "3.25"))
    read = only(close_periods(HOUSE, [house], [JANUARY], TO_THE_M3))
    assert read.volume_m3 == 8
    assert read.segments[0].closing.index == Decimal("3.25")


def test_a_missing_read_at_the_end_is_prorated_and_marked():
    """110 m3 ten days before, 130 m3 ten days after: 120 on the last day."""
    middle = JANUARY.end
    house = dial(
        (JANUARY.start, "100"), (middle - timedelta(days=10), "110"), (middle + timedelta(days=10), "130")
    )
    read = only(close_periods(HOUSE, [house], [JANUARY], TO_THE_M3))
    closing = read.segments[0].closing
    assert (read.volume_m3, closing.method, closing.how) == (20, Method.PRORATION, How.ESTIMATED)
    assert (closing.cim, closing.espi, read.actual) == (Cim.ESTIMATED, Espi.ESTIMATED_LINEAR, False)
    told = {one.rule: one.verdict for one in validated(read, Policy(), date(2026, 1, 31)).outcomes}
    assert (told["R16"], told["R13"]) == (Verdict.RAISED, Verdict.PASSED)


def silent() -> tuple[Dial, Dial]:
    """0.5 m3 a day from November to January, silent in February, at half the pace when it is heard again."""
    start = local(2025, 11, 1)
    days = (JANUARY.end - start).days
    reads = [(start + timedelta(days=n), str(Decimal("115.5") + n * Decimal("0.5"))) for n in range(days + 1)]
    late = (MARCH.end, str(Decimal(reads[-1][1]) + 15))
    return dial(*reads), dial(*reads, late)


LAW = Rounding(WARSAW, Decimal(1), estimates=Settings(POLAND))


def test_a_silent_meter_is_projected_by_law_and_the_next_read_absorbs_it():
    """161.5 at the end of January (rest 0.5), 28 days at 0.5: 175.5 projected, 14 m3. Then 176.5: 1 m3."""
    before, after = silent()
    february = only(close_periods(HOUSE, [before], [FEBRUARY], LAW))
    assert february.segments[0].opening.index == Decimal("161.5")
    assert (february.volume_m3, february.segments[0].closing.method) == (14, Method.THREE_MONTHS_BEFORE)
    march = only(close_periods(HOUSE, [after], [MARCH], LAW, [february]))
    assert (march.volume_m3, march.segments[0].opening.how) == (1, How.PROJECTED)


def test_or_a_revision_supersedes_what_was_projected():
    """15 m3 over 58 days 23 hours, 28 days of it in February: 7.123 m3, 161.5 to 168.623."""
    before, after = silent()
    february = only(close_periods(HOUSE, [before], [FEBRUARY], LAW))
    (revision,) = revise_periods([after], LAW, [february])
    assert (revision.revision, revision.supersedes) == (2, february.key)
    assert (revision.volume_m3, revision.segments[0].closing.index) == (7, Decimal("168.623"))
    march = only(close_periods(HOUSE, [after], [MARCH], LAW, [revision]))
    assert march.volume_m3 == 8
    assert revise_periods([after], LAW, [revision, march]) == ()


def test_more_projected_than_was_used_is_never_billed_without_a_person():
    before, after = silent()
    few = replace(
        after,
        segment=replace(after.segment, points=[*before.segment.points, IndexPoint(MARCH.end, Decimal(163))]),
    )
    february = only(close_periods(HOUSE, [before], [FEBRUARY], LAW))
    march = only(close_periods(HOUSE, [few], [MARCH], LAW, [february]))
    assert (march.gross_m3, march.volume_m3, march.blocked) == (-12, -12, True)


def test_without_a_method_a_silent_meter_is_not_billed():
    before, _after = silent()
    (found,) = close_periods(HOUSE, [before], [FEBRUARY], TO_THE_M3)
    assert isinstance(found, Unbillable)
    assert found.reason == f"{OLD}: no method has what it needs (none is set)"


def test_a_register_that_jumped_is_not_billed_over_the_jump():
    reads = [(JANUARY.start + timedelta(days=n), str(100 + n)) for n in range(10)]
    jumped = [(JANUARY.start + timedelta(days=n), str(5000 + n)) for n in range(10, 32)]
    (found,) = close_periods(HOUSE, [dial(*reads, *jumped)], [JANUARY], TO_THE_M3)
    assert isinstance(found, Unbillable)
    assert "jumped or was reset" in found.reason


def test_no_meter_no_bill():
    house = dial((MARCH.start, "1"))
    (found,) = close_periods(HOUSE, [house], [JANUARY], TO_THE_M3)
    assert found == Unbillable(HOUSE, JANUARY, "no meter hung there")


def test_a_customer_s_state_counts_and_is_told_as_such():
    entered = JANUARY.end - timedelta(hours=20)
    house = dial((JANUARY.start, "100"), (entered, "108"), ways={entered: How.WEB})
    read = only(close_periods(HOUSE, [house], [JANUARY], TO_THE_M3))
    closing = read.segments[0].closing
    assert (closing.how, closing.cim, closing.read_at) == (How.WEB, Cim.CUSTOMER_READ, entered)
    assert read.actual


def test_a_sub_meter_is_deducted_only_while_legalized():
    """12 m3 in the house, 5 m3 in the garden: 7 m3 of sewage; 12 m3 once the garden's mark has expired."""
    read = only(
        close_periods(HOUSE, [dial((JANUARY.start, "100"), (JANUARY.end, "112"))], [JANUARY], TO_THE_M3)
    )
    valid = read.deduct([SubMeter(NEW, Decimal(5), date(2026, 1, 31))], date(2026, 1, 31))
    late = read.deduct([SubMeter(NEW, Decimal(5), date(2026, 1, 30))], date(2026, 1, 31))
    unknown = read.deduct([SubMeter(NEW, Decimal(5), None)], date(2026, 1, 31))
    more = read.deduct([SubMeter(NEW, Decimal(15), date(2027, 1, 1))], date(2026, 1, 31))
    assert [one.volume_m3 for one in (valid, late, unknown, more)] == [7, 12, 12, 0]
    assert late.deductions[0].reason == "the legalization expired on 2026-01-30"


def test_the_key_is_the_same_after_any_restore_and_safe_between_colons():
    read = only(
        close_periods(HOUSE, [dial((JANUARY.start, "100"), (JANUARY.end, "112"))], [JANUARY], TO_THE_M3)
    )
    assert read.key == "br:wod:SP%201%2F2%2Fvolume:2026-01-01..2026-02-01:1"
    odd = replace(read, subject=Subject("a:b", "c:1", Register("volume", tariff=2)))
    assert odd.key == "br:a%3Ab:c%3A1%2Fvolume%2Ft2:2026-01-01..2026-02-01:1"


def test_the_payload_is_canonical_json_with_exact_numbers():
    house = dial((JANUARY.start, "100.0004"), (JANUARY.end, "112.75"))
    one, two = (only(close_periods(HOUSE, [house], [JANUARY], TO_THE_M3)) for _ in range(2))
    assert one.payload() == two.payload()
    assert one.digest() == two.digest()
    told = json.loads(one.payload())
    assert told["segments"][0]["opening"]["index_m3"] == "100.0004"
    assert (told["volume_m3"], told["supersedes"], told["revision"]) == ("12", None, 1)
    assert json.dumps(told, sort_keys=True, separators=(",", ":")).encode() == one.payload()


def test_a_late_read_before_a_roll_over_changes_no_later_volume():
    """What was booked counted from zero; a read found later shows that the dial had rolled over."""
    known = [(JANUARY.start, "2"), (JANUARY.end, "12"), (FEBRUARY.end, "25")]
    few = dial(*known[:2], since=local(2025, 12, 1))
    january = only(close_periods(HOUSE, [few], [JANUARY], TO_THE_M3))
    all_of_it = dial((local(2025, 12, 20), "9998"), *known, since=local(2025, 12, 1))
    assert take_read(HOUSE, [all_of_it], FEBRUARY, TO_THE_M3, Booked().after(january)).volume_m3 == 13


@pytest.mark.parametrize("hours", [-24, -1, 0, 1, 24])
def test_a_read_within_the_window_counts(hours):
    house = dial((JANUARY.start, "100"), (JANUARY.end + timedelta(hours=hours), "108"))
    read = only(close_periods(HOUSE, [house], [JANUARY], TO_THE_M3))
    assert (read.volume_m3, read.actual) == (8, True)
