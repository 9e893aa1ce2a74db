"""The evidence of a finding as a picture: flow and index around it, with what was told and when, as SVG.

::

    L/h   |        onset        told                  cleared
          |  .  |    :|||||||||||!|||||||||||||||||||||-  |      columns: mean flow of an hour or more
    m3    |  ____________________________/                       line: index; circles: readings off it
          +------------------------------------------- local time

Marks differ by dash and by word, hatched stretches were not heard: nothing depends on colour. Made on the
server: some kilobytes, no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.gate import Gated, gate
from anomaly.hours import KNOWN, Ticks, ticks_of
from anomaly.local_time import DAY, HOUR
from anomaly.plot_axes import BOTTOM, HEIGHT, LEFT, PANELS, RIGHT, TOP, WIDTH, Panel, TimeAxis, text_at
from anomaly.series import Floats, Series
from metering.errors import InvalidValue
from metering.finding import Finding, Tier

__all__ = ["evidence_plot"]

BEFORE, AFTER = 3 * DAY, 1 * DAY
"""Shown before the onset and after the end."""
LONGEST = 60 * DAY
"""Shown at most; of a longer finding its beginning."""
MOST_COLUMNS = 240
MOST_POINTS = 600

WORDS = MappingProxyType(
    {
        "en": {
            "flow": "flow, L/h",
            "index": "index, m³",
            "onset": "onset",
            "suspect": "suspected",
            "notify": "told",
            "dispatch": "crew",
            "cleared": "cleared",
            "unheard": "not heard",
        },
        "pl": {
            "flow": "przepływ, l/h",
            "index": "wskazanie, m³",
            "onset": "początek",
            "suspect": "podejrzenie",
            "notify": "zgłoszenie",
            "dispatch": "ekipa",
            "cleared": "koniec",
            "unheard": "brak odczytów",
        },
        "ro": {
            "flow": "debit, L/h",
            "index": "index, m³",
            "onset": "debut",
            "suspect": "suspect",
            "notify": "anunțat",
            "dispatch": "echipă",
            "cleared": "încheiat",
            "unheard": "fără citiri",
        },
    }
)
DASHES = MappingProxyType(
    {"onset": "1 3", "suspect": "6 3", "notify": "", "dispatch": "", "cleared": "8 3 2 3"}
)
"""How the line of a mark is drawn; the two that are told are whole."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something told at a moment, UTC seconds."""

    word: str
    at: int


def evidence_plot(finding: Finding, series: Series, zone: ZoneInfo, language: str = "en") -> str:
    """Draw a finding over the readings of its meter.

    Args:
        finding: of a meter.
        series: its readings, as many as there are.
        zone: local time of the axis.
        language: ``en``, ``pl`` or ``ro``.

    Returns:
        One ``<svg>`` element, 720 by 400 pixels, without script, style sheet or link.

    Raises:
        InvalidValue: a language there are no words in.
    """
    if language not in WORDS:
        raise InvalidValue(f"no words in {language!r}; there are {', '.join(WORDS)}")
    words, marks = WORDS[language], _marks(finding)
    time = TimeAxis(*_span(marks), zone)
    gated = gate(_within(series, time))
    drawn = [
        *time.drawn(),
        *_flow(ticks_of(gated, zone), time, words),
        *_index(gated, time, words),
        *_lines(marks, time, words),
    ]
    return "\n".join([*_opening(f"{finding.subject} {finding.name}"), *drawn, "</svg>\n"])


def _opening(title: str) -> list[str]:
    said = escape(title)
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            f' font-size="12" role="img" aria-label="{said}">'
        ),
        f"<title>{said}</title>",
        (
            '<defs><pattern id="unheard" width="6" height="6" patternUnits="userSpaceOnUse"'
            ' patternTransform="rotate(45)"><path d="M0 0V6" stroke="#999"/></pattern></defs>'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text_at(LEFT, 16, title, weight="bold"),
    ]


def _marks(finding: Finding) -> list[_Mark]:
    """Give onset, the stages and the end by time; of stages raised by one reading the highest."""
    told = {int(stage.raised_at.timestamp()): stage.tier.value for stage in finding.stages}
    marks = [_Mark("onset", int(finding.stages[0].onset.timestamp()))]
    marks += [_Mark(word, at) for at, word in sorted(told.items())]
    if finding.cleared_at is not None:
        marks.append(_Mark("cleared", int(finding.cleared_at.timestamp())))
    return marks


