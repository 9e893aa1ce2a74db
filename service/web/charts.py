"""Charts as shapes; ``templates/_chart.html`` writes them as SVG.

Made on the server: readable without a script, in both colour schemes, at any width. Each chart comes twice,
for wide and for narrow screens, and the style sheet shows one of them, so that letters stay letters on a
telephone. Colours are classes of the style sheet, never attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from metering.consumption import IndexPoint, Interval, Kind
from service.web.axes import NARROW, WIDE, Plot, Size, time_ticks, value_ticks
from service.web.formats import grouped, interval_text, unit_sign
from service.web.history import History
from service.web.i18n import Catalogue

__all__ = ["Box", "Chart", "Mark", "consumption_charts", "index_charts", "marks_in"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels: ``look`` is its class, ``title`` says all of it, ``text`` stands on it."""

    look: str
    x: float
    y: float
    width: float
    height: float
    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label beside an axis at pixel ``at``, with a tick at pixel ``tick`` if that is given."""

    at: float
    text: str
    tick: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything to be drawn, in pixels.

    Attributes:
        name: ``consumption`` or ``index``.
        plot: the area between the axes.
        unit: written above the value axis.
        values: labels of the value axis.
        times: labels of the time axis.
        hatched: stretches without readings.
        columns: volumes.
        line: SVG path of the index; empty if there is none.
        zero: pixel row of zero, if zero is inside.
    """

    name: str
    plot: Plot
    unit: str
    values: tuple[Mark, ...]
    times: tuple[Mark, ...]
    hatched: tuple[Box, ...]
    columns: tuple[Box, ...] = ()
    line: str = ""
    zero: float | None = None


def consumption_charts(history: History, zone: ZoneInfo, texts: Catalogue) -> tuple[Chart, ...]:
    """Draw the volumes of a period as columns; gaps hatched, falls below zero."""
    return tuple(_consumption(size, history, zone, texts) for size in (WIDE, NARROW))


def index_charts(history: History, zone: ZoneInfo, texts: Catalogue) -> tuple[Chart, ...]:
    """Draw the index of a period as a line, broken where readings are missing."""
    return tuple(_index(size, history, zone, texts) for size in (WIDE, NARROW))


def marks_in(history: History) -> tuple[str, ...]:
    """Give the looks that occur in a period, for the legend, in a fixed order."""
    present = {_look(one) for one in history.intervals}
    return tuple(look for look in ("metered", "partial", "falling", "gap") if look in present)


def _consumption(size: Size, history: History, zone: ZoneInfo, texts: Catalogue) -> Chart:
    known = [one for one in history.intervals if one.kind is not Kind.GAP]
    plot, values = _plot(size, history, *_volume_range(known))
    return Chart(
        name="consumption",
        plot=plot,
        unit=unit_sign(history.unit),
        values=values,
        times=_times(plot, zone, texts),
        hatched=_hatched(plot, history, zone, texts),
        columns=tuple(_column(plot, one, history, _title(one, history, zone, texts)) for one in known),
        zero=round(plot.y(0.0), 2),
    )


def _index(size: Size, history: History, zone: ZoneInfo, texts: Catalogue) -> Chart:
    states = [float(point.value) for point in history.points] or [0.0]
    plot, values = _plot(size, history, min(states), max(states))
    return Chart(
        name="index",
        plot=plot,
        unit=unit_sign(history.unit),
        values=values,
        times=_times(plot, zone, texts),
        hatched=_hatched(plot, history, zone, texts),
        line=_line(plot, history),
    )


def _plot(size: Size, history: History, low: float, high: float) -> tuple[Plot, tuple[Mark, ...]]:
    ticks = value_ticks(low, high)
    plot = Plot(size, history.window.since, history.window.until, ticks[0][0], ticks[-1][0])
    return plot, tuple(Mark(round(plot.y(value), 2), text) for value, text in ticks)


