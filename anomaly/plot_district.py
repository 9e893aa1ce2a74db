"""A district as a picture: minimum night flow and daily inflow, with what was told and when, as SVG.

Upper panel: mean flow from 02:00 to 05:00, night by night, customers' use taken off where it is known. Lower
panel: mean inflow of each day, and dashed what customers used. Marks differ by dash and by
word: nothing depends on colour. Made on the server: some kilobytes, no script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np

from anomaly.district import District
from anomaly.local_time import DAY, HOUR, local_seconds
from anomaly.plot import DASHES, WORDS
from anomaly.plot_axes import BOTTOM, HEIGHT, LEFT, PANELS, RIGHT, TOP, WIDTH, Panel, TimeAxis, text_at
from anomaly.series import Floats, Ints
from metering.errors import InvalidValue
from metering.finding import Finding

__all__ = ["district_plot"]

SHOWN = 120 * DAY
"""At most so much of the newest time is drawn."""
NIGHT_FROM, NIGHT_TO = 2 * HOUR, 5 * HOUR
FEWEST_OF_NIGHT, FEWEST_OF_DAY = 2, 20
"""Known hours of a night and of a day that is drawn."""
APART = 2 * DAY
"""Further apart two points are not joined."""

_TITLES = MappingProxyType(
    {
        "en": {
            "night": "minimum night flow, L/s",
            "net": "minimum night flow less customers' use, L/s",
            "day": "inflow by day, L/s; dashed: what customers used",
        },
        "pl": {
            "night": "minimalny przepływ nocny, l/s",
            "net": "minimalny przepływ nocny bez zużycia odbiorców, l/s",
            "day": "dopływ dobowy, l/s; linia przerywana: zużycie odbiorców",
        },
        "ro": {
            "night": "debit minim de noapte, L/s",
            "net": "debit minim de noapte fără consumul clienților, L/s",
            "day": "debit zilnic, L/s; linie întreruptă: consumul clienților",
        },
    }
)


def district_plot(
    inflow: District, use: District | None, findings: Sequence[Finding], zone: ZoneInfo, language: str = "en"
) -> str:
    """Draw a district.

    Args:
        inflow: net inflow by the hour.
        use: what customers used, where it is known.
        findings: of the district; their onsets, stages and ends are marked.
        zone: local time.
        language: ``en``, ``pl`` or ``ro``.

    Returns:
        One ``<svg>`` element, 720 by 400 pixels; empty if there is no day to draw.

    Raises:
        InvalidValue: a language there are no words in.
    """
    if language not in _TITLES:
        raise InvalidValue(f"no words in {language!r}; there are {', '.join(_TITLES)}")
    titles = _TITLES[language]
    if not len(inflow):
        return ""
    last = int(inflow.at[-1]) + HOUR
    time = TimeAxis(max(int(inflow.at[0]), last - SHOWN), last, zone)
    nights = _means(inflow if use is None else inflow.less(use), zone, night=True)
    days = [_means(one, zone, night=False) for one in (inflow, use) if one is not None]
    if not len(nights[0]) or not len(days[0][0]):
        return ""
    drawn = [
        *time.drawn(),
        *_panel(PANELS[0], [nights], time, titles["night" if use is None else "net"]),
        *_panel(PANELS[1], days, time, titles["day"]),
        *_marks(findings, time, language),
    ]
    return "\n".join([*_opening(inflow.dma), *drawn, "</svg>\n"])


def _opening(title: str) -> list[str]:
    said = escape(title)
    return [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
            f' font-size="12" role="img" aria-label="{said}">'
        ),
        f"<title>{said}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text_at(LEFT, 16, title, weight="bold"),
    ]


def _means(flow: District, zone: ZoneInfo, *, night: bool) -> tuple[Ints, Floats]:
    """Give the mean flow of each night or day that is known well enough, and a moment of it, UTC seconds."""
    wall = local_seconds(flow.at, zone)
    wanted = (wall % DAY >= NIGHT_FROM) & (wall % DAY < NIGHT_TO) if night else np.ones(len(wall), np.bool_)
    day, place = np.unique(wall[wanted] // DAY, return_inverse=True)
    count = np.bincount(place, minlength=len(day))
    mean = np.bincount(place, flow.inflow[wanted], minlength=len(day)) / np.maximum(count, 1)
    at = np.bincount(place, flow.at[wanted], minlength=len(day)) / np.maximum(count, 1)
    kept = count >= (FEWEST_OF_NIGHT if night else FEWEST_OF_DAY)
    return at[kept].astype(np.int64), mean[kept]


def _panel(
    rows: tuple[int, int], lines: Sequence[tuple[Ints, Floats]], time: TimeAxis, title: str
) -> Iterator[str]:
    """Draw lines over one axis; the second one dashed."""
    shown = [(at[at >= time.first], mean[at >= time.first]) for at, mean in lines]
    values = np.concatenate([[0.0], *(mean for _, mean in shown)])
    panel = Panel.of(rows, float(values.min()), max(float(values.max()), 1e-3))
    yield from panel.drawn(title)
    for (at, mean), dash in zip(shown, ("", ' stroke-dasharray="4 3"'), strict=False):
        steps = "".join(
            f"{'M' if place == 0 or at[place] - at[place - 1] > APART else 'L'}"
            f"{time.x(int(at[place]))} {panel.y(float(mean[place]))}"
            for place in range(len(at))
        )
        yield f'<path d="{steps}" fill="none" stroke="#1d3f66" stroke-width="1.5"{dash}/>'


def _marks(findings: Sequence[Finding], time: TimeAxis, language: str) -> Iterator[str]:
    """Draw when each finding began, was told and ended; words that would meet go to the next row."""
    words, free = WORDS[language], [0.0, 0.0, 0.0]
    for at, mark in sorted(_moments(findings)):
        if not time.first <= at <= time.last:
            continue
        x, dash = time.x(at), DASHES[mark]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="#000" stroke-width="1.5"{dashed}/>'
        row = next((k for k, taken in enumerate(free) if taken <= x), len(free) - 1)
        free[row] = x + 8 + 7 * len(words[mark])
        anchor = "end" if x > WIDTH - RIGHT - 7 * len(words[mark]) else "start"
        yield text_at(x + (-3 if anchor == "end" else 3), 32 + 13 * row, words[mark], anchor=anchor)


def _moments(findings: Sequence[Finding]) -> Iterator[tuple[int, str]]:
    """Give onsets, stages and ends; of stages raised by one reading the highest."""
    for finding in findings:
        told = {int(stage.raised_at.timestamp()): stage.tier.value for stage in finding.stages}
        yield int(finding.stages[0].onset.timestamp()), "onset"
        yield from told.items()
        if finding.cleared_at is not None:
            yield int(finding.cleared_at.timestamp()), "cleared"
