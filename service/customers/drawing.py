"""A view as shapes; ``templates/_chart.html`` writes them as SVG, for wide and for narrow screens.

What is not simply metered is told by pattern and by words, never by colour alone. Every column is a link to
what is in it, so that drilling down needs no script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from metering.consumption import Interval, Kind
from service.customers.asked import Shape
from service.customers.files import look_of
from service.customers.view import View
from service.customers.words import Words
from service.web.axes import NARROW, WIDE, Plot, Size, time_ticks, value_ticks
from service.web.charts import Mark

__all__ = ["Column", "Drawing", "Flag", "Link", "draw", "event_name", "looks_in", "says"]

Link = Callable[[datetime, datetime], str]
"""Gives the address of what is in a column; empty if it cannot be cut any finer."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a hatched stretch: pixels, look, what it says, where it leads."""

    look: str
    x: float
    y: float
    width: float
    height: float
    says: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark at a moment: pixel column, look, letter, what it says."""

    x: float
    look: str
    letter: str
    says: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to be drawn, in pixels.

    Attributes:
        plot: the area between the axes.
        values: labels of the value axis.
        times: labels of the time axis.
        behind: columns of the compared span.
        columns: columns of the span, and gaps.
        line: SVG path through the volumes; empty for columns.
        flags: marks.
        zero: pixel row of zero.
    """

    plot: Plot
    values: tuple[Mark, ...]
    times: tuple[Mark, ...]
    behind: tuple[Column, ...]
    columns: tuple[Column, ...]
    line: str
    flags: tuple[Flag, ...]
    zero: float


def draw(shown: View, words: Words, zone: ZoneInfo, link: Link) -> tuple[Drawing, ...]:
    """Draw the volumes of a view in both sizes."""
    return tuple(_Pen(size, shown, words, zone, link).drawing() for size in (WIDE, NARROW))


def looks_in(shown: View) -> tuple[str, ...]:
    """Give what the legend must explain, in a fixed order."""
    present = {look_of(one) for one in shown.volumes.intervals}
    if shown.behind is not None and shown.behind.intervals:
        present.add("behind")
    if shown.billed:
        present.add("billed")
    return tuple(
        look for look in ("metered", "partial", "gap", "falling", "behind", "billed") if look in present
    )


def says(one: Interval, words: Words, zone: ZoneInfo) -> str:
    """Say an interval in words."""
    volume = abs(one.volume) if one.falling else one.volume
    said = words(
        f"say.{look_of(one)}",
        when=words.stretch(one.start, one.end, zone),
        volume=words.cubic_metres(volume),
    )
    state = words.cubic_metres(one.closing.value)
    return f"{said}; {words('say.state', state=state)}"


