"""CIM and Green Button documents against the parts of their schemas that we write, and read back exactly."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from billing_payloads import items, reads
from hypothesis import given, settings
from hypothesis import strategies as st
from xml_shapes import CIM, ESPI, faults

from billing_bridge.export.cim_form import NAMESPACE, READING_TYPE, CimForm
from billing_bridge.export.espi import Feed, Interval, Series, green_button
from billing_bridge.export.rows import read_of
from billing_bridge.quality import Cim, Espi

M, E = f"{{{NAMESPACE}}}", "{http://naesb.org/espi}"
WARSAW = ZoneInfo("Europe/Warsaw")
NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
MADE = reads(2, exchange=True)


def cim(made=MADE) -> ET.Element:
    return ET.fromstring(CimForm().render([read_of(one.payload) for one in items(made)]))


# --- the schemas themselves refuse what is wrong ---------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: one.append(one[0]), "reason has no place here"),
        (lambda one: one.remove(one.find(f"{M}ReadingType")), "ReadingType comes 0 times"),
        (lambda one: one.find(f"{M}value").__setattr__("text", "1,5"), "'1,5' has no place"),
        (lambda one: one.find(f"{M}reason").__setattr__("text", "because"), "'because' has no place"),
        (lambda one: one.find(f"{M}timeStamp").__setattr__("text", "2026-01-01"), "has no place"),
        (lambda one: one.find(f"{M}ReadingType").set("ref", "0.0.1"), "ref='0.0.1'"),
        (lambda one: one.find(f"{M}value").set("unit", "m3"), "attribute unit has no place"),
    ],
)
def test_a_spoilt_document_is_seen(spoil, told):
    root = cim()
    spoil(root.find(f"{M}MeterReading/{M}Readings"))
    assert told in "\n".join(faults(root, CIM, "MeterReadings"))


# --- IEC 61968-9 -----------------------------------------------------------------------------------


def test_meter_readings_are_as_the_profile_wants_them():
    assert faults(cim(), CIM, "MeterReadings") == []


@pytest.mark.parametrize("quality", Cim)
def test_every_quality_code_we_have_is_one_of_the_standard(quality):
    root = cim()
    for one in root.iter(f"{M}ReadingQualityType"):
        one.set("ref", quality.value)
    assert faults(root, CIM, "MeterReadings") == []


def test_what_was_billed_is_read_back_from_the_meter_readings():
    """Meter, service point, times, indices, qualities and the read's key, of every segment of every read."""
    found = [
        (
            one.findtext(f"{M}Meter/{M}mRID"),
            one.findtext(f"{M}UsagePoint/{M}mRID"),
            *(
                (
                    datetime.fromisoformat(end.findtext(f"{M}timeStamp")),
                    Decimal(end.findtext(f"{M}value")),
                    end.find(f".//{M}ReadingQualityType").get("ref"),
                )
                for end in one.findall(f"{M}Readings")
            ),
            one.findall(f".//{M}comment")[-1].text.split("; ")[1],
            {kind.get("ref") for kind in one.iter(f"{M}ReadingType")},
        )
        for one in cim()
    ]
    wanted = [
        (
            str(part.meter),
            read.subject.service_point,
            *((end.read_at or end.at, end.index, end.cim.value) for end in (part.opening, part.closing)),
            read.key,
            {READING_TYPE},
        )
        for read in MADE
        for part in read.segments
    ]
    assert len(found) == 8
    assert found == wanted


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_a_service_point_named_anything_stays_within_the_profile(name):
    first = MADE[0]
    root = cim([replace(first, subject=replace(first.subject, service_point=name))])
    assert faults(root, CIM, "MeterReadings") == []


# --- ESPI 4.0 --------------------------------------------------------------------------------------

volumes = st.decimals(Decimal(-99999), Decimal(99999), places=4)
series = st.builds(
    lambda title, found, quality, index: Series(
        title,
        [
            Interval(NOON + n * timedelta(hours=1), 0 if index else 3600, one, quality)
            for n, one in enumerate(found)
        ],
        0 if index else 3600,
        index,
    ),
    st.text(max_size=20),
    st.lists(volumes, max_size=6),
    st.sampled_from([None, *Espi]),
    st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(series, max_size=3),
    st.text(max_size=30),
    st.sampled_from(["Europe/Warsaw", "Europe/Bucharest", "UTC"]),
)
def test_any_feed_is_as_the_schema_wants_it_and_read_back_exactly(made, title, zone):
    root = ET.fromstring(green_button(Feed("wod:SP 1", title, ZoneInfo(zone), NOON, made)))
    assert faults(root, ESPI, "feed") == []
    powers = [int(one.text) for one in root.iter(f"{E}powerOfTenMultiplier")]
    found = [
        [
            (
                datetime.fromtimestamp(int(one.findtext(f"{E}timePeriod/{E}start")), UTC),
                int(one.findtext(f"{E}timePeriod/{E}duration")),
                Decimal(one.findtext(f"{E}value")).scaleb(power),
                one.findtext(f"{E}ReadingQuality/{E}quality"),
            )
            for one in block.iter(f"{E}IntervalReading")
        ]
        for block, power in zip(root.iter(f"{E}IntervalBlock"), powers, strict=True)
    ]
    assert found == [
        [
            (one.start, one.seconds, one.m3, None if one.quality is None else str(int(one.quality)))
            for one in each.intervals
        ]
        for each in made
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda root: root.remove(root[0]), "id comes 0 times"),
        (
            lambda root: root[4].remove(root[4].find("{http://www.w3.org/2005/Atom}link")),
            "link comes 0 times",
        ),
        (lambda root: root.find(f".//{E}value").__setattr__("text", "1.5"), "'1.5' has no place"),
        (lambda root: root.find(f".//{E}quality").__setattr__("text", "99"), "'99' has no place"),
        (
            lambda root: root.find(f".//{E}ReadingType").append(ET.Element(f"{E}commodity")),
            "has no place here",
        ),
    ],
)
def test_a_spoilt_feed_is_seen(spoil, told):
    one = Series("x", [Interval(NOON, 3600, Decimal(1), Espi.VALIDATED)], 3600)
    root = ET.fromstring(green_button(Feed("SP", "t", WARSAW, NOON, [one])))
    assert faults(root, ESPI, "feed") == []
    spoil(root)
    assert told in "\n".join(faults(root, ESPI, "feed"))
