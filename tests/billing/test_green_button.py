"""Facts about Green Button files: what the schema wants, numbers exact, gaps left out, summer time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.export.espi import Feed, Interval, Series, green_button
from billing_bridge.quality import Espi
from metering.errors import InvalidValue

WARSAW, BUCHAREST = ZoneInfo("Europe/Warsaw"), ZoneInfo("Europe/Bucharest")
NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
ATOM, ESPI = "{http://www.w3.org/2005/Atom}", "{http://naesb.org/espi}"

# ESPI 4.0, the elements we write, in the order the schema demands them
ORDER = {
    "UsagePoint": ["ServiceCategory"],
    "ServiceCategory": ["kind"],
    "LocalTimeParameters": ["dstEndRule", "dstOffset", "dstStartRule", "tzOffset"],
    "MeterReading": [],
    "ReadingType": [
        "accumulationBehaviour", "commodity", "dataQualifier", "flowDirection", "intervalLength", "kind",
        "powerOfTenMultiplier", "uom", "measuringPeriod",
    ],
    "IntervalBlock": ["interval", "IntervalReading"],
    "interval": ["duration", "start"],
    "IntervalReading": ["ReadingQuality", "timePeriod", "value"],
    "ReadingQuality": ["quality"],
    "timePeriod": ["duration", "start"],
}  # fmt: skip


def feed(*series: Series, zone: ZoneInfo = WARSAW) -> ET.Element:
    made = green_button(Feed("wod:SP 1", "ul. Łąkowa <1>", zone, NOON, series))
    return ET.fromstring(made)


def hours(*litres: str, start: datetime = NOON, quality: Espi | None = None) -> Series:
    found = [
        Interval(start + timedelta(hours=hour), 3600, Decimal(value) / 1000, quality)
        for hour, value in enumerate(litres)
    ]
    return Series("hourly", found, 3600)


def values(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{ESPI}value")]


def check(element: ET.Element) -> None:
    """Every ESPI element holds only what the schema has there, in its order."""
    name = element.tag.removeprefix(ESPI)
    if name not in ORDER:
        assert len(element) == 0, name
        return
    order = [ORDER[name].index(child.tag.removeprefix(ESPI)) for child in element]
    assert order == sorted(order), name
    for child in element:
        check(child)


def test_a_feed_has_the_entries_and_order_the_schema_wants():
    root = feed(
        hours("12", "0", quality=Espi.VALIDATED),
        Series("index", [Interval(NOON, 0, Decimal("7.704"))], index=True),
    )
    contents = [entry.find(f"{ATOM}content")[0] for entry in root.findall(f"{ATOM}entry")]
    assert [one.tag.removeprefix(ESPI) for one in contents] == [
        "UsagePoint", "LocalTimeParameters",
        "MeterReading", "ReadingType", "IntervalBlock",
        "MeterReading", "ReadingType", "IntervalBlock",
    ]  # fmt: skip
    for one in contents:
        check(one)
    identities = [one.text for one in root.iter(f"{ATOM}id")]
    assert len(set(identities)) == len(identities) == 9
    assert all(
        entry.findtext(f"{ATOM}updated") == "2026-04-01T10:00:00Z" for entry in root.iter(f"{ATOM}entry")
    )


def test_water_in_litres_hour_by_hour():
    root = feed(hours("12", "0", "7", quality=Espi.ESTIMATED_LINEAR))
    kind = root.find(f".//{ESPI}ReadingType")
    assert {child.tag.removeprefix(ESPI): child.text for child in kind} == {
        "accumulationBehaviour": "4", "commodity": "9", "dataQualifier": "12", "flowDirection": "1",
        "intervalLength": "3600", "kind": "58", "powerOfTenMultiplier": "-3", "uom": "42",
        "measuringPeriod": "7",
    }  # fmt: skip
    assert values(root) == ["12", "0", "7"]
    assert root.findtext(f".//{ESPI}quality") == "9"
    assert root.findtext(f".//{ESPI}interval/{ESPI}duration") == "10800"
    assert root.findtext(f".//{ESPI}timePeriod/{ESPI}start") == str(int(NOON.timestamp()))
    assert root.findtext(f".//{ESPI}ServiceCategory/{ESPI}kind") == "2"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals(-100, 10_000, places=6), min_size=1, max_size=5))
def test_numbers_are_exact_to_the_millilitre(volumes):
    root = feed(Series("x", [Interval(NOON, 60, one) for one in volumes]))
    power = int(root.findtext(f".//{ESPI}powerOfTenMultiplier"))
    assert [Decimal(value).scaleb(power) for value in values(root)] == volumes


def test_what_does_not_fit_is_refused_instead_of_rounded():
    for volume in ("1e-10", "1e15"):
        with pytest.raises(InvalidValue, match="48 bits"):
            feed(Series("x", [Interval(NOON, 60, Decimal(volume))]))


@pytest.mark.parametrize(
    ("zone", "rules", "offsets"),
    [
        # last Sunday (operator 7, weekday 7) of March and October; Warsaw at 2 and 3, Bucharest at 3 and 4
        (WARSAW, ("3E0E2000", "AE0E3000"), ("3600", "3600")),
        (BUCHAREST, ("3E0E3000", "AE0E4000"), ("7200", "3600")),
        # second Sunday of March, first of November: the example of the standard
        (ZoneInfo("America/New_York"), ("360E2000", "B40E2000"), ("-18000", "3600")),
        (ZoneInfo("UTC"), ("00000000", "00000000"), ("0", "0")),
    ],
)
def test_summer_time_is_told_as_rules(zone, rules, offsets):
    root = feed(zone=zone)
    told = {name: root.findtext(f".//{ESPI}{name}") for name in ORDER["LocalTimeParameters"]}
    assert (told["dstStartRule"], told["dstEndRule"]) == rules
    assert (told["tzOffset"], told["dstOffset"]) == offsets


def test_the_same_data_are_the_same_file_and_gaps_are_left_out():
    one = Series(
        "x", [Interval(NOON, 3600, Decimal(1)), Interval(NOON + timedelta(hours=5), 3600, Decimal(2))]
    )
    assert ET.tostring(feed(one)) == ET.tostring(feed(one))
    assert len(values(feed(one))) == 2
    assert values(feed(Series("nothing", []))) == []