class _Pen:
    """Draws one view in one size."""

    def __init__(self, size: Size, shown: View, words: Words, zone: ZoneInfo, link: Link) -> None:
        self._shown = shown
        self._words = words
        self._zone = zone
        self._link = link
        self._index = shown.asked.shape is Shape.INDEX
        low, high = _indices(shown) if self._index else _volumes(shown)
        ticks = value_ticks(low, high)
        whole = shown.whole
        self._plot = Plot(size, whole.since, whole.until, ticks[0][0], ticks[-1][0])
        self._ticks = ticks
        self._zero = round(self._plot.y(ticks[0][0] if self._index else 0.0), 2)

    def drawing(self) -> Drawing:
        shown = self._shown
        as_line = shown.asked.shape is not Shape.COLUMNS
        return Drawing(
            plot=self._plot,
            values=tuple(
                Mark(round(self._plot.y(value), 2), self._words.number(Decimal(text)))
                for value, text in self._ticks
            ),
            times=tuple(self._times()),
            behind=() if self._index else tuple(self._behind()),
            columns=tuple(self._column(one, thin=as_line) for one in shown.volumes.intervals),
            line=(self._states() if self._index else self._line()) if as_line else "",
            flags=tuple(self._flags()),
            zero=self._zero,
        )

    def _times(self) -> Iterator[Mark]:
        plot = self._plot
        for tick in time_ticks(plot.since, plot.until, self._zone, self._words.texts, plot.size.ticks):
            here = plot.x(tick.at)
            at = here if tick.end is None else (here + plot.x(tick.end)) / 2
            yield Mark(round(at, 2), tick.text, round(here, 2))

    def _column(self, one: Interval, *, thin: bool) -> Column:
        left, width = self._across(one.start, one.end)
        look = look_of(one)
        if look == "gap" or self._index:
            top, height = float(self._plot.size.top), self._plot.bottom - self._plot.size.top
        else:
            top, height = self._upwards(one.volume)
        if self._index and look != "gap":
            look = "state"
        elif thin and look == "metered":
            look = "point"
        href = self._link(one.start, one.end)
        return Column(
            look, left, round(top, 2), width, round(height, 2), says(one, self._words, self._zone), href
        )

    def _across(self, start: datetime, end: datetime) -> tuple[float, float]:
        left, right = self._plot.x(start), self._plot.x(end)
        gap = min(2.0, (right - left) * 0.15)
        return round(left + gap / 2, 2), round(max(right - left - gap, 0.6), 2)

    def _upwards(self, volume: Decimal) -> tuple[float, float]:
        """Give top and height; a volume that is not zero shows at least a pixel."""
        here = self._plot.y(float(volume))
        height = abs(here - self._zero)
        if volume and height < 1:
            return (self._zero - 1, 1.0) if volume > 0 else (self._zero, 1.0)
        return min(here, self._zero), height

    def _line(self) -> str:
        """Give the path through the middles of metered intervals, broken where one is missing."""
        path: list[str] = []
        end: datetime | None = None
        for one in self._shown.volumes.intervals:
            if one.kind is not Kind.METERED:
                end = None
                continue
            x = self._plot.x(one.start + (one.end - one.start) / 2)
            path.append(f"{'L' if one.start == end else 'M'}{x:.1f} {self._plot.y(float(one.volume)):.1f}")
            end = one.end
        return "".join(path)

    def _states(self) -> str:
        """Give the path of the index, from end to end of every interval; broken at an exchange."""
        path: list[str] = []
        last: tuple[datetime, Decimal] | None = None
        for one in self._shown.volumes.intervals:
            if one.closing.value >= one.opening.value:
                if last != (one.start, one.opening.value):
                    path.append(
                        f"M{self._plot.x(one.start):.1f} {self._plot.y(float(one.opening.value)):.1f}"
                    )
                path.append(f"L{self._plot.x(one.end):.1f} {self._plot.y(float(one.closing.value)):.1f}")
            last = (one.end, one.closing.value)
        return "".join(path)

    def _behind(self) -> Iterator[Column]:
        """Put the compared span under this one, beginning on beginning."""
        behind = self._shown.behind
        if behind is None or behind.stretch is None or self._shown.asked.behind is None:
            return
        shift = _Shift(self._shown, self._zone)
        for one in behind.intervals:
            if one.kind is Kind.METERED:
                start, end = shift.moved(one.start), shift.moved(one.end)
                if start < end:
                    left, width = self._across(start, end)
                    top, height = self._upwards(one.volume)
                    said = says(one, self._words, self._zone)
                    yield Column("behind", left, round(top, 2), width, round(height, 2), said)

    def _flags(self) -> Iterator[Flag]:
        plot, words = self._plot, self._words
        for one in self._shown.billed:
            if plot.since < one.stretch.until < plot.until:
                until = words.moment(one.stretch.until, self._zone)
                yield Flag(
                    round(plot.x(one.stretch.until), 2), "billed", "", f"{words('kind.billed')}: {until}"
                )
        for number, event in enumerate(self._shown.events, 1):
            said = f"{event_name(event.kind, words)}: {words.moment(event.at, self._zone)}"
            yield Flag(round(plot.x(event.at), 2), "event", str(number), said)


def event_name(kind: str, words: Words) -> str:
    """Name a mark."""
    whole = words.texts.get(f"event.{kind.replace('.', '_')}", "")
    return whole or words.texts.get(f"event.{kind.partition('.')[0]}", words("event.other"))


class _Shift:
    """Where a moment of the compared span lies on this span's axis: the same local day and hour."""

    def __init__(self, shown: View, zone: ZoneInfo) -> None:
        self._asked = shown.asked
        self._zone = zone
        self._whole = shown.whole

    def moved(self, moment: datetime) -> datetime:
        """Give the moment it is drawn at, within the plot."""
        behind = self._asked.behind
        if behind is None:
            return moment
        local = moment.astimezone(self._zone)
        share_of = (behind[1] - behind[0]).days
        span = (self._asked.last - self._asked.first).days
        days = (local.date() - behind[0]).days
        if self._asked.step.value == "month" and share_of != span:
            days = round(days * span / share_of)
        here = datetime.combine(self._asked.first + timedelta(days=days), local.time(), self._zone)
        return min(max(here, self._whole.since), self._whole.until)


def _volumes(shown: View) -> tuple[float, float]:
    each = [shown.volumes, *([shown.behind] if shown.behind else [])]
    found = [float(one.volume) for each_ in each for one in each_.intervals if one.kind is not Kind.GAP]
    return min([0.0, *found]), max([0.001, *found])


def _indices(shown: View) -> tuple[float, float]:
    found = [float(end.value) for one in shown.volumes.intervals for end in (one.opening, one.closing)]
    return min(found, default=0.0), max(found, default=1.0)
