"""Stories of water meters and their bills; every number was worked out by hand first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing_bridge.boundary import Dial, How, Rounding
from billing_bridge.closing import close_periods, revise_periods, validated
from billing_bridge.estimate import POLAND, Method, Settings
from billing_bridge.outbox import Accepted, Answer, Relay, enter
from billing_bridge.period import EVERY_TWO_MONTHS, FOUR_MONTHS, Calendar, Cause, Cut
from billing_bridge.read import BillingRead, Subject
from billing_bridge.self_reading import Channel, Entered, Known, SelfReading
from billing_bridge.self_reading import enter as take_state
from billing_bridge.validate import Policy, Reference, ReferenceKind, SubMeter, Verdict
from billing_bridge.window import Window
from metering.clock import FixedClock
from metering.consumption import IndexPoint, Limits, Segment
from metering.meter import MeterId
from metering.outbox import OutboxItem
from metering.store import memory_store

WARSAW = ZoneInfo("Europe/Warsaw")
OLD = MeterId("KAM", "76348799", "1b", "16")
NEW = MeterId("KAM", "76348800", "1b", "16")
HOUSE = Subject("wod", "SP1")
WATER = Limits.of_water_m3(q3_m3h=Decimal("2.5"), digits=5)
WHOLE = Rounding(WARSAW, Decimal(1), estimates=Settings(POLAND))


def at(month: int, day: int = 1, hour: int = 0, year: int = 2026) -> datetime:
    """A local time in 2026, unless said otherwise."""
    return datetime(year, month, day, hour, tzinfo=WARSAW).astimezone(UTC)


def dial(
    *reads: tuple[datetime, str],
    meter: MeterId = OLD,
    since: datetime | None = None,
    until: datetime | None = None,
    opening: str | None = None,
    closing: str | None = None,
    ways: dict[datetime, How] | None = None,
) -> Dial:
    points = [IndexPoint(moment, Decimal(value)) for moment, value in reads]
    protocol = [None if one is None else Decimal(one) for one in (opening, closing)]
    return Dial(meter, Segment(points, WATER, since or points[0].at, until, *protocol), ways or {})


def bills(
    dials: list[Dial], calendar: Calendar, since: datetime, until: datetime, *cuts: Cut
) -> list[BillingRead]:
    found = close_periods(HOUSE, dials, calendar.periods(since, until, cuts), WHOLE)
    assert all(isinstance(one, BillingRead) for one in found), found
    return [one for one in found if isinstance(one, BillingRead)]


def volumes(reads: list[BillingRead]) -> list[int]:
    return [int(one.volume_m3) for one in reads]


def test_a_year_of_a_house():
    """Six bills of two months.

    Index on the first day of each period, and at the end of the year: 812.405, 833.112, 855.900, 880.001,
    913.750, 938.499, 960.000: black digits 812, 833, 855, 880, 913, 938, 960. Volumes 21, 22, 25, 33, 25,
    22: 148 = 960 - 812.
    """
    states = ["812.405", "833.112", "855.900", "880.001", "913.750", "938.499", "960.000"]
    days = [at(month) for month in EVERY_TWO_MONTHS] + [at(1, year=2027)]
    year = bills(
        [dial(*zip(days, states, strict=True))], Calendar(WARSAW, EVERY_TWO_MONTHS), at(1), at(1, year=2027)
    )
    assert volumes(year) == [21, 22, 25, 33, 25, 22]
    assert sum(volumes(year)) == 960 - 812
    assert all(one.actual for one in year)
    assert year[1].period.end - year[1].period.start == timedelta(days=61) - timedelta(hours=1)


def test_a_reader_three_times_a_year_and_a_customer_who_asks_in_between():
    """A four-month period, January to April, cut in two.

    On 10 March the customer enters 120 and wants the bill: 120 - 100 = 20. The reader finds 137 on 30 April,
    a day before the period ends: 17 more.
    """
    asked, visit = at(3, 10, 18), at(4, 30, 9)
    ways = {asked: How.WEB, visit: How.VISIT}
    house = dial((at(1), "100"), (asked, "120"), (visit, "137"), ways=ways)
    first, second = bills([house], Calendar(WARSAW, FOUR_MONTHS), at(1), at(5), Cut(asked, Cause.ON_DEMAND))
    assert (first.volume_m3, first.period.cause) == (20, Cause.ON_DEMAND)
    assert first.period.id == "2026-01-01..20260310T170000Z"
    assert (second.volume_m3, second.segments[0].opening.how, second.segments[0].closing.how) == (
        17,
        How.WEB,
        How.VISIT,
    )


def test_moving_house():
    """One tenant leaves and another comes on 17 June at 10:00, with 212.6 on the dial.

    June was 200.2 to 220.9: the old tenant pays 12 (200 to 212), the new one 8 (212 to 220).
    """
    out = at(6, 17, 10)
    house = dial((at(6), "200.2"), (out, "212.6"), (at(7), "220.9"), ways={out: How.VISIT})
    leaving, coming = bills([house], Calendar(WARSAW), at(6), at(7), Cut(out, Cause.FINAL))
    assert (leaving.volume_m3, leaving.period.cause) == (12, Cause.FINAL)
    assert coming.volume_m3 == 8


def test_a_meter_exchanged_in_mid_period():
    """Old 340.7 to 351.2 (11: 340 to 351), new 0.0 to 6.8 (6): 17. The next month 6.8 to 20.1: 14."""
    change = at(9, 14, 11)
    old = dial((at(9), "340.7"), until=change, closing="351.2")
    new = dial((at(10), "6.8"), (at(11), "20.1"), meter=NEW, since=change, opening="0")
    september, october = bills([old, new], Calendar(WARSAW), at(9), at(11))
    assert [(one.meter, one.volume_m3) for one in september.segments] == [(OLD, 11), (NEW, 6)]
    assert volumes([september, october]) == [17, 14]


def test_a_dial_that_rolls_over():
    """99 991.3 on 1 May, 99 999.9 on the 20th, 4.6 on 1 June: 99 991 to 100 004 is 13."""
    house = dial((at(5), "99991.3"), (at(5, 20), "99999.9"), (at(6), "4.6"), (at(7), "15.2"))
    may, june = bills([house], Calendar(WARSAW), at(5), at(7))
    assert volumes([may, june]) == [13, 11]
    assert june.segments[0].opening.index == Decimal("4.6")


def test_a_silent_radio_and_a_self_reading():
    """Silent since 1 July at 400.5.

    On 30 July the customer enters 409, after 409120 with the red digits was refused. July: 400 to 409 is 9,
    by the customer's state. The radio is back on 1 September with 421.9: August is 409 to 421, 12.
    """
    evening = at(7, 30, 20)
    known = Known(WARSAW, Decimal(400), at(7), usual_m3_per_day=Decimal("0.35"), digits=5)
    so_far = SelfReading()
    for text in ("409120", "409"):
        typed = Entered(text, evening, "customer 4711", Channel.WEB)
        so_far = take_state(so_far, typed, known, Window(25))
    assert so_far.entries[0].sentence("pl") == (
        "409120 m³ to tysiąc razy za dużo: wpisz tylko czarne cyfry, prawdopodobnie 409."
    )
    accepted = so_far.accept(at(8, 1, 8)).current
    assert accepted is not None
    house = dial((at(7), "400.5"), (evening, str(accepted.value)), (at(9), "421.9"), ways={evening: How.WEB})
    window = Rounding(WARSAW, Decimal(1), timedelta(days=3))
    july, august = close_periods(HOUSE, [house], Calendar(WARSAW).periods(at(7), at(9)), window)
    assert isinstance(july, BillingRead)
    assert isinstance(august, BillingRead)
    assert (july.volume_m3, july.segments[0].closing.how, july.actual) == (9, How.WEB, True)
    assert (august.volume_m3, august.segments[0].closing.how) == (12, How.RADIO)


class Books:
    """A billing system that books each key once and counts a revision instead of what it supersedes."""

    name = "cis"

    def __init__(self) -> None:
        self.keys: list[str] = []

    def send(self, item: OutboxItem) -> Answer:
        if item.key not in self.keys:
            self.keys.append(item.key)
        return Accepted(item.key, item.sha256)


def test_a_wrong_key_for_a_month_and_then_the_right_one():
    """100 on 1 March, 146 on 1 June; June cannot be decrypted at first.

    It is billed by the three months before: 46 m3 in 2,207 hours (clocks went forward), so 15.0068 m3 in the
    720 hours of June: 161.006, 15 m3. The key comes: 158.4 it was, a revision of 12 m3. July from there: 158
    to 174 is 16. Both revisions and July arrive once, in order.
    """
    days = [(at(3) + timedelta(days=n), str(100 + n * Decimal("0.5"))) for n in range(92)]
    spring = [*days, (at(6), "146")]
    late = [*spring, (at(6, 15), "152.1"), (at(7), "158.4"), (at(8), "174.0")]
    june, july = Calendar(WARSAW).periods(at(6), at(8))
    (projected,) = close_periods(HOUSE, [dial(*spring)], [june], WHOLE)
    assert isinstance(projected, BillingRead)
    closing = projected.segments[0].closing
    assert (projected.volume_m3, closing.index, closing.method) == (
        15,
        Decimal("161.006"),
        Method.THREE_MONTHS_BEFORE,
    )
    (revision,) = revise_periods([dial(*late)], WHOLE, [projected])
    assert (revision.volume_m3, revision.actual, revision.supersedes) == (12, True, projected.key)
    (following,) = close_periods(HOUSE, [dial(*late)], [july], WHOLE, [revision])
    assert isinstance(following, BillingRead)
    assert following.volume_m3 == 16

    clock, books = FixedClock(at(8, 2)), Books()
    store = memory_store(clock)
    for _twice in range(2):
        enter(store, [projected, revision, following], "cis", clock.now())
        relay = Relay(store=store, target=books, clock=clock, owner="w1", chance=lambda: 0)
        while relay.run_once():
            pass
    store.close()
    assert books.keys == [projected.key, revision.key, following.key]


def test_a_block_with_sub_meters():
    """Main meter 5000.0 to 5104.7: 104.

    Garden 12, legalized to the end of 2026; a flat 20 whose mark expired on 30 April: 92 m3 of sewage. All
    meters behind it together passed 115, more than 105 % of 104 (109.2): told.
    """
    block = dial((at(5), "5000.0"), (at(6), "5104.7"))
    (may,) = bills([block], Calendar(WARSAW), at(5), at(6))
    garden = SubMeter(NEW, Decimal(12), date(2026, 12, 31))
    flat = SubMeter(MeterId("KAM", "00000001", "1b", "16"), Decimal(20), date(2026, 4, 30))
    sewage = may.deduct([garden, flat], date(2026, 5, 31))
    assert (may.volume_m3, sewage.volume_m3, sewage.gross_m3) == (104, 92, 104)
    rest = SubMeter(MeterId("KAM", "00000002", "1b", "16"), Decimal(83), None)
    usual = Reference(ReferenceKind.SAME_PERIOD_LAST_YEAR, Decimal("3.3"))
    told = validated(
        sewage, Policy(), date(2026, 5, 31), subs=[garden, flat, rest], references=[usual]
    ).outcomes
    raised = {one.rule for one in told if one.verdict is Verdict.RAISED}
    assert raised == {"R17", "R18"}