def _times(plot: Plot, zone: ZoneInfo, texts: Catalogue) -> tuple[Mark, ...]:
    marks = []
    for tick in time_ticks(plot.since, plot.until, zone, texts, plot.size.ticks):
        here = plot.x(tick.at)
        at = here if tick.end is None else (here + plot.x(tick.end)) / 2
        marks.append(Mark(round(at, 2), tick.text, round(here, 2)))
    return tuple(marks)


# --- volumes -------------------------------------------------------------------------------------


def _look(interval: Interval) -> str:
    if interval.kind is Kind.GAP:
        return "gap"
    if interval.falling:
        return "falling"
    return interval.kind.value


def _title(interval: Interval, history: History, zone: ZoneInfo, texts: Catalogue) -> str:
    when = interval_text(interval.start, interval.end, zone)
    return texts(f"chart.title_{_look(interval)}", when=when, volume=_volume(interval, history))


def _volume(interval: Interval, history: History) -> str:
    return f"{grouped(interval.volume)} {unit_sign(history.unit)}"


def _volume_range(intervals: Iterable[Interval]) -> tuple[float, float]:
    """Give what the value axis must hold: a deep fall is cut short lest it flatten everything else."""
    volumes = [0.0, *(float(one.volume) for one in intervals)]
    low, high = min(volumes), max(volumes)
    return (max(low, -high) if high else low), high


def _column(plot: Plot, interval: Interval, history: History, title: str) -> Box:
    left, right = plot.x(interval.start), plot.x(interval.end)
    air = min(2.0, (right - left) / 5)
    volume = float(interval.volume)
    zero, tip = plot.y(0.0), plot.y(max(volume, plot.low))
    # A volume that is there is never invisible; a zero is a thin line on the axis, unlike a gap.
    height = max(abs(zero - tip), 1.0)
    top = zero if interval.falling else zero - height
    return Box(
        _look(interval),
        round(left + air / 2, 2),
        round(top, 2),
        round(max(right - left - air, 0.4), 2),
        round(height, 2),
        title,
        _volume(interval, history) if volume < plot.low else "",
    )


def _hatched(plot: Plot, history: History, zone: ZoneInfo, texts: Catalogue) -> tuple[Box, ...]:
    height = round(plot.bottom - plot.size.top, 2)
    boxes = []
    for one in history.intervals:
        if one.kind is Kind.GAP:
            left, right = plot.x(one.start), plot.x(one.end)
            title, text = _title(one, history, zone, texts), _volume(one, history)
            boxes.append(
                Box("gap", round(left, 2), plot.size.top, round(right - left, 2), height, title, text)
            )
    return tuple(boxes)


# --- index ---------------------------------------------------------------------------------------


def _line(plot: Plot, history: History) -> str:
    """Give the SVG path: a new stroke after every gap."""
    breaks = {one.closing.at for one in history.intervals if one.kind is Kind.GAP}
    strokes: list[list[IndexPoint]] = []
    for point in history.points:
        if not strokes or point.at in breaks:
            strokes.append([])
        strokes[-1].append(point)
    return "".join(_stroke(plot, stroke) for stroke in strokes)


def _stroke(plot: Plot, points: Sequence[IndexPoint]) -> str:
    kept = list(_thinned(plot.pixels(points)))
    if len(kept) == 1:
        # A single reading is a dot: a stroke of no length with round ends.
        kept *= 2
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept)


def _thinned(pixels: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Keep first, highest, lowest and last of every pixel column: the same picture with fewer points."""
    column: list[tuple[float, float]] = []
    for pixel in pixels:
        if column and int(pixel[0]) != int(column[0][0]):
            yield from _ends(column)
            column = []
        column.append(pixel)
    yield from _ends(column)


def _ends(column: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(column) <= 2:
        return list(column)
    rows = [row for _, row in column]
    kept = {0, rows.index(min(rows)), rows.index(max(rows)), len(column) - 1}
    return [column[number] for number in sorted(kept)]
