"""Facts of charts: what is drawn where, before it becomes SVG."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.consumption import IndexPoint, Step, intervals, start_of_day
from service.web.axes import NARROW, WIDE, time_ticks, value_ticks
from service.web.charts import consumption_charts, index_charts, marks_in
from service.web.history import MAIN_INDEX, History
from service.web.i18n import load
from service.web.periods import Period, Span
from service.web.queries import Window

WARSAW = ZoneInfo("Europe/Warsaw")
TEXTS = load()
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


def history(litres: list[int | None], step: Step = Step.HOUR) -> History:
    """Hourly indices from litres per hour; ``None`` = no reading at the end of that hour."""
    points = [IndexPoint(BEGIN, Decimal(100))]
    total = Decimal(100)
    for number, volume in enumerate(litres, start=1):
        total += Decimal(abs(volume or 5) if volume is None else volume).scaleb(-3)
        if volume is not None:
            points.append(IndexPoint(BEGIN + number * HOUR, total))
    window = Window(BEGIN, BEGIN + len(litres) * HOUR)
    return History(MAIN_INDEX, "m3", window, step, tuple(points), intervals(points, step, WARSAW))


def wide(charts):
    return next(chart for chart in charts if chart.plot.size is WIDE)


def test_each_chart_comes_for_wide_and_narrow_screens():
    charts = consumption_charts(history([10] * 24), WARSAW, TEXTS)
    assert [chart.plot.size for chart in charts] == [WIDE, NARROW]


def test_a_column_is_as_high_as_its_volume():
    chart = wide(consumption_charts(history([10, 20, 40]), WARSAW, TEXTS))
    heights = [box.height for box in chart.columns]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.05)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.05)
    assert {round(box.y + box.height, 1) for box in chart.columns} == {round(chart.zero, 1)}


def test_a_gap_is_hatched_and_has_no_column():
    found = history([10, 10, None, None, None, 10])
    chart = wide(consumption_charts(found, WARSAW, TEXTS))
    (gap,) = chart.hatched
    assert (gap.x, gap.x + gap.width) == pytest.approx(
        (chart.plot.x(BEGIN + 2 * HOUR), chart.plot.x(BEGIN + 6 * HOUR)), abs=0.02
    )
    assert "0.025 m³ in all" in gap.title
    assert len(chart.columns) == 2
    assert marks_in(found) == ("metered", "gap")


def test_zero_is_a_line_on_the_axis_and_not_a_gap():
    chart = wide(consumption_charts(history([10, 0, 10]), WARSAW, TEXTS))
    assert chart.hatched == ()
    assert chart.columns[1].height == 1.0


def test_a_fall_hangs_below_zero_in_its_own_look():
    found = history([10, -8, 10])
    chart = wide(consumption_charts(found, WARSAW, TEXTS))
    fall = chart.columns[1]
    assert (fall.look, fall.y) == ("falling", pytest.approx(chart.zero, abs=0.02))
    assert "index fell" in fall.title
    assert marks_in(found) == ("metered", "falling")


def test_a_deep_fall_is_cut_short_and_says_its_number():
    chart = wide(consumption_charts(history([10, -90_000, 10]), WARSAW, TEXTS))
    assert chart.columns[1].text == "\N{MINUS SIGN}90.000 m³"
    assert chart.columns[0].height > 50


def test_the_line_is_broken_where_readings_are_missing():
    chart = wide(index_charts(history([10, 10, None, None, None, 10]), WARSAW, TEXTS))
    assert chart.line.count("M") == 2


def test_a_single_reading_is_a_dot():
    found = History(
        MAIN_INDEX, "m3", Window(BEGIN, BEGIN + HOUR), Step.HOUR, (IndexPoint(BEGIN, Decimal(5)),), ()
    )
    assert wide(index_charts(found, WARSAW, TEXTS)).line.count("L") == 1


@given(st.lists(st.none() | st.integers(-50, 500), min_size=2, max_size=60), st.sampled_from(Step))
@settings(max_examples=100, deadline=None)
def test_everything_is_drawn_inside_the_plot(litres, step):
    found = history(litres, step)
    for chart in (*consumption_charts(found, WARSAW, TEXTS), *index_charts(found, WARSAW, TEXTS)):
        size = chart.plot.size
        for box in (*chart.columns, *chart.hatched):
            assert size.left - 0.5 <= box.x
            assert box.x + box.width <= chart.plot.right + 0.5
            assert size.top - 1.5 <= box.y
            assert box.y + box.height <= chart.plot.bottom + 1.5


@given(st.lists(st.integers(0, 500), min_size=2, max_size=60))
@settings(max_examples=50, deadline=None)
def test_columns_do_not_overlap(litres):
    chart = wide(consumption_charts(history(litres), WARSAW, TEXTS))
    for box, following in itertools.pairwise(chart.columns):
        assert box.x + box.width <= following.x + 0.02


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
@settings(max_examples=200, deadline=None)
def test_the_value_axis_embraces_its_values_with_few_round_ticks(low, spread):
    ticks = value_ticks(low, low + spread)
    tolerance = spread * 1e-3 + abs(low) * 1e-9
    assert ticks[0][0] <= low + tolerance
    assert ticks[-1][0] >= low + spread - tolerance
    assert 2 <= len(ticks) <= 8


def test_values_on_the_axis_are_told_with_the_digits_they_need():
    assert [text for _, text in value_ticks(0, 0.4)] == ["0.0", "0.1", "0.2", "0.3", "0.4"]
    assert [text for _, text in value_ticks(0, 40)] == ["0", "10", "20", "30", "40"]


@pytest.mark.parametrize(
    ("span", "day", "first", "count"),
    [
        (Span.DAY, datetime(2026, 3, 29, tzinfo=UTC), "00:00", 8),
        (Span.WEEK, datetime(2026, 3, 29, tzinfo=UTC), "Mon 23", 7),
        (Span.MONTH, datetime(2026, 3, 29, tzinfo=UTC), "1", 31),
        (Span.YEAR, datetime(2026, 3, 29, tzinfo=UTC), "Jan", 12),
    ],
)
def test_the_time_axis_is_labelled_by_what_the_period_is_made_of(span, day, first, count):
    window = Period.around(span, day.date()).window(WARSAW)
    ticks = time_ticks(window.since, window.until, WARSAW, TEXTS, WIDE.ticks)
    assert (ticks[0].text, len(ticks)) == (first, count)


def test_a_year_of_hours_is_drawn_by_days():
    begin = start_of_day(datetime(2025, 1, 1, tzinfo=UTC).date(), WARSAW)
    points = tuple(IndexPoint(begin + n * HOUR, Decimal(n * 11).scaleb(-3)) for n in range(8761))
    window = Window(points[0].at, points[-1].at)
    found = History(MAIN_INDEX, "m3", window, Step.DAY, points, intervals(points, Step.DAY, WARSAW))
    drawn = (*consumption_charts(found, WARSAW, TEXTS), *index_charts(found, WARSAW, TEXTS))
    assert len(drawn[0].columns) == 365
