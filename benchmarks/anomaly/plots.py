"""Plots as SVG, drawn by a few lines of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 200, 36, 48
COLOURS = ("#0b5fa5", "#c8571b", "#2b8a3e", "#8a3ea8", "#6b7280", "#b8860b", "#0f766e")


@dataclass(frozen=True)
class Line:
    """One named row of points; single points are drawn as dots."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis shows; logarithmic, with these ticks."""

    title: str
    ticks: Sequence[float]

    def place(self, value: float) -> float:
        """Give 0 to 1 along the axis."""
        low, high = log10(self.ticks[0]), log10(self.ticks[-1])
        bounded = min(max(value, self.ticks[0]), self.ticks[-1])
        return (log10(bounded) - low) / (high - low)


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """Draw lines over two logarithmic axes."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        f' font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_grid(x, y),
    ]
    for number, line in enumerate(lines):
        parts += _line(line, x, y, number)
    return "\n".join([*parts, "</svg>\n"])


def _x(x: Axis, value: float) -> float:
    return round(LEFT + x.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(y: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(x: Axis, y: Axis) -> list[str]:
    parts = []
    for value in x.ticks:
        at = _x(x, value)
        parts.append(f'<path d="M{at} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{at}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    for value in y.ticks:
        at = _y(y, value)
        parts.append(f'<path d="M{LEFT} {at}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end">{value:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x.title)}</text>')
    turned = f"translate(16 {HEIGHT / 2}) rotate(-90)"
    parts.append(f'<text transform="{turned}" text-anchor="middle">{escape(y.title)}</text>')
    return parts


def _line(line: Line, x: Axis, y: Axis, number: int) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    points = [(_x(x, a), _y(y, b)) for a, b in line.points]
    legend = TOP + 10 + 18 * number
    parts = [
        f'<circle cx="{WIDTH - RIGHT + 14}" cy="{legend}" r="4" fill="{colour}"/>',
        f'<text x="{WIDTH - RIGHT + 24}" y="{legend + 4}">{escape(line.name)}</text>',
    ]
    if len(points) > 1:
        path = " ".join(f"{a},{b}" for a, b in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return parts + [f'<circle cx="{a}" cy="{b}" r="3.5" fill="{colour}"/>' for a, b in points]