def _span(marks: Sequence[_Mark]) -> tuple[int, int]:
    told = [mark.at for mark in marks if mark.word in {tier.value for tier in Tier}]
    first = marks[0].at - BEFORE
    return first, max(min(marks[-1].at + AFTER, first + LONGEST), told[0] + AFTER)


def _within(series: Series, time: TimeAxis) -> Series:
    near = (series.at >= time.first - HOUR) & (series.at <= time.last)
    return Series.arrived(series.facts, series.at[near], series.index[near])


def _flow(ticks: Ticks, time: TimeAxis, words: dict[str, str]) -> Iterator[str]:
    """Draw columns of mean flow; hatch what was not heard."""
    step = max(HOUR, int(np.ceil((time.last - time.first) / MOST_COLUMNS / HOUR)) * HOUR)
    bucket = (ticks.known_at - 1 - time.first) // step
    known = (ticks.kind == KNOWN) & (bucket >= 0)
    number = int((time.last - time.first) // step) + 1
    hours = np.bincount(bucket[known], minlength=number)
    litres = np.bincount(bucket[known], ticks.flow[known], minlength=number)
    flow: Floats = litres / np.maximum(hours, 1)
    panel = Panel.of(PANELS[0], 0.0, float(flow.max(initial=1.0)))
    yield from panel.drawn(words["flow"])
    for place in np.flatnonzero(hours[:number] == 0).tolist():
        left, right = time.x(time.first + place * step), time.x(time.first + (place + 1) * step)
        yield (
            f'<rect x="{left}" y="{panel.top}" width="{right - left:.1f}" height="{panel.bottom - panel.top}"'
            f' fill="url(#unheard)"><title>{escape(words["unheard"])}</title></rect>'
        )
    path = "".join(
        f"M{time.x(time.first + place * step)} {panel.bottom}V{panel.y(float(flow[place]))}"
        f"H{time.x(time.first + (place + 1) * step)}V{panel.bottom}"
        for place in np.flatnonzero(flow[:number] > 0).tolist()
    )
    yield f'<path d="{path}" fill="#3b6ea5" stroke="#1d3f66" stroke-width="0.5"/>'


def _index(gated: Gated, time: TimeAxis, words: dict[str, str]) -> Iterator[str]:
    """Draw the line of the index, broken where a new one begins, and readings off it as circles."""
    if not len(gated):
        return
    off = [
        doubt for doubt in gated.doubts if doubt.index == doubt.index and time.first <= doubt.at <= time.last
    ]
    low, high = float(gated.index.min()) / 1000, float(gated.index.max()) / 1000
    panel = Panel.of(PANELS[1], low, high)
    yield from panel.drawn(words["index"])
    kept = np.unique(np.linspace(0, len(gated) - 1, min(len(gated), MOST_POINTS)).astype(np.int64))
    kept = np.union1d(kept, np.flatnonzero(gated.broken))
    steps = (
        f"{'M' if place == kept[0] or gated.broken[place] else 'L'}"
        f"{time.x(int(gated.at[place]))} {panel.y(float(gated.index[place]) / 1000)}"
        for place in kept.tolist()
    )
    yield f'<path d="{"".join(steps)}" fill="none" stroke="#1d3f66" stroke-width="1.5"/>'
    for doubt in off[:MOST_COLUMNS]:
        place = panel.y(min(max(doubt.index / 1000, low), high))
        yield (
            f'<circle cx="{time.x(doubt.at)}" cy="{place}" r="4" fill="#fff" stroke="#000">'
            f"<title>{doubt.kind.value}: {doubt.index / 1000:.3f} m³</title></circle>"
        )


def _lines(marks: Sequence[_Mark], time: TimeAxis, words: dict[str, str]) -> Iterator[str]:
    """Draw marks as lines over both panels, each with its word; words that would meet go to the next row."""
    free = [0.0, 0.0, 0.0]
    for mark in marks:
        if mark.at > time.last:
            continue
        x, dash = time.x(mark.at), DASHES[mark.word]
        width = 2.5 if mark.word == "dispatch" else 1.5
        yield (
            f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#000" stroke-width="{width}"'
            + (f' stroke-dasharray="{dash}"/>' if dash else "/>")
        )
        word = words[mark.word]
        row = next((k for k, taken in enumerate(free) if taken <= x), len(free) - 1)
        free[row] = x + 8 + 7 * len(word)
        anchor = "end" if x > WIDTH - RIGHT - 7 * len(word) else "start"
        yield text_at(x + (-3 if anchor == "end" else 3), 32 + 13 * row, word, anchor=anchor)
