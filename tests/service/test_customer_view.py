"""Facts about what customers see: their own span, exact, the same by day however closely it was read."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from customer_house import CONTRACT, EXCHANGED, MOVED_IN, NEW, NOW, POINT, WARSAW, build, litres, local
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.billing_customers import Tenancy
from metering.clock import FixedClock
from metering.consumption import Kind, Step
from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier
from metering.meter import Installation, Meter, MeterId, ServicePoint
from metering.reading import Provenance, Quality, Reading, Register, Way
from metering.store import memory_store
from service.customers import view as views
from service.customers.asked import Compare, asked_for
from service.customers.view import Legal, View, view
from service.settings_model import Settings

UTILITY = Settings().billing.utility("Europe/Warsaw")
TODAY = date(2026, 4, 20)


@pytest.fixture(scope="module")
def house():
    store = memory_store(FixedClock(NOW))
    build(store)
    yield store
    store.close()


def seen(store, contract: str = CONTRACT, **asked: str) -> View:
    with store.reading() as tx:
        point = tx.registry.service_points([POINT])[POINT]
        tenancies = tx.customers.tenancies_of([contract])
        return view(tx, UTILITY, point, tenancies, asked_for(TODAY, **asked), zone=WARSAW, now=NOW)


def used(since: datetime, until: datetime) -> Decimal:
    """Reckon what was used from the law the house was built by."""
    hours = int((until - since).total_seconds()) // 3600
    return Decimal(sum(litres(since + timedelta(hours=hour)) for hour in range(hours))).scaleb(-3)


def test_a_day_is_what_was_used_in_it(house):
    month = seen(house, span="month", day="2026-01-10")
    assert len(month.volumes.intervals) == 31
    for one in month.volumes.intervals:
        assert one.kind is Kind.METERED
        assert one.volume == used(one.start, one.end)
    assert month.volumes.complete
    assert month.volumes.total_m3 == used(local(2026, 1, 1), local(2026, 2, 1))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2025-10-26", 25), ("2026-01-01", 24)])
def test_days_when_clocks_change_have_their_hours(house, day, hours):
    shown = seen(house, span="day", day=day)
    assert len(shown.volumes.intervals) == hours
    assert shown.volumes.total_m3 == used(shown.whole.since, shown.whole.until)
    month = seen(house, span="month", day=day)
    (same,) = [one for one in month.volumes.intervals if one.start == shown.whole.since]
    assert same.volume == shown.volumes.total_m3


def test_a_gap_is_one_stretch_whose_sum_is_known(house):
    shown = seen(house, span="month", day="2026-03-01")
    (gap,) = [one for one in shown.volumes.intervals if one.kind is Kind.GAP]
    assert (gap.start, gap.end) == (local(2026, 3, 12, 4), local(2026, 3, 14, 9))
    assert gap.volume == used(gap.start, gap.end)
    assert shown.volumes.complete


def test_the_sum_goes_on_over_an_exchange_that_has_its_protocol(house):
    shown = seen(house, span="year", day="2026-01-01")
    february = shown.volumes.intervals[1]
    assert february.start < EXCHANGED < february.end
    hour_before = used(EXCHANGED - timedelta(hours=1), EXCHANGED)
    assert (
        february.volume == used(local(2026, 2, 1), local(2026, 3, 1)) - hour_before
    )  # the old one stood by then
    assert [(one.kind, one.at) for one in shown.events] == [("exchange", EXCHANGED)]


def test_nothing_of_the_time_before_is_shown(house):
    shown = seen(house, span="month", day="2025-03-01")
    assert shown.volumes.stretch is not None
    assert shown.volumes.stretch.since == MOVED_IN
    assert min(one.start for one in shown.volumes.intervals) == MOVED_IN
    assert shown.volumes.total_m3 == used(MOVED_IN, local(2025, 4, 1))
    before = seen(house, span="month", day="2025-02-01")
    assert (before.volumes.stretch, before.volumes.intervals) == (None, ())
    left = seen(house, contract="U-103", span="month", day="2025-03-01")
    assert max(one.end for one in left.volumes.intervals) == MOVED_IN
    assert left.volumes.total_m3 == used(local(2025, 3, 1), MOVED_IN)
    assert [one.latest for one in left.dials] == [None]


def test_meters_tell_their_legalization_and_last_reading(house):
    old, new = seen(house).dials
    assert (old.legal, new.legal) == (Legal.UNKNOWN, Legal.SOON)
    assert new.latest is not None
    assert new.latest.measured_at == local(2026, 4, 20, 9)


def test_a_span_is_compared_with_the_one_before_or_of_last_year(house):
    shown = seen(house, span="month", day="2026-04-01", compare="last-year")
    assert shown.behind is not None
    assert shown.behind.total_m3 == used(local(2025, 4, 1), local(2025, 5, 1))
    assert asked_for(TODAY, span="year", day="2024-02-29", compare="last-year").behind == (
        date(2023, 1, 1), date(2024, 1, 1),
    )  # fmt: skip
    week = asked_for(TODAY, span="week", day="2026-04-20", compare="previous")
    assert week.behind == (date(2026, 4, 13), date(2026, 4, 20))
    assert week.compare is Compare.PREVIOUS


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"span": "decade"}, "span 'decade' is none of day, week, month, year"),
        ({"day": "2026-02-30"}, "'2026-02-30' is not a date"),
        ({"day": "0001-01-01"}, "not between 1990 and 2200"),
        ({"first": "2026-02-02", "last": "2026-02-01"}, "ends (2026-02-01) before it begins"),
        ({"first": "2026-01-01", "last": "2026-12-31", "step": "hour"}, "365 days by the hour are too many"),
        ({"step": "minute"}, "step 'minute' is none of"),
        ({"compare": "x"}, "compare 'x' is none of none, previous, last-year"),
    ],
)
def test_what_cannot_be_asked_is_refused(said, told):
    with pytest.raises(InvalidValue) as fault:
        asked_for(TODAY, **said)
    assert told in str(fault.value)


METER = MeterId("KAM", "00000001", "1b", "16")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    spacing=st.sampled_from([15, 60, 180]),
    zone=st.sampled_from(["Europe/Warsaw", "Europe/Bucharest", "UTC"]),
)
def test_days_from_readings_at_their_edges_are_days_from_all_readings(seed, spacing, zone):
    """A sixth of the readings gives the same volumes."""
    chance, where = random.Random(seed), ZoneInfo(zone)
    at, total, made = datetime(2026, 3, 20, tzinfo=UTC), 0, []
    source = Provenance(None, "roof", "m", "1")
    while at < datetime(2026, 4, 10, tzinfo=UTC):
        if chance.random() > 0.02:
            value = Decimal(total).scaleb(-3)
            made.append(
                Reading(METER, Register("volume"), value, "m3", at, at, Way.RADIO, Quality.RAW, source)
            )
        total += chance.randrange(spacing)
        at += timedelta(minutes=spacing)
        if chance.random() < 0.003:
            at += timedelta(hours=chance.randrange(60))
    store = memory_store(FixedClock(NOW))
    with store.writing() as tx:
        tx.registry.put_meters([Meter(METER)])
        tx.registry.put_service_points([ServicePoint("P")])
        tx.registry.put_installations([Installation(METER, "P", made[0].measured_at)])
        tx.readings.add(made)
        point, tenancy = ServicePoint("P"), Tenancy("U", "P", made[0].measured_at)
        utility = Settings().billing.utility(zone)
        asked = asked_for(TODAY, first="2026-03-22", last="2026-04-08", step="day")
        reckoning = views._Reckoning(tx, utility, point, [tenancy], where, NOW)
        whole = reckoning.stretch(asked.first, asked.last)
        few = reckoning.volumes(reckoning.place(whole, Step.DAY), whole, Step.DAY)
        all_ = reckoning.volumes(reckoning.place(whole, Step.HOUR), whole, Step.DAY)
    store.close()
    metered = {(one.start, one.end): one.volume for one in all_.intervals if one.kind is Kind.METERED}
    thin = {(one.start, one.end): one.volume for one in few.intervals if one.kind is Kind.METERED}
    assert thin == metered
    assert sum(one.volume for one in few.intervals) == sum(one.volume for one in all_.intervals)
    assert all(one.end <= after.start for one, after in pairwise(few.intervals))


def found(
    at: datetime, name: str = "leak.continuous", tier: Tier = Tier.NOTIFY, cleared: datetime | None = None
):
    return Finding(str(NEW), (Stage(tier, name, at, at - timedelta(hours=20), 8.0, 160.0),), cleared)


def test_a_customer_sees_what_was_found_of_their_water_and_nothing_of_others():
    store = memory_store(FixedClock(NOW))
    build(store)
    march = local(2026, 3, 20)
    with store.writing() as tx:
        tx.findings.keep(found(march, cleared=local(2026, 3, 25)), march, tenancy=CONTRACT)
        tx.findings.keep(found(local(2026, 3, 26), "clock.off"), march, tenancy=CONTRACT)
        tx.findings.keep(found(local(2026, 3, 27), "burst.high_flow", Tier.SUSPECT), march, tenancy=CONTRACT)
        tx.findings.keep(found(local(2026, 4, 2)), march, tenancy="U-105")
    shown = seen(store, span="year")
    assert [(one.kind, one.at, one.until) for one in shown.events] == [
        ("exchange", EXCHANGED, None),
        ("leak.continuous", march - timedelta(hours=20), local(2026, 3, 25)),
    ]
    store.close()
