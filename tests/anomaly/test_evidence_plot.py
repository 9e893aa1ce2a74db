"""The evidence of a finding as a picture: well-formed, small, in words, with units."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.leak import LeakDetector
from anomaly.plot import WORDS, evidence_plot
from anomaly.scan import scan
from anomaly.series import MeterFacts, Series
from anomaly.telling import moment
from anomaly.texts import LANGUAGES
from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier

ZONE = ZoneInfo("Europe/Bucharest")
START = 1_704_067_200
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def leaking(household):
    series = household.series(household.leaking(75, 40, 60 * 24, 6 * 24))
    found = scan([series], ZONE, detectors=(LeakDetector(),)).findings
    finding = next(one for one in found if one.at_tier(Tier.NOTIFY))
    return finding, series


def texts(svg):
    return [one.text for one in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_happened_when_in_which_units(leaking, language):
    said = texts(evidence_plot(*leaking, ZONE, language))
    words = WORDS[language]
    for word in ("flow", "index", "onset", "notify", "cleared"):
        assert words[word] in said
    assert "M leak.continuous" in said
    assert "2024-03-02" in said


def test_it_is_small_and_asks_for_nothing_else(leaking):
    svg = evidence_plot(*leaking, ZONE)
    assert len(svg) < 30_000
    for foreign in ("<script", "href", "<style", "@import"):
        assert foreign not in svg


def test_marks_differ_without_colour(leaking):
    root = ET.fromstring(evidence_plot(*leaking, ZONE))
    lines = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") in {"1.5", "2.5"}]
    marks = [path for path in lines if path.get("stroke") == "#000"]
    looks = {(path.get("stroke-dasharray"), path.get("stroke-width")) for path in marks}
    assert len(looks) == len(marks) >= 4


def test_what_was_not_heard_is_hatched(leaking):
    finding, series = leaking
    heard = (series.at < finding.stages[0].onset.timestamp()) | (
        series.at > finding.stages[0].onset.timestamp() + 40 * 3600
    )
    gap = Series.arrived(series.facts, series.at[heard], series.index[heard])
    assert evidence_plot(finding, gap, ZONE).count("url(#unheard)") > evidence_plot(
        finding, series, ZONE
    ).count("url(#unheard)")


def test_readings_off_the_line_are_circles(leaking):
    finding, series = leaking
    index = series.index.copy()
    index[int(np.searchsorted(series.at, finding.stages[0].onset.timestamp())) - 5] += 1e6
    svg = evidence_plot(finding, Series.arrived(series.facts, series.at, index), ZONE)
    assert svg.count("<circle") == 1


def test_names_are_written_as_they_are():
    stage = Stage(Tier.NOTIFY, "stopped.register", moment(START), moment(START))
    svg = evidence_plot(Finding('<M&"', (stage,)), Series.arrived(MeterFacts("M"), [], []), ZONE)
    assert '<M&" stopped.register' in texts(svg)


def test_a_language_without_words_is_refused(leaking):
    with pytest.raises(InvalidValue, match="there are en, pl, ro"):
        evidence_plot(*leaking, ZONE, "xx")


@given(
    st.lists(st.tuples(st.integers(1, 30 * 86_400), st.floats(-100, 2000)), max_size=40),
    st.integers(0, 40 * 86_400),
    st.integers(0, 400 * 86_400),
)
@settings(max_examples=100, deadline=None)
def test_any_finding_over_any_readings_is_well_formed(rows, raised, length):
    at = START + np.cumsum([step for step, _ in rows]) if rows else np.array([], np.int64)
    index = 1000 + np.cumsum([rise for _, rise in rows]) if rows else np.array([])
    stage = Stage(Tier.SUSPECT, "leak.continuous", moment(START + raised), moment(START))
    finding = Finding("M", (stage,), moment(START + raised + length))
    root = ET.fromstring(evidence_plot(finding, Series.arrived(MeterFacts("M"), at, index), ZONE))
    assert root.tag == f"{SVG}svg"
